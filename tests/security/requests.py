"""A request for everything that can be asked for, good enough to be let in whoever may."""

from __future__ import annotations

from typing import Any

from security.expectation import REFERENCE, THEIR_MESSAGE, TOPIC
from support.http_requests import BODIES

# The fields of the message, whatever carries it; the header is added.
FIELDS: dict[str, dict[str, Any]] = {
    "HELLO": {},
    "DISCOVER": {},
    "INVOKE": {"capability": REFERENCE, "payload": {"input": "hi"}},
    "STREAM": {"kind": "request", "stream_id": "s", "capability": REFERENCE, "payload": {"input": "hi"}},
    "PUBLISH": {"topic": TOPIC, "payload": {"text": "from the matrix"}},
    "SUBSCRIBE": {"topic": TOPIC, "resume_cursor": "0"},
    "CANCEL": {"target_message_id": THEIR_MESSAGE},
    "HEARTBEAT": {},
}

ADMINISTRATION: dict[str, Any] = {
    **BODIES,
    "/pro/v0.1/quotas": {"tenant_id": "matrix", "max_invocations": 1},
    "/cloud/v0.1/tenants": {"name": "Matrix", "org_id": "matrix"},
    "/cloud/v0.1/gateways": {"tenant_id": "matrix", "region": "eu", "binding": "http"},
}

PATH_VALUES = {"capability": REFERENCE, "topic": TOPIC, "message_id": THEIR_MESSAGE}


def message(operation: str, tenant: str | None) -> dict[str, Any]:
    """The body of a request of a caller."""
    header = {} if tenant is None else {"header": {"tenant_id": tenant}}
    return {**header, **FIELDS[operation]}
