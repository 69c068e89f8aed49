"""The checks of what NATS does in its own way: subjects, NATS headers, streams on subjects of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mig_conformance.flaws import expect, same
from mig_conformance.smoke import judgements as judge
from mig_conformance.smoke.judgements import REFERENCE
from mig_conformance.smoke.nats_calls import NatsCalls
from mig_conformance.smoke.report import Check
from mig_protocol.messages import (
    CancelRequest,
    HelloResponse,
    InvokeRequest,
    InvokeResponse,
    MigErrorCode,
    PublishAck,
    PublishRequest,
    RequestHeader,
    StreamPreference,
)

_TEXT = "one two  three"
_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_SERVICES_S = 0.2
_INVOKE = f"invoke.{REFERENCE}"


class NatsChecks:
    """`new_id` gives ids that the server has never seen."""

    def __init__(self, calls: NatsCalls, new_id: Callable[[], str]) -> None:
        self._calls = calls
        self._new_id = new_id

    def all(self) -> list[Check]:
        return [
            Check("an empty body is an empty object", self.empty_body),
            Check("the header may come in NATS headers", self.header_in_headers),
            Check("the body's header wins over NATS headers", self.body_wins),
            Check("a tenant in NATS headers that is not the subject's is refused", self.foreign_header),
            Check("a NATS header out of bounds is refused, with its field", self.wrong_header),
            Check("a body that is no JSON is refused", self.no_json),
            Check("a capability that is not the subject's is refused", self.other_capability),
            Check("a mirrored event is not taken for a request", self.mirrored),
            Check("a stream goes to the subject that the caller chose", self.chosen_stream),
            Check("a stream of the server's choice waits for its caller", self.picked_stream),
            Check("a stream that is refused is not accepted first", self.refused_stream),
            Check("a stream cancelled beforehand is refused", self.cancelled_stream),
            Check("a stream_id that makes no subject is refused", self.wrong_stream_id),
            Check("the service is found by $SRV.INFO", self.service),
        ]

    async def empty_body(self) -> None:
        answer = await self._calls.ask(HelloResponse, "hello", b"")
        same("selected_version", answer.selected_version, "0.1")

    async def header_in_headers(self) -> None:
        fields: dict[str, Any] = {
            "message_id": self._new_id(),
            "session_id": "smoke-session",
            "traceparent": _TRACE,
        }
        answer = await self._calls.ask(InvokeResponse, _INVOKE, self._request(), fields)
        judge.echoed(answer.header, RequestHeader(**fields), self._calls.tenant)

    async def body_wins(self) -> None:
        header = RequestHeader(message_id=self._new_id())
        request = self._request(header=header)
        answer = await self._calls.ask(InvokeResponse, _INVOKE, request, {"message_id": self._new_id()})
        same("message_id", answer.header.message_id, header.message_id)

    async def foreign_header(self) -> None:
        other = {"tenant_id": "other" if self._calls.tenant != "other" else "another"}
        answer = self._calls.ask(InvokeResponse, _INVOKE, self._request(), other)
        await judge.refused(answer, MigErrorCode.MIG_FORBIDDEN)

    async def wrong_header(self) -> None:
        wrong = {"idempotency_key": "two words"}
        answer = self._calls.ask(InvokeResponse, _INVOKE, self._request(), wrong)
        fault = await judge.refused(answer, MigErrorCode.MIG_INVALID_REQUEST)
        judge.violations(fault, "/header/idempotency_key")

    async def no_json(self) -> None:
        for body in (b"{", b"nothing", b"\xff", b"[]"):
            answer = self._calls.ask(InvokeResponse, _INVOKE, body)
            await judge.refused(answer, MigErrorCode.MIG_INVALID_REQUEST)

    async def other_capability(self) -> None:
        answer = self._calls.ask(InvokeResponse, _INVOKE, self._request(capability="smoke.other"))
        await judge.refused(answer, MigErrorCode.MIG_INVALID_REQUEST)

    async def mirrored(self) -> None:
        topic = f"smoke.{self._new_id()}"
        marks = {"mig-origin": "smoke", "Nats-Msg-Id": self._new_id()}
        await self._calls.send(f"events.{topic}", b"{}", marks)
        request = PublishRequest(topic=topic, payload={"smoke": True})
        ack = await self._calls.ask(PublishAck, f"events.{topic}", request)
        same("the sequence of the first event", ack.sequence, 1)

    async def chosen_stream(self) -> None:
        stream_id, header = self._new_id(), RequestHeader(message_id=self._new_id())
        async with self._calls.frames(stream_id) as frames:
            accepted = await self._calls.stream(self._request(header=header, streamed=True), stream_id)
            same("stream_id", accepted.stream_id, stream_id)
            same("capability", accepted.capability, REFERENCE)
            judge.echoed(accepted.header, header, self._calls.tenant)
            found = [frame async for frame in frames]
        judge.reference_stream(found, stream_id, _TEXT)
        same("message_id", {one.header.message_id for one in found}, {header.message_id})

    async def picked_stream(self) -> None:
        accepted = await self._calls.stream(self._request(streamed=True))
        expect(accepted.stream_id, "the server names no stream")
        async with self._calls.frames(accepted.stream_id) as frames:
            found = [frame async for frame in frames]
        judge.reference_stream(found, accepted.stream_id, _TEXT)

    async def refused_stream(self) -> None:
        request = self._request(capability="smoke.no.such.capability", streamed=True)
        answer = self._calls.stream(request, self._new_id())
        await judge.refused(answer, MigErrorCode.MIG_UNSUPPORTED_CAPABILITY)

    async def cancelled_stream(self) -> None:
        header = RequestHeader(message_id=self._new_id())
        cancel = CancelRequest(target_message_id=header.message_id, reason="smoke")
        await self._calls.cancel(cancel)
        answer = self._calls.stream(self._request(header=header, streamed=True), self._new_id())
        judge.cancelled(await judge.refused(answer, MigErrorCode.MIG_TIMEOUT, retryable=False), "smoke")

    async def wrong_stream_id(self) -> None:
        for stream_id in ("*", "a..b", ">"):
            answer = self._calls.stream(self._request(streamed=True), stream_id)
            await judge.refused(answer, MigErrorCode.MIG_INVALID_REQUEST)

    async def service(self) -> None:
        found = await self._calls.services(_SERVICES_S)
        subjects = {one.get("subject") for info in found for one in info.get("endpoints") or ()}
        expect("mig.v0_1.*.hello" in subjects, f"{len(found)} services answer, and none serves HELLO")

    def _request(self, *, streamed: bool = False, **fields: Any) -> InvokeRequest:
        given = {"capability": REFERENCE, "payload": {"input": _TEXT}, **fields}
        if streamed:
            given["stream_preference"] = StreamPreference.server_stream
        return InvokeRequest(**given)
