"""Whole requests: what of path, query, header fields, subject and body an outsider chooses.

An input is its parts, a line each: for HTTP the method and the target, header fields, an empty line and the
body, as the protocol itself has it; for NATS the subject in place of the first line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from fuzz.decoders.messages import all_vectors
from fuzz.decoders.service import is_refused_well, service_of
from fuzz.decoders.target import FindingError, Target
from mig_protocol import subjects
from mig_protocol.errors import MigFault
from mig_protocol.http_server import Exchange, HttpService, HttpStub
from mig_protocol.nats_server import NatsReply, NatsStub
from mig_protocol.nats_service import NatsExchange, NatsService

_LIMIT = 1 << 16
_TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_FIELDS = (
    b"x-tenant-id: acme\nmig-message-id: m-1\nmig-session-id: s-1\nmig-deadline-ms: 500\n"
    b"idempotency-key: k\ntraceparent: " + _TRACE + b"\nlast-event-id: 7\n"
)
_TARGETS = (
    b"POST /mig/v0.1/hello",
    b"POST /mig/v0.1/invoke/observatory.models.infer",
    b"POST /mig/v0.1/invoke/%6fbservatory.models%2Einfer",
    b"POST /mig/v0.1/publish/orders.eu",
    b"POST /mig/v0.1/cancel/m-1",
    b"GET /mig/v0.1/subscribe/orders.eu?resume_cursor=7&consumer_id=c&max_inflight=3",
    b"GET /admin/v0.1/connections?tenant_id=acme&protocol=http&kind=ws_stream",
    b"GET /pro/v0.1/audit/export?tenant_id=acme&limit=10",
    b"GET /readyz",
    b"HEAD /healthz",
)


@cache
def _http_stub() -> Any:
    return HttpStub(service_of(HttpService), max_body_bytes=_LIMIT)


@cache
def _nats_stub() -> Any:
    return NatsStub(service_of(NatsService), max_body_bytes=_LIMIT)


def _parts(data: bytes) -> tuple[bytes, list[tuple[bytes, bytes]], bytes]:
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    fields = [
        (name.strip().lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)
    ]
    return first, fields, body


def _http(data: bytes) -> None:
    first, fields, body = _parts(data)
    method, _, target = first.decode("latin-1").partition(" ")
    path, _, query = target.partition("?")
    exchange = Exchange(method, path, query.encode("latin-1"), fields)
    stub = _http_stub()
    is_refused_well(stub.service, stub.handle(exchange, body))


def _nats(data: bytes) -> None:
    first, fields, body = _parts(data)
    subject = first.decode(errors="replace")
    carried = {name.decode(errors="replace"): value.decode(errors="replace") for name, value in fields}
    stub = _nats_stub()
    for operation in subjects.SUBSCRIPTIONS:
        exchange = NatsExchange(operation, subject, carried, len(body))
        reply = stub.handle(exchange, body)
        is_refused_well(stub.service, reply)
        if isinstance(reply, NatsReply):
            json.loads(reply.body)


def _subject(data: bytes) -> None:
    """What is taken apart is put together again as it was."""
    text = data.decode(errors="replace")
    try:
        parsed = subjects.parse(text)
    except MigFault:
        return
    build = subjects.events if parsed.operation == "PUBLISH" else getattr(subjects, parsed.operation.lower())
    built = build(parsed.tenant, *parsed.params.values())
    if built != text:
        raise FindingError(f"{text!r} is read as {parsed}, which is {built!r}")


def _http_seeds() -> Iterator[bytes]:
    bodies = [row.body for vectors in all_vectors() if vectors.operation for row in vectors.valid[:2]]
    for target in _TARGETS:
        yield target + b"\n" + _FIELDS + b"\n" + bodies[0]
        yield target + b"\n\n"
    for body in bodies:
        yield _TARGETS[1] + b"\nx-tenant-id: acme\n\n" + body


def _nats_seeds() -> Iterator[bytes]:
    body = b'{"header": {"tenant_id": "acme"}, "payload": {"input": "hello"}}'
    for subject in _subjects():
        yield subject + b"\nmessage_id: m-1\ntenant_id: acme\ntraceparent: " + _TRACE + b"\n\n" + body


def _subjects() -> Iterator[bytes]:
    yield b"mig.v0_1.acme.hello"
    yield b"mig.v0_1.acme.discover"
    yield b"mig.v0_1.acme.invoke.observatory.models.infer"
    yield b"mig.v0_1.acme.events.orders.eu"
    yield b"mig.v0_1.acme.control.cancel.m-1"
    yield b"mig.v0_1.acme.control.heartbeat"


HTTP = Target(name="http", decode=_http, seeds=_http_seeds)
NATS = Target(name="nats", decode=_nats, seeds=_nats_seeds)
SUBJECT = Target(name="subject", decode=_subject, seeds=_subjects)
