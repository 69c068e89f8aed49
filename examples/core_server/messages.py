"""Messages of MIG: what a request may hold, and the header that goes back. Written from spec/schema."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

JsonObject = dict[str, Any]
Violations = Iterator[tuple[str, str]]
Shape = Callable[[Any, str], Violations]

VERSION = "0.1"
MESSAGE_ID = re.compile(r"[!-)+-.0-=?-~]{1,128}")
TENANT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
CAPABILITY_ID = re.compile(r"(?=.{1,255}\Z)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DEADLINE_MS = 30000

# spec/registry/errors.yaml: the status over HTTP, and whether the same request may succeed later.
CODES = {
    "MIG_INVALID_REQUEST": (400, False),
    "MIG_UNAUTHORIZED": (401, False),
    "MIG_FORBIDDEN": (403, False),
    "MIG_NOT_FOUND": (404, False),
    "MIG_UNSUPPORTED_CAPABILITY": (404, False),
    "MIG_VERSION_MISMATCH": (400, False),
    "MIG_TIMEOUT": (504, True),
    "MIG_RATE_LIMITED": (429, True),
    "MIG_BACKPRESSURE": (503, True),
    "MIG_UNAVAILABLE": (503, True),
    "MIG_INTERNAL": (500, False),
}


class RefusedError(Exception):
    """A MigError. `status` is what HTTP says where that is not the code's own status."""

    def __init__(
        self, code: str, message: str, *, details: JsonObject | None = None, status: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
        self.status = status or CODES[code][0]
        # A cancelled invocation is MIG_TIMEOUT and not retryable [MIG-ERR-002].
        self.retryable = CODES[code][1] and not (details or {}).get("cancelled", False)


def refuse_if(violations: Violations, what: str) -> None:
    """Raises MIG_INVALID_REQUEST with every violation and where it is."""
    found = [{"pointer": pointer, "message": message} for pointer, message in violations]
    if found:
        first = found[0]
        why = f"{what}: {first['pointer'] or 'as a whole'}: {first['message']}"
        raise RefusedError("MIG_INVALID_REQUEST", why, details={"violations": found})


def text(pattern: re.Pattern[str] | None = None, shortest: int = 0, longest: int | None = None) -> Shape:
    def check(value: Any, at: str) -> Violations:
        if not isinstance(value, str):
            yield at, "expected a string"
        elif pattern is not None and not pattern.fullmatch(value):
            yield at, f"expected {pattern.pattern}"
        elif len(value) < shortest or (longest is not None and len(value) > longest):
            yield at, f"expected {shortest} to {longest} characters"

    return check


def number(least: int, most: int) -> Shape:
    def check(value: Any, at: str) -> Violations:
        # bool is an int in Python, and not in JSON.
        if type(value) is not int or not least <= value <= most:
            yield at, f"expected an integer from {least} to {most}"

    return check


def flag(value: Any, at: str) -> Violations:
    if not isinstance(value, bool):
        yield at, "expected true or false"


def one_of(*values: str) -> Shape:
    def check(value: Any, at: str) -> Violations:
        if value not in values:
            yield at, f"expected one of {', '.join(values)}"

    return check


def many(shape: Shape, most: int) -> Shape:
    def check(value: Any, at: str) -> Violations:
        if not isinstance(value, list) or len(value) > most:
            yield at, f"expected a list of at most {most}"
            return
        for index, each in enumerate(value):
            yield from shape(each, f"{at}/{index}")

    return check


def members(known: Mapping[str, Shape], *, most: int | None = None, closed: bool = False) -> Shape:
    """An object; members that are not known are ignored, or in a closed one refused."""

    def check(value: Any, at: str) -> Violations:
        if not isinstance(value, dict) or (most is not None and len(value) > most):
            yield (
                at,
                "expected an object" if most is None else f"expected an object of at most {most} members",
            )
            return
        for name in value.keys() & known.keys():
            yield from known[name](value[name], f"{at}/{name}")
        for name in value.keys() - known.keys() if closed else ():
            yield at, f"there is no {name}"

    return check


def _date_time(value: Any, at: str) -> Violations:
    if isinstance(value, str) and _DATE_TIME.fullmatch(value):
        try:
            datetime.fromisoformat(value.upper())
        except ValueError:
            pass
        else:
            return
    yield at, "expected a date-time of RFC 3339 with an offset"


HEADER = {
    "mig_version": text(shortest=1, longest=16),
    "message_id": text(MESSAGE_ID),
    "timestamp": _date_time,
    "tenant_id": text(TENANT_ID),
    "session_id": text(MESSAGE_ID),
    "traceparent": text(_TRACEPARENT),
    "idempotency_key": text(MESSAGE_ID),
    "deadline_ms": number(0, 2**32 - 1),
    "meta": members({}),
}
_HEADED = {"header": members(HEADER)}
HELLO = members(
    {
        **_HEADED,
        "supported_versions": many(text(longest=16), 64),
        "requested_bindings": many(one_of("grpc", "nats", "http"), 64),
        "requested_features": many(text(longest=64), 64),
    }
)
DISCOVER = members({**_HEADED, "query": text(longest=255), "include_schema_refs": flag, "include_qos": flag})
INVOKE = members(
    {
        **_HEADED,
        "capability": text(CAPABILITY_ID),
        "payload": members({}),
        "stream_preference": one_of("unary", "server_stream", "bidi_stream"),
    }
)
CANCEL = members({**_HEADED, "target_message_id": text(MESSAGE_ID), "reason": text(longest=1024)})


def read(body: bytes) -> Any:
    """The JSON of a body; an empty one means {} [MIG-MSG-011, MIG-MSG-012]."""
    try:
        return json.loads(body.decode(), parse_constant=_no_number, parse_float=_finite) if body else {}
    except (ValueError, RecursionError) as error:
        why = "the body is no JSON in UTF-8"
        details = {"violations": [{"pointer": "", "message": why}]}
        raise RefusedError("MIG_INVALID_REQUEST", why, details=details) from error


def _no_number(said: str) -> Any:
    raise ValueError(said)


def _finite(said: str) -> float:
    value = float(said)
    return value if abs(value) != float("inf") else _no_number(said)


def answer_header(given: Mapping[str, Any], tenant: str, subject: str, scopes: list[str]) -> JsonObject:
    """The request's header, normalised; `given` is what is valid of it [MIG-HDR-007 to 012]."""
    theirs = {name: value for name, value in given.get("meta", {}).items() if not name.startswith("idg.")}
    ours = {
        "idg.product_tier": "core",
        "idg.meter_key": "invocations_capability_tier",
        "idg.principal_subject": subject,
        "idg.principal_scopes": scopes,
    }
    return {
        **{name: given[name] for name in ("session_id", "traceparent", "idempotency_key") if name in given},
        "mig_version": VERSION,
        "message_id": given.get("message_id") or str(uuid.uuid4()),
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "tenant_id": tenant,
        "deadline_ms": given.get("deadline_ms") or _DEADLINE_MS,
        "meta": {**theirs, **ours},
    }


def envelope(header: JsonObject, refused: RefusedError) -> JsonObject:
    """An ErrorEnvelope."""
    error = {"code": refused.code, "message": refused.message, "retryable": refused.retryable}
    return {
        "header": header,
        "error": error if refused.details is None else {**error, "details": refused.details},
    }
