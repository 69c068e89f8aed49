"""A proxy for gRPC: unary calls, subscriptions event by event, and streams frame by frame."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from itertools import count
from types import TracebackType
from typing import Any, Self

import grpc
from grpc import StatusCode, aio

from mig_conformance.selfproof.mutation import Mutation
from mig_conformance.selfproof.passage import Passage
from mig_conformance.selfproof.proxies.frames import FramePassages
from mig_conformance.selfproof.proxies.grpc_messages import (
    Ending,
    Metadata,
    Method,
    ending_after,
    method_of,
    read,
    refusal,
    written,
)

_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_metadata_size", 2**20),
    ("grpc.so_reuseport", 0),
    ("grpc.use_local_subchannel_pool", 1),
)
_TRANSPORTS_OWN = ("user-agent", "grpc-", "te", "content-type")
_TENANT = "x-tenant-id"

Handle = Callable[[Any], Awaitable[Ending]]


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
        await self._server.stop(None)
        await self._channel.close()

    async def unary(self, method: Method, raw: bytes, context: Any) -> bytes:
        """One message each way."""
        return await self._through(self._unary(method, raw, context), self._asked(method, raw, context))

    async def subscription(self, method: Method, raw: bytes, context: Any) -> None:
        """One message in, many out."""
        await self._through(self._subscription(method, raw, context), self._asked(method, raw, context))

    async def frames(self, method: Method, _requests: Any, context: Any) -> None:
        """Many messages both ways."""
        await self._through(self._frames(method, context), self._asked(method, b"", context))

    async def _through(self, call: Coroutine[Any, Any, Any], passage: Passage) -> Any:
        """In a task of its own, since the server may not hear that the client is gone."""
        task = asyncio.create_task(call)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not self._mutation.hangup_ignored(passage):
                task.cancel()
            raise

    async def _unary(self, method: Method, raw: bytes, context: Any) -> bytes:
        answer = b""
        passages = self._mutation.through(self._asked(method, raw, context))
        for number, passage in enumerate(passages, 1):
            await asyncio.sleep(passage.delay_s)
            last = number == len(passages)
            if passage.answer is not None:
                answer = await self._in_its_place(method, passage, context)
            else:
                answer = await self._asked_on(method, passage, context, last=last)
        return answer if passages else await _never()

    async def _asked_on(self, method: Method, passage: Passage, context: Any, *, last: bool) -> bytes:
        call: Any = self._channel.unary_unary(method.name)(
            written(method.request, passage, self._mutation.fault),
            metadata=_metadata(passage, context),
            timeout=context.time_remaining(),
        )
        try:
            raw, ending = await call, Ending(code=StatusCode.OK)
            ending = Ending(code=StatusCode.OK, metadata=_plain(await call.trailing_metadata()))
        except aio.AioRpcError as failed:
            raw, ending = b"", _failed(failed)
        if not last:
            return b""
        await _told_at_first(context, await call.initial_metadata())
        answer = self._answered(method, passage, raw, ending)
        if not self._mutation.through(answer):
            return await _never()
        await asyncio.sleep(answer.delay_s)
        await _end(context, ending_after(ending, answer))
        return written(method.response, answer, self._mutation.fault)

    def _answered(self, method: Method, passage: Passage, raw: bytes, ending: Ending) -> Passage:
        accepted = ending.code is StatusCode.OK
        return Passage(
            at=frozenset({"answer"}),
            binding="grpc",
            operations=method.operations,
            message=read(method.response, raw) if accepted else ending.envelope,
            raw=raw,
            fields=_texts(ending.metadata),
            status=ending.code.name,
            request=passage,
        )

    async def _subscription(self, method: Method, raw: bytes, context: Any) -> None:
        passage = self._asked(method, raw, context)
        if not self._mutation.through(passage):
            await _never()
        await asyncio.sleep(passage.delay_s)
        if passage.answer is not None:
            await self._in_its_place(method, passage, context)
            return
        call: Any = self._channel.unary_stream(method.name)(
            written(method.request, passage, self._mutation.fault),
            metadata=_metadata(passage, context),
            timeout=context.time_remaining(),
        )
        opening = asyncio.create_task(_open(context, call))
        scope = self._scope()
        try:
            await self._events(method, passage, call, scope, context)
        finally:
            call.cancel()
            opening.cancel()

    async def _events(self, method: Method, asked: Passage, call: Any, scope: str, context: Any) -> None:
        ending = None
        while ending is None:
            raw, ending = await _next(call)
            if ending is None:
                event = self._event(method, asked, raw, scope)
                for each in self._mutation.through(event):
                    await asyncio.sleep(each.delay_s)
                    await _write(context, written(method.response, each, self._mutation.fault))
        for each in self._mutation.left(scope):
            await _write(context, written(method.response, each, self._mutation.fault))
        answer = self._answered(method, asked, b"", ending)
        self._mutation.through(answer)
        await _end(context, ending_after(ending, answer))

    def _event(self, method: Method, asked: Passage, raw: bytes, scope: str) -> Passage:
        return Passage(
            at=frozenset({"event"}),
            binding="grpc",
            operations=method.operations,
            message=read(method.response, raw),
            raw=raw,
            scope=scope,
            request=asked,
        )

    async def _frames(self, method: Method, context: Any) -> None:
        opened = self._asked(method, b"", context)
        if not self._mutation.through(opened):
            await _never()
        call: Any = self._channel.stream_stream(method.name)(
            metadata=_metadata(opened, context), timeout=context.time_remaining()
        )
        scope = self._scope()
        passages = FramePassages(opened, "grpc", scope)
        opening = asyncio.create_task(_open(context, call))
        asking = asyncio.create_task(self._frames_in(method, passages, call, context))
        try:
            ending = await self._frames_out(method, passages, call, scope, context)
            answer = self._answered(method, opened, b"", ending)
            self._mutation.through(answer)
            await _end(context, ending_after(ending, answer))
        finally:
            asking.cancel()
            opening.cancel()
            call.cancel()

    async def _frames_in(self, method: Method, passages: FramePassages, call: Any, context: Any) -> None:
        while (raw := await context.read()) is not aio.EOF:  # type: ignore[attr-defined]
            for passage in self._mutation.through(passages.from_client(read(method.request, raw), raw)):
                await asyncio.sleep(passage.delay_s)
                if passage.answer is None:
                    await call.write(written(method.request, passage, self._mutation.fault))
                else:
                    answer = passages.answering(passage)
                    await _write(context, written(method.response, answer, self._mutation.fault))
        await call.done_writing()

    async def _frames_out(
        self, method: Method, passages: FramePassages, call: Any, scope: str, context: Any
    ) -> Ending:
        while True:
            raw, ending = await _next(call)
            if ending is not None:
                for passage in self._mutation.left(scope):
                    await _write(context, written(method.response, passage, self._mutation.fault))
                return ending
            for passage in self._mutation.through(passages.from_server(read(method.response, raw), raw)):
                await asyncio.sleep(passage.delay_s)
                await _write(context, written(method.response, passage, self._mutation.fault))

    async def _in_its_place(self, method: Method, passage: Passage, context: Any) -> bytes:
        answer = passage.answer or {}
        if "error" in answer:
            await _end(context, refusal(answer, passage.new_status))
        passage.message, passage.changed = answer, True
        return written(method.response, passage, self._mutation.fault)

    def _asked(self, method: Method, raw: bytes, context: Any) -> Passage:
        metadata = _plain(context.invocation_metadata())
        fields = _texts(metadata)
        return Passage(
            at=frozenset({"request"}),
            binding="grpc",
            operations=method.operations,
            message=read(method.request, raw),
            raw=raw,
            fields=fields,
            tenant=fields.get(_TENANT),
        )

    def _scope(self) -> str:
        return f"grpc {next(self._scopes)}"


class _Methods(grpc.GenericRpcHandler):
    """Every method there is, in the shape that the protocol gives it; duplex where it is none of MIG's."""

    def __init__(self, proxy: GrpcProxy) -> None:
        self._proxy = proxy

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The handler of a method."""
        method = method_of(handler_call_details.method)
        shape = method.operation.shape if method.operation else "duplex"
        if shape == "unary":
            return grpc.unary_unary_rpc_method_handler(partial(self._proxy.unary, method))
        if shape == "server_stream":
            return grpc.unary_stream_rpc_method_handler(partial(self._proxy.subscription, method))
        return grpc.stream_stream_rpc_method_handler(partial(self._proxy.frames, method))


def _metadata(passage: Passage, context: Any) -> Metadata:
    """The metadata of a request as it goes on."""
    new = {**passage.new_fields, **({_TENANT: passage.new_tenant} if passage.new_tenant else {})}
    kept = [(name, value) for name, value in _plain(context.invocation_metadata()) if name not in new]
    added = [(name, value) for name, value in new.items() if value is not None]
    return (*kept, *added)


def _plain(metadata: Any) -> Metadata:
    return tuple(
        (name, value)
        for name, value in metadata or ()
        if not name.startswith(_TRANSPORTS_OWN) or name.endswith("-bin")
    )


def _texts(metadata: Metadata) -> dict[str, str]:
    return {name: value for name, value in metadata if isinstance(value, str)}


def _failed(error: aio.AioRpcError) -> Ending:
    return Ending(code=error.code(), text=error.details() or "", metadata=_plain(error.trailing_metadata()))


async def _next(call: Any) -> tuple[bytes, Ending | None]:
    """The next message, or how the call ended."""
    try:
        raw = await call.read()
    except aio.AioRpcError as failed:
        return b"", _failed(failed)
    if raw is not aio.EOF:  # type: ignore[attr-defined]
        return raw, None
    metadata = _plain(await call.trailing_metadata())
    return b"", Ending(code=await call.code(), text=await call.details() or "", metadata=metadata)


async def _open(context: Any, call: Any) -> None:
    await _told_at_first(context, await call.initial_metadata())


async def _told_at_first(context: Any, metadata: Any) -> None:
    if plain := _plain(metadata):
        await context.send_initial_metadata(plain)


async def _write(context: Any, raw: bytes) -> None:
    """To a client that may be gone: whoever cancels the call ends it."""
    try:
        await context.write(raw)
    except (aio.UsageError, aio.InternalError, asyncio.InvalidStateError):
        await asyncio.Event().wait()


async def _end(context: Any, ending: Ending) -> None:
    if ending.code is StatusCode.OK:
        context.set_trailing_metadata(ending.metadata)
    else:
        await context.abort(ending.code, ending.text, ending.metadata)


async def _never() -> Any:
    """Until the client goes away, or the proxy."""
    await asyncio.Event().wait()
