"""The least that a server on the same stack could do, as a process of its own.

`python -m tools.bench.floors SIZE` answers every request with SIZE bytes of JSON after reading its body and
decoding it: a raw ASGI handler on uvicorn with httptools and uvloop. It prints its port once it listens.
"""

from __future__ import annotations

import socket
import sys
from typing import Any

import msgspec
import uvicorn

_decode = msgspec.json.decode


class FixedAnswer:
    """Decodes what it is sent and gives the same JSON every time."""

    def __init__(self, size: int) -> None:
        self._body = b'{"fixed":"%s"}' % (b"x" * max(0, size - len('{"fixed":""}')))
        self._headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(self._body)),
        ]

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        event = await receive()
        body = event["body"]
        while event.get("more_body"):
            event = await receive()
            body += event["body"]
        _decode(body)
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body})


def main() -> None:
    """Serve until SIGTERM."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    # As migd's listener has it; see runtime/migd/listening.py.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        FixedAnswer(int(sys.argv[1])),
        http="httptools",
        loop="uvloop",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
    )
    print(f"ready on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
