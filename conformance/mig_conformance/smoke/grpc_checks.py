"""The checks of what gRPC does in its own way: metadata, StreamInvoke, Subscribe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from mig_conformance.flaws import expect, same
from mig_conformance.smoke import judgements as judge
from mig_conformance.smoke.grpc_calls import FrameCall, GrpcCalls
from mig_conformance.smoke.judgements import REFERENCE
from mig_conformance.smoke.report import Check
from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    CancelRequest,
    EventMessage,
    FrameKind,
    HelloRequest,
    MigErrorCode,
    PublishRequest,
    RequestFrame,
    RequestHeader,
    StreamFrame,
    SubscribeRequest,
)

_TEXT = "one two  three"


class GrpcChecks:
    """`nobody` calls without naming a tenant and `other` as another one; both None where callers have
    tokens, which name their tenant.
    """

    def __init__(
        self,
        calls: GrpcCalls,
        *,
        nobody: GrpcCalls | None,
        other: GrpcCalls | None,
        new_id: Callable[[], str],
    ) -> None:
        self._calls = calls
        self._nobody = nobody
        self._other = other
        self._new_id = new_id

    def all(self) -> list[Check]:
        checks = [
            Check("a stream is response frames in order and one terminal frame", self.stream),
            Check("many streams share a call", self.streams),
            Check("a stream without an id is named after its message", self.unnamed_stream),
            Check("an unknown capability is one error frame", self.failed_stream),
            Check("a frame that is the server's is refused and the call stays up", self.wrong_frame),
            Check("a stream cancelled beforehand ends with its error frame", self.cancelled_stream),
            Check("a control frame for a stream that is over says so", self.late_control),
            Check("subscribe replays from a cursor and goes on live", self.replay),
            Check("an event is what its publisher was told", self.event),
            Check("subscribe without a cursor starts now", self.from_now_on),
            Check("a cursor that is no number is refused", self.wrong_cursor),
        ]
        if self._nobody is not None:
            checks.append(Check("a call without a tenant is refused", self.no_tenant))
        if self._other is not None:
            checks.append(Check("a tenant does not see another's events", self.isolation))
        return checks

    async def stream(self) -> None:
        with_id = self._new_id()
        async with self._frames() as frames:
            await frames.send(self._request(with_id))
            judge.reference_stream(await frames.until_end(with_id), with_id, _TEXT)

    async def streams(self) -> None:
        ids = [self._new_id() for _ in range(8)]
        found: dict[str, list[StreamFrame]] = {each: [] for each in ids}
        async with self._frames() as frames:
            for each in ids:
                await frames.send(self._request(each))
            ended = 0
            while ended < len(ids):
                frame = await frames.receive()
                expect(frame.stream_id in found, f"a frame of the unknown stream {frame.stream_id!r}")
                found[frame.stream_id].append(frame)
                ended += frame.end_stream
        for each in ids:
            judge.reference_stream(found[each], each, _TEXT)

    async def unnamed_stream(self) -> None:
        message_id = self._new_id()
        async with self._frames() as frames:
            await frames.send(self._request("", header=RequestHeader(message_id=message_id)))
            frame = await frames.receive()
        same("stream_id", frame.stream_id, f"stream-{message_id}")
        same("header.message_id", frame.header.message_id, message_id)

    async def failed_stream(self) -> None:
        with_id = self._new_id()
        async with self._frames() as frames:
            await frames.send(self._request(with_id, capability="smoke.no.such.capability"))
            found = await frames.until_end(with_id)
        same("how many frames there are", len(found), 1)
        judge.refusal(_fault(found[0]), MigErrorCode.MIG_UNSUPPORTED_CAPABILITY)

    async def wrong_frame(self) -> None:
        wrong, right = self._new_id(), self._new_id()
        async with self._frames() as frames:
            await frames.send(RequestFrame(kind=FrameKind.response, stream_id=wrong, payload={}))
            judge.refusal(_fault((await frames.until_end(wrong))[-1]), MigErrorCode.MIG_INVALID_REQUEST)
            await frames.send(
                RequestFrame(kind=FrameKind.control, stream_id=wrong, payload={"action": "dance"})
            )
            judge.refusal(_fault((await frames.until_end(wrong))[-1]), MigErrorCode.MIG_INVALID_REQUEST)
            await frames.send(self._request(right))
            judge.reference_stream(await frames.until_end(right), right, _TEXT)

    async def cancelled_stream(self) -> None:
        target, with_id = self._new_id(), self._new_id()
        await self._calls.cancel(CancelRequest(target_message_id=target, reason="smoke"))
        async with self._frames() as frames:
            await frames.send(self._request(with_id, header=RequestHeader(message_id=target)))
            found = await frames.until_end(with_id)
        same("how many frames there are", len(found), 1)
        judge.cancelled(_fault(found[0]), "smoke")

    async def late_control(self) -> None:
        with_id = self._new_id()
        async with self._frames() as frames:
            await frames.send(self._request(with_id))
            await frames.until_end(with_id)
            cancel = RequestFrame(kind=FrameKind.control, stream_id=with_id, payload={"action": "cancel"})
            await frames.send(cancel)
            (answer,) = await frames.until_end(with_id)
        same("kind", answer.kind, FrameKind.control)
        same("payload", answer.payload, {"accepted": False, "status": "completed"})

    async def replay(self) -> None:
        topic = f"smoke.{self._new_id()}"
        for number in range(1, 4):
            await self._publish(self._calls, topic, number)
        async with self._subscribed(self._calls, topic, "1") as events:
            judge.in_sequence([await anext(events) for _ in range(2)], [2, 3], replay=True)
            await self._publish(self._calls, topic, 4)
            judge.in_sequence([await anext(events)], [4], replay=False)

    async def event(self) -> None:
        topic = f"smoke.{self._new_id()}"
        header = RequestHeader(message_id=self._new_id(), session_id="smoke-session")
        request = PublishRequest(header=header, topic=topic, payload={"n": 1, "text": "☕"})
        ack = await self._calls.publish(request)
        async with self._subscribed(self._calls, topic, "0") as events:
            event = await anext(events)
        same("topic", event.topic, topic)
        same("event_id", event.event_id, ack.event_id)
        same("payload", event.payload, request.payload)
        same("header.message_id", event.header.message_id, header.message_id)
        same("header.session_id", event.header.session_id, header.session_id)
        same("header.tenant_id", event.header.tenant_id, self._calls.tenant)

    async def from_now_on(self) -> None:
        topic = f"smoke.{self._new_id()}"
        await self._publish(self._calls, topic, 0)
        async with self._subscribed(self._calls, topic, "") as events:
            first = asyncio.ensure_future(anext(events))
            number = 1
            # A server need not say when it has taken the position: one of these is the first after it.
            while not first.done():
                await self._publish(self._calls, topic, number)
                await asyncio.wait({first}, timeout=0.05)
                number += 1
            event = first.result()
        expect(event.sequence > 1, "an event from before the subscription is given")
        same("replay", event.replay, False)

    async def wrong_cursor(self) -> None:
        async with self._subscribed(self._calls, f"smoke.{self._new_id()}", "yesterday") as events:
            await judge.refused(anext(events), MigErrorCode.MIG_INVALID_REQUEST)

    async def no_tenant(self) -> None:
        if self._nobody is not None:
            await judge.refused(self._nobody.hello(HelloRequest()), MigErrorCode.MIG_INVALID_REQUEST)

    async def isolation(self) -> None:
        if self._other is None:
            return
        topic = f"smoke.{self._new_id()}"
        await self._publish(self._other, topic, 1)
        ack = await self._publish(self._calls, topic, 2)
        same("the sequence of a tenant's first event", ack, 1)
        async with self._subscribed(self._calls, topic, "0") as events:
            event = await anext(events)
        same("the payload of a tenant's first event", event.payload, {"n": 2})

    def _request(self, stream_id: str, **fields: Any) -> RequestFrame:
        given = {"capability": REFERENCE, "payload": {"input": _TEXT}, **fields}
        return RequestFrame(kind=FrameKind.request, stream_id=stream_id, **given)

    @asynccontextmanager
    async def _frames(self) -> AsyncIterator[FrameCall]:
        frames = self._calls.streams()
        try:
            yield frames
        finally:
            frames.close()

    @asynccontextmanager
    async def _subscribed(
        self, calls: GrpcCalls, topic: str, cursor: str
    ) -> AsyncIterator[AsyncIterator[EventMessage]]:
        events = calls.subscribe(SubscribeRequest(topic=topic, resume_cursor=cursor))
        try:
            yield events
        finally:
            await events.aclose()

    async def _publish(self, calls: GrpcCalls, topic: str, number: int) -> int:
        return (await calls.publish(PublishRequest(topic=topic, payload={"n": number}))).sequence


def _fault(frame: StreamFrame) -> MigFault:
    """The error of a terminal error frame."""
    same("kind", frame.kind, FrameKind.error)
    same("end_stream", frame.end_stream, True)
    return judge.fault_of(frame)
