"""Does a running server take the valid messages over NATS, and refuse the malformed ones as it has to?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from nats.aio.client import Client
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from mig_conformance import reference
from mig_conformance.errors import envelope_flaws
from mig_conformance.requests import TENANT, NotExpressibleError, named_tenant, path_value
from mig_conformance.vectors import Malformed, Valid, Vectors
from mig_conformance.verdict import Verdict
from mig_protocol import subjects
from mig_protocol.errors import MigFault
from mig_protocol.operations import OPERATIONS, Operation

_PATIENCE_S = 10.0
_REQUESTS = {
    operation.id: operation
    for operation in OPERATIONS
    if operation.nats is not None and operation.shape == "unary"
}


def over_nats(all_vectors: Iterable[Vectors]) -> list[Vectors]:
    """Those that are requests over NATS."""
    return [vectors for vectors in all_vectors if vectors.operation in _REQUESTS]


async def judge_nats(vectors: Vectors, client: Client) -> list[Verdict]:
    """One verdict for each row. The server must not authenticate its callers."""
    operation = _REQUESTS[str(vectors.operation)]
    return [await _judge(vectors, operation, row, client) for row in vectors.to_send]


async def _judge(vectors: Vectors, operation: Operation, row: Valid | Malformed, client: Client) -> Verdict:
    try:
        subject = _subject(operation, row)
    except NotExpressibleError as reason:
        return Verdict(vectors.message, row.name, skipped=str(reason))
    try:
        reply = await client.request(subject, row.body, timeout=_PATIENCE_S)
    except (NoRespondersError, NatsTimeoutError) as error:
        return Verdict(vectors.message, row.name, (f"no answer on {subject}: {type(error).__name__}",))
    return Verdict(vectors.message, row.name, tuple(_flaws(operation, row, reply.data)))


def _flaws(operation: Operation, row: Valid | Malformed, body: bytes) -> Iterator[str]:
    try:
        answer = json.loads(body)
    except ValueError:
        yield f"the answer is not JSON: {body[:300]!r}"
        return
    if isinstance(row, Malformed):
        yield from envelope_flaws(row, answer)
    elif not reference.accepts(_answer_type(operation, row.json), answer):
        yield f"the answer is no {_answer_type(operation, row.json)}: {body[:300]!r}"


def _answer_type(operation: Operation, message: dict[str, Any]) -> str:
    if message.get("stream_preference") == "server_stream":
        return "StreamAccepted"
    return operation.response.__name__ if operation.response else ""


def _subject(operation: Operation, row: Valid | Malformed) -> str:
    named = named_tenant(row)
    faulty = isinstance(row, Malformed) and row.pointer == "/header/tenant_id"
    tenant = named if isinstance(named, str) and named and not faulty else TENANT
    values = [path_value(operation, row, name) for name in operation.path_fields]
    build = subjects.events if operation.id == "PUBLISH" else getattr(subjects, operation.method)
    try:
        subject: str = build(tenant, *values)
    except MigFault as fault:
        raise NotExpressibleError(fault.message) from fault
    return subject
