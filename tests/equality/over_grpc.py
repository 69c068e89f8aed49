"""The compared calls over gRPC: bytes through grpcio, messages by the proto file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from grpc import aio

from equality.asked import Asked, JsonObject, Who
from equality.frames import FrameConnection
from equality.outcome import UNSEEN, Outcome
from equality.protobuf import FORMS, decoded, encoded
from equality.transport import beside, event_seen
from mig_protocol import convert
from support.grpc_client import error_in, header_in, trailing
from support.until import until

_STREAM = FORMS["STREAM"]
_SUBSCRIBE = FORMS["SUBSCRIBE"]
Metadata = tuple[tuple[str, str], ...]


class _Call(FrameConnection):
    """One StreamInvoke call."""

    def __init__(self, call: Any) -> None:
        super().__init__()
        self._call = call
        self._pump = asyncio.create_task(self._receive())

    async def send(self, frame: JsonObject | bytes) -> None:
        data = (
            frame
            if isinstance(frame, bytes)
            else encoded(_STREAM.request, frame, extra="nobody_knows_this" in frame)
        )
        try:
            await self._call.write(data)
        except (aio.AioRpcError, asyncio.InvalidStateError):
            # Refused already; `_receive` has the reason.
            return

    async def close(self) -> None:
        self._call.cancel()
        await self._pump

    async def _receive(self) -> None:
        try:
            async for data in self._call:
                self.deliver(decoded(_STREAM, data))
        except aio.AioRpcError as status:
            self.fail(replace(_refusal(status), error_header=UNSEEN))
        except asyncio.CancelledError:
            # grpcio's word for a call that was cancelled here.
            return


class OverGrpc:
    """One tenant's calls. `subscriptions` counts the tenant's subscriptions that the gateway knows of."""

    def __init__(self, channel: aio.Channel, who: Who, subscriptions: Callable[[str], int]) -> None:
        self._channel: Any = channel
        self._who = who
        self._subscriptions = subscriptions
        self._streams: dict[Metadata, _Call] = {}

    async def ask(self, asked: Asked) -> Outcome:
        form = FORMS[asked.operation]
        metadata, header = self._metadata(asked)
        data = encoded(form.request, {**asked.body, **header}, extra=asked.extra)
        try:
            answer = decoded(form, await self._channel.unary_unary(form.path)(data, metadata=metadata))
        except aio.AioRpcError as status:
            return _refusal(status)
        return Outcome(answer=answer, beside=beside(answer), retry_after=False)

    async def garbage(self, asked: Asked, body: bytes) -> Outcome:
        """What is not a message at all."""
        metadata, _ = self._metadata(asked)
        try:
            await self._channel.unary_unary(FORMS[asked.operation].path)(body, metadata=metadata)
        except aio.AioRpcError as status:
            return _refusal(status)
        raise AssertionError("it was taken for a message")

    async def stream(self, asked: Asked, stream_id: str, inputs: Sequence[JsonObject]) -> Outcome:
        first = {**asked.body, "kind": "request", "stream_id": stream_id, "end_stream": not inputs}
        further = [
            {"kind": "request", "stream_id": stream_id, "payload": item, "end_stream": number == len(inputs)}
            for number, item in enumerate(inputs, 1)
        ]
        return await self._exchange(asked, stream_id, [first, *further])

    async def frame(self, asked: Asked, stream_id: str, frame: JsonObject) -> Outcome:
        return await self._exchange(asked, stream_id, [{**frame, "stream_id": stream_id}])

    async def _exchange(self, asked: Asked, stream_id: str, frames: Sequence[JsonObject]) -> Outcome:
        metadata, header = self._metadata(asked, lasting=True)
        if metadata not in self._streams:
            call = self._channel.stream_stream(_STREAM.path)(metadata=metadata)
            self._streams[metadata] = _Call(call)
        message_id = header.get("header", {}).get("message_id")
        extra = {"nobody_knows_this": 1} if asked.extra else {}
        frames = [{**frame, **header, **extra} for frame in frames]
        outcome = await self._streams[metadata].exchange(stream_id or f"stream-{message_id}", frames)
        if self._streams[metadata].failed:
            del self._streams[metadata]
        return outcome

    async def subscribe(self, asked: Asked) -> GrpcSubscription | Outcome:
        metadata, header = self._metadata(asked)
        data = encoded(_SUBSCRIBE.request, {**asked.body, **header})
        before = self._subscriptions(self._who.own)
        call = self._channel.unary_stream(_SUBSCRIBE.path)(data, metadata=metadata)
        # Nothing else tells a subscription that waits for its first event from one that is being refused.
        await until(lambda: call.done() or self._subscriptions(self._who.own) > before)
        subscription = GrpcSubscription(call)
        return await subscription.refusal() if call.done() else subscription

    async def close(self) -> None:
        for call in self._streams.values():
            await call.close()

    def _metadata(self, asked: Asked, *, lasting: bool = False) -> tuple[Metadata, JsonObject]:
        """The metadata, and the field `header`. What a lasting call carried would be every frame's."""
        pairs = [("x-tenant-id", self._who.own)] if asked.named else []
        authorization = self._who.authorization(asked.credential)
        if authorization is not None:
            pairs.append(("authorization", authorization))
        header = asked.header_for(self._who)
        if header is not None and asked.carried and not lasting and "traceparent" in header:
            pairs.append(("traceparent", header["traceparent"]))
            header = {name: value for name, value in header.items() if name != "traceparent"}
        return tuple(pairs), {} if header is None else {"header": header}


class GrpcSubscription:
    """The events of one Subscribe call."""

    def __init__(self, call: Any) -> None:
        self._call = call

    async def next(self) -> JsonObject:
        data = await self._call.read()
        if not isinstance(data, bytes):
            raise EOFError
        return event_seen("mig-event", decoded(_SUBSCRIBE, data))

    async def refusal(self) -> Outcome:
        try:
            await self._call.read()
        except aio.AioRpcError as status:
            return _refusal(status)
        raise AssertionError("the subscription ended without a reason")

    async def close(self) -> None:
        self._call.cancel()


def _refusal(status: aio.AioRpcError) -> Outcome:
    """The MigError and the MessageHeader in the status details; code and message of the status agree."""
    return Outcome(
        error=msgspec.to_builtins(convert.mig_error_from_pb(error_in(status))),
        error_header=msgspec.to_builtins(convert.message_header_from_pb(header_in(status))),
        retry_after="retry-after" in trailing(status),
    )
