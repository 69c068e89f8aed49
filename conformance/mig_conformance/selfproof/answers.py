"""What is answered in the server's place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from mig_conformance.drivers.port import JsonObject
from mig_conformance.selfproof.passage import Passage
from mig_conformance.selfproof.pointers import found
from mig_conformance.subject.callers import Callers

_DEADLINE_MS = 30000
_REPEATED = ("session_id", "traceparent", "idempotency_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a mutation needs of the world: tokens, the time in UTC, new ids."""

    callers: Callers
    now: Callable[[], datetime]
    new_id: Callable[[], str]


def answer_to(passage: Passage, given: JsonObject, means: Means) -> JsonObject:
    """`given` is {message: ...} or {error: ...}; its header, unless it says another, is a right one."""
    body = {"error": given["error"]} if "error" in given else dict(given["message"])
    answer = {"header": _header(passage, means), **body}
    return _frame(passage, answer) if "frame_in" in passage.at else answer


def _frame(passage: Passage, answer: JsonObject) -> JsonObject:
    asked = passage.message
    cancels = asked.get("kind") == "control"
    if cancels and "error" not in answer:
        answer = {"header": answer["header"], "payload": {key: answer[key] for key in ("accepted", "status")}}
    kind = "error" if "error" in answer else "control" if cancels else "response"
    named = {"capability": asked["capability"]} if "capability" in asked else {}
    stream_id = asked.get("stream_id") or f"stream-{answer['header']['message_id']}"
    return {**named, "kind": kind, "end_stream": True, **answer, "stream_id": stream_id}


def _header(passage: Passage, means: Means) -> JsonObject:
    given = next(iter(found(passage.message, "/header")), None) or {}
    meta = {name: value for name, value in given.get("meta", {}).items() if not name.startswith("idg.")}
    return {
        "mig_version": "0.1",
        "message_id": given.get("message_id") or means.new_id(),
        "timestamp": means.now().astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "tenant_id": given.get("tenant_id") or passage.tenant or "unknown",
        "deadline_ms": given.get("deadline_ms") or _DEADLINE_MS,
        "meta": {
            **meta,
            "idg.product_tier": "core",
            "idg.meter_key": "invocations_capability_tier",
            "idg.principal_subject": "anonymous",
            "idg.principal_scopes": [],
        },
        **{name: given[name] for name in _REPEATED if name in given},
    }
