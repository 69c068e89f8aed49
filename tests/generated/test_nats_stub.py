"""The NATS stub without any server: an exchange in, a reply out."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import Any

import pytest
from msgspec import UNSET

from mig_protocol import subjects
from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    CancelRequest,
    ErrorEnvelope,
    HeartbeatAck,
    HeartbeatRequest,
    InvokeRequest,
    InvokeResponse,
    MigErrorCode,
)
from mig_protocol.nats_server import NatsReply, NatsStub
from mig_protocol.nats_service import SERVED, NatsExchange, NatsService
from mig_protocol.operations import OPERATION_BY_ID
from support.scripted_http import answered

LIMIT = 1024
INVOKE = "mig.v0_1.acme.invoke.a.b"


def _not_here(_self: Any, _exchange: NatsExchange, _request: Any) -> Any:
    raise MigFault(MigErrorCode.MIG_UNAVAILABLE, "not part of this test")


_Bare: Any = type("_Bare", (NatsService,), dict.fromkeys(NatsService.__abstractmethods__, _not_here))


class Scripted(_Bare):  # type: ignore[misc]
    """Answers what it was asked, at once or later; counts the refusals."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.faults: list[MigFault] = []

    def failed(self, exchange: NatsExchange, fault: MigFault) -> ErrorEnvelope:
        self.faults.append(fault)
        return ErrorEnvelope(header=answered(exchange.carried or UNSET), error=fault.error())

    def invoke(self, _: NatsExchange, request: InvokeRequest) -> Any:
        self.requests.append(request)
        if request.capability == "a.broken":
            raise RuntimeError("a secret of ours")
        answer = InvokeResponse(
            header=answered(request.header), capability=str(request.capability), payload={}
        )
        return self._later(answer) if request.capability == "a.later" else answer

    def cancel(self, _: NatsExchange, request: CancelRequest) -> Any:
        self.requests.append(request)
        return self._later(None)

    def heartbeat(self, _: NatsExchange, request: HeartbeatRequest) -> HeartbeatAck:
        return HeartbeatAck(header=answered(request.header), suggested_interval_ms=1, load_factor=0.0)

    async def _later(self, answer: Any) -> Any:
        return answer


@pytest.fixture
def service() -> Scripted:
    return Scripted()


def ask(
    service: Scripted, subject: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> NatsReply | Awaitable[NatsReply | None]:
    operation = subjects.parse(subject).operation if "x" * 65 not in subject else "INVOKE"
    exchange = NatsExchange(operation, subject, headers, len(body))
    return NatsStub(service, max_body_bytes=LIMIT).handle(exchange, body)


def at_once(service: Scripted, subject: str, body: bytes = b"", headers: Any = None) -> NatsReply:
    reply = ask(service, subject, body, headers)
    assert isinstance(reply, NatsReply)
    return reply


def test_the_table_is_the_subscriptions_of_the_subjects() -> None:
    assert {row.operation: row.subject for row in SERVED} == dict(subjects.SUBSCRIPTIONS)
    for row in SERVED:
        assert OPERATION_BY_ID[row.operation].method == row.method
        assert row.queue == ("" if row.operation == "CANCEL" else "mig-gateways")


def test_the_subject_and_the_headers_fill_what_the_body_leaves_out(service: Scripted) -> None:
    reply = at_once(service, INVOKE, b"", {"message_id": "m", "session_id": "s", "other": "x"})
    (request,) = service.requests
    assert (request.capability, request.header.message_id, request.header.session_id) == ("a.b", "m", "s")
    assert reply.fault is None
    assert reply.fields == {
        "mig_version": "0.1",
        "message_id": "m",
        "tenant_id": "unknown",
        "session_id": "s",
    }
    assert json.loads(reply.body)["capability"] == "a.b"


async def test_an_awaitable_is_answered_later_or_by_another(service: Scripted) -> None:
    later = ask(service, "mig.v0_1.acme.invoke.a.later")
    assert isinstance(later, Awaitable)
    reply = await later
    assert reply is not None
    assert json.loads(reply.body)["capability"] == "a.later"
    elsewhere = ask(service, "mig.v0_1.acme.control.cancel.m-1")
    assert isinstance(elsewhere, Awaitable)
    assert await elsewhere is None
    assert service.requests[-1].target_message_id == "m-1"


@pytest.mark.parametrize(
    ("subject", "body", "headers", "code"),
    [
        (INVOKE, b"{", None, "MIG_INVALID_REQUEST"),
        (INVOKE, b'{"capability": "a.c"}', None, "MIG_INVALID_REQUEST"),
        (INVOKE, b" " * (LIMIT + 1), None, "MIG_INVALID_REQUEST"),
        (INVOKE, b"", {"message_id": "a b"}, "MIG_INVALID_REQUEST"),
        (INVOKE, b"", {"tenant_id": "other"}, "MIG_FORBIDDEN"),
        (f"mig.v0_1.{'x' * 65}.invoke.a.b", b"", None, "MIG_INVALID_REQUEST"),
        ("mig.v0_1.acme.invoke.a.broken", b"", None, "MIG_INTERNAL"),
        ("mig.v0_1.acme.events.a.b", b"", None, "MIG_UNAVAILABLE"),
    ],
)
def test_whatever_is_wrong_is_one_envelope(
    service: Scripted, subject: str, body: bytes, headers: Any, code: str
) -> None:
    reply = at_once(service, subject, body, headers)
    assert [fault.code.value for fault in service.faults] == [code]
    assert reply.fault is service.faults[0]
    assert json.loads(reply.body)["error"]["code"] == code
    assert b"secret" not in reply.body
