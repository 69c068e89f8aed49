"""A proxy for gRPC: unary calls, subscriptions event by event, and streams frame by frame."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from itertools import count
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
from grpc import aio

from mig_conformance.selfproof.mutation import Mutation
from mig_conformance.selfproof.passage import Passage
from mig_conformance.selfproof.proxies.grpc_call import ProxiedCall
from mig_conformance.selfproof.proxies.grpc_messages import Method, method_of
from mig_conformance.selfproof.proxies.grpc_streams import pass_frames, pass_subscription

_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_metadata_size", 2**20),
    ("grpc.absolute_max_metadata_size", 2**20),
    ("grpc.so_reuseport", 0),
    # Channels of one process to one address would share a connection, and its fate.
    ("grpc.use_local_subchannel_pool", 1),
)
# All calls have ended by then; a server that stops at once says in a log line that it cancels them.
_GRACE_S = 0.2

T = TypeVar("T")


class GrpcProxy:
    """Enter it to serve what the server at `target`, HOST:PORT, does."""

    def __init__(self, target: str, mutation: Mutation) -> None:
        self._channel = aio.insecure_channel(target, options=_OPTIONS)
        self._mutation = mutation
        self._server = aio.server(options=_OPTIONS)
        self._server.add_generic_rpc_handlers((_Methods(self),))
        self._port = self._server.add_insecure_port("127.0.0.1:0")
        self._calls: set[asyncio.Task[Any]] = set()
        self._scopes = count()

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await self._server.stop(_GRACE_S)
        await self._channel.close(None)

    async def unary(self, method: Method, raw: bytes, context: Any) -> bytes:
        """One message each way."""
        call = self._call(method, context)
        return await self._through(call.unary(raw), call.asked(raw))

    async def subscription(self, method: Method, raw: bytes, context: Any) -> None:
        """One message in, many out."""
        call = self._call(method, context)
        await self._through(pass_subscription(call, raw), call.asked(raw))

    async def frames(self, method: Method, _messages: Any, context: Any) -> None:
        """Many messages both ways."""
        call = self._call(method, context)
        await self._through(pass_frames(call), call.asked(b""))

    def _call(self, method: Method, context: Any) -> ProxiedCall:
        return ProxiedCall(
            method=method,
            context=context,
            channel=self._channel,
            mutation=self._mutation,
            scope=f"grpc {next(self._scopes)}",
        )

    async def _through(self, passing: Coroutine[Any, Any, T], passage: Passage) -> T:
        """In a task of its own, since the server may not hear that the client is gone."""
        task = asyncio.create_task(passing)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not self._mutation.hangup_ignored(passage):
                task.cancel()
            raise


class _Methods(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in the stubs only
    """Every method there is."""

    def __init__(self, proxy: GrpcProxy) -> None:
        self._proxy = proxy

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The handler of a method, by its shape."""
        method = method_of(handler_call_details.method)
        if method.shape == "unary":
            return grpc.unary_unary_rpc_method_handler(partial(self._proxy.unary, method))
        if method.shape == "server_stream":
            return grpc.unary_stream_rpc_method_handler(partial(self._proxy.subscription, method))
        return grpc.stream_stream_rpc_method_handler(partial(self._proxy.frames, method))
