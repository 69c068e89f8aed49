"""The least that a server on grpc.aio could do, as a process of its own.

`python -m tools.bench.grpc_floor SIZE` answers every Invoke with SIZE bytes, whatever it is sent. It prints
its port once it listens.
"""

from __future__ import annotations

import sys
from typing import Any

import grpc
import uvloop
from grpc import aio


async def _serve(size: int) -> None:
    body = bytes(size)

    async def answer(_request: bytes, _context: Any) -> bytes:
        return body

    handler: Any = grpc.unary_unary_rpc_method_handler(answer)
    server = aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("mig.v0_1.Invocation", {"Invoke": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"ready on http://127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
