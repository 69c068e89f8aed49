"""The checks of the unary operations, the same over every binding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mig_conformance.flaws import expect, same
from mig_conformance.smoke import judgements as judge
from mig_conformance.smoke.calls import Calls
from mig_conformance.smoke.judgements import REFERENCE
from mig_conformance.smoke.report import Check
from mig_protocol import MIG_VERSION
from mig_protocol.messages import (
    BindingType,
    CancelRequest,
    CancelStatus,
    DiscoverRequest,
    HeartbeatRequest,
    HelloRequest,
    InvokeRequest,
    MigErrorCode,
    PublishRequest,
    RequestHeader,
)

_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class UnaryChecks:
    """`binding` is the one that the calls go over; `new_id` gives ids that the server has never seen."""

    def __init__(self, calls: Calls, binding: BindingType, new_id: Callable[[], str]) -> None:
        self._calls = calls
        self._binding = binding
        self._new_id = new_id

    def all(self) -> list[Check]:
        """In an order that reads from the handshake to the details."""
        return [
            Check("hello selects version, binding and features", self.hello),
            Check("hello refuses versions that nobody speaks", self.hello_version),
            Check("discover lists the reference capability, sorted", self.discover),
            Check("discover filters by part of an id", self.discover_query),
            Check("invoke answers with the payload", self.invoke),
            Check("the answer's header is the request's, normalised", self.header),
            Check("a request without a header gets a message id of its own", self.no_header),
            Check("another mig_version is refused", self.version),
            Check("a tenant that is not the transport's is refused", self.foreign_tenant),
            Check("an unknown capability is refused", self.unknown_capability),
            Check("a payload that breaks its schema is refused, with the place", self.wrong_payload),
            Check("an idempotency key gives the first answer again", self.idempotency),
            Check("an idempotency key is not taken for another payload", self.idempotency_conflict),
            Check("publish numbers the events of a topic", self.publish),
            Check("a repeated publish is acknowledged once more and not appended", self.publish_repeated),
            Check("a topic without a namespace is refused", self.plain_topic),
            Check("cancel before the invocation refuses it when it comes", self.cancel_pending),
            Check("cancel after the invocation says that it is too late", self.cancel_completed),
            Check("heartbeat keeps the interval within bounds", self.heartbeat),
        ]

    async def hello(self) -> None:
        request = HelloRequest(
            header=self._header(),
            supported_versions=["9.9", MIG_VERSION],
            requested_bindings=[self._binding],
            requested_features=["streaming", "no-such-feature", "cancel"],
        )
        first, second = await self._calls.hello(request), await self._calls.hello(request)
        same("selected_version", first.selected_version, MIG_VERSION)
        same("selected_binding", first.selected_binding, self._binding)
        enabled = first.enabled_features
        expect("no-such-feature" not in enabled, "a feature that nobody knows is enabled")
        expect(set(enabled) <= {"streaming", "cancel"}, f"{enabled} is more than was requested")
        expect(isinstance((first.header.meta or {}).get("mig.profiles"), list), "no meta 'mig.profiles'")
        for field in ("selected_version", "selected_binding", "enabled_features", "server_id"):
            same(f"{field} of a second hello", getattr(second, field), getattr(first, field))

    async def hello_version(self) -> None:
        request = HelloRequest(header=self._header(), supported_versions=["9.9"])
        await judge.refused(self._calls.hello(request), MigErrorCode.MIG_VERSION_MISMATCH)

    async def discover(self) -> None:
        answer = await self._calls.discover(DiscoverRequest(header=self._header()))
        ids = [descriptor.id for descriptor in answer.capabilities]
        same("the order of the ids", ids, sorted(ids))
        expect(REFERENCE in ids, f"{REFERENCE} is not among {ids}")
        judge.reference_descriptor(answer.capabilities[ids.index(REFERENCE)])

    async def discover_query(self) -> None:
        found = await self._calls.discover(DiscoverRequest(header=self._header(), query="OBSERVATORY.models"))
        ids = [descriptor.id for descriptor in found.capabilities]
        expect(REFERENCE in ids, f"the query does not find {REFERENCE}")
        expect(all("observatory.models" in each.lower() for each in ids), f"it finds {ids}")
        none = await self._calls.discover(DiscoverRequest(header=self._header(), query=self._new_id()))
        same("the capabilities of a query that fits none", none.capabilities, [])

    async def invoke(self) -> None:
        payload = {"input": "smoke", "list": [1, 2.5, None, True], "nested": {"é": "☕"}}
        answer = await self._calls.invoke(self._invocation(payload))
        same("capability", answer.capability, REFERENCE)
        judge.reference_answer(answer.payload, payload)
        judge.reference_schema(answer.result_schema_uri)

    async def header(self) -> None:
        header = self._header(
            session_id="smoke-session",
            traceparent=_TRACE,
            deadline_ms=12345,
            meta={"smoke.note": {"kept": [True]}, "idg.product_tier": "forged"},
        )
        answer = await self._calls.invoke(self._invocation(header=header))
        judge.echoed(answer.header, header, self._calls.tenant)

    async def no_header(self) -> None:
        bare = InvokeRequest(capability=REFERENCE, payload={"input": "smoke"})
        first, second = await self._calls.invoke(bare), await self._calls.invoke(bare)
        judge.echoed(first.header, RequestHeader(), self._calls.tenant)
        expect(first.header.message_id != second.header.message_id, "two calls share a message id")
        same("deadline_ms", first.header.deadline_ms, 30000)

    async def version(self) -> None:
        request = self._invocation(header=self._header(mig_version="0.2"))
        await judge.refused(self._calls.invoke(request), MigErrorCode.MIG_VERSION_MISMATCH)

    async def foreign_tenant(self) -> None:
        other = "other" if self._calls.tenant != "other" else "another"
        request = self._invocation(header=self._header(tenant_id=other))
        await judge.refused(self._calls.invoke(request), MigErrorCode.MIG_FORBIDDEN)

    async def unknown_capability(self) -> None:
        request = InvokeRequest(header=self._header(), capability="smoke.no.such.capability")
        await judge.refused(self._calls.invoke(request), MigErrorCode.MIG_UNSUPPORTED_CAPABILITY)

    async def wrong_payload(self) -> None:
        answer = self._calls.invoke(self._invocation({"input": 7}))
        judge.violations(await judge.refused(answer, MigErrorCode.MIG_INVALID_REQUEST), "/input")

    async def idempotency(self) -> None:
        key = self._new_id()
        first = await self._calls.invoke(self._invocation(header=self._header(idempotency_key=key)))
        again = await self._calls.invoke(self._invocation(header=self._header(idempotency_key=key)))
        same("the payload of the second answer", again.payload, first.payload)
        for answer, wanted in ((first, None), (again, True)):
            replayed = (answer.header.meta or {}).get("mig.idempotent_replay")
            same("meta 'mig.idempotent_replay'", replayed, wanted)

    async def idempotency_conflict(self) -> None:
        key = self._new_id()
        await self._calls.invoke(self._invocation(header=self._header(idempotency_key=key)))
        other = self._invocation({"input": "other"}, header=self._header(idempotency_key=key))
        await judge.refused(self._calls.invoke(other), MigErrorCode.MIG_INVALID_REQUEST)

    async def publish(self) -> None:
        topic = f"smoke.{self._new_id()}"
        acks = [await self._calls.publish(self._event(topic)) for _ in range(3)]
        same("the sequences", [ack.sequence for ack in acks], [1, 2, 3])
        expect(all(ack.accepted for ack in acks), "an event is not accepted")
        same("topic", {ack.topic for ack in acks}, {topic})
        same("how many event ids there are", len({ack.event_id for ack in acks}), 3)

    async def publish_repeated(self) -> None:
        topic, key = f"smoke.{self._new_id()}", self._new_id()
        first = await self._calls.publish(self._event(topic, idempotency_key=key))
        again = await self._calls.publish(self._event(topic, idempotency_key=key))
        last = await self._calls.publish(self._event(topic))
        same("event_id", again.event_id, first.event_id)
        same("the sequences", [first.sequence, again.sequence, last.sequence], [1, 1, 2])

    async def plain_topic(self) -> None:
        await judge.refused(self._calls.publish(self._event("smoke")), MigErrorCode.MIG_INVALID_REQUEST)

    async def cancel_pending(self) -> None:
        target = self._new_id()
        ack = await self._calls.cancel(
            CancelRequest(header=self._header(), target_message_id=target, reason="smoke")
        )
        same("target_message_id", ack.target_message_id, target)
        same("(accepted, status)", (ack.accepted, ack.status), (True, CancelStatus.pending))
        late = self._calls.invoke(self._invocation(header=self._header(message_id=target)))
        fault = await judge.refused(late, MigErrorCode.MIG_TIMEOUT, retryable=False)
        judge.cancelled(fault, "smoke")

    async def cancel_completed(self) -> None:
        header = self._header()
        await self._calls.invoke(self._invocation(header=header))
        ack = await self._calls.cancel(
            CancelRequest(header=self._header(), target_message_id=header.message_id)
        )
        same("(accepted, status)", (ack.accepted, ack.status), (False, CancelStatus.completed))

    async def heartbeat(self) -> None:
        suggested = []
        for interval_ms in (1, 5000, 4_000_000_000):
            ack = await self._calls.heartbeat(
                HeartbeatRequest(header=self._header(), interval_ms=interval_ms)
            )
            expect(0 <= ack.load_factor <= 1, f"load_factor is {ack.load_factor}")
            suggested.append(ack.suggested_interval_ms)
        least, usual, most = suggested
        expect(1 <= least <= usual <= most < 4_000_000_000, f"the intervals suggested are {suggested}")
        absent = await self._calls.heartbeat(HeartbeatRequest(header=self._header()))
        same("the interval where none is asked for", absent.suggested_interval_ms, usual)

    def _header(self, **fields: Any) -> RequestHeader:
        return RequestHeader(**{"message_id": self._new_id(), **fields})

    def _invocation(
        self, payload: dict[str, Any] | None = None, header: RequestHeader | None = None
    ) -> InvokeRequest:
        return InvokeRequest(
            header=header or self._header(), capability=REFERENCE, payload=payload or {"input": "smoke"}
        )

    def _event(self, topic: str, **header: Any) -> PublishRequest:
        return PublishRequest(header=self._header(**header), topic=topic, payload={"smoke": True})
