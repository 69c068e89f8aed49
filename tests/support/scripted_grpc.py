"""A gRPC server that answers with what a test says, right or wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from grpc import aio

Behaviour = Callable[[Any, Any], Awaitable[None]]


class _EveryCall(grpc.GenericRpcHandler):  # type: ignore[type-arg] # a type argument only to its stubs
    """Every RPC is one of streams of bytes, which to a client is any of the four kinds."""

    def __init__(self, behave: Behaviour) -> None:
        self._behave = behave

    def service(self, _: object) -> Any:
        return grpc.stream_stream_rpc_method_handler(self._behave)


@asynccontextmanager
async def scripted_grpc(behave: Behaviour) -> AsyncIterator[str]:
    """Its HOST:PORT. `behave` gets the iterator of requests and the context of each call."""
    server = aio.server()
    server.add_generic_rpc_handlers((_EveryCall(behave),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
