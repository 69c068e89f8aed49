"""What is wrong with an answer, if anything: each function raises FlawError with one line that says so."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any

from msgspec import UNSET

from mig_conformance.flaws import FlawError, expect, same
from mig_protocol import MIG_VERSION
from mig_protocol.errors import ERRORS, MigFault
from mig_protocol.messages import (
    CapabilityDescriptor,
    ErrorEnvelope,
    EventMessage,
    FrameKind,
    InvocationMode,
    MessageHeader,
    MigErrorCode,
    RequestHeader,
    StreamFrame,
)

REFERENCE = "observatory.models.infer"
"""The capability that every server starts with."""

_OUTPUT_SCHEMA = "schema://observatory/models/infer-output/v1"
_ECHOED = ("message_id", "session_id", "traceparent", "idempotency_key", "deadline_ms")


def echoed(header: MessageHeader, sent: RequestHeader, tenant: str) -> None:
    """The header of an answer is the request's, normalised."""
    same("mig_version", header.mig_version, MIG_VERSION)
    same("tenant_id", header.tenant_id, tenant)
    expect(header.message_id, "the answer's header has no message_id")
    for field in _ECHOED:
        wanted = getattr(sent, field)
        if wanted is not UNSET:
            same(f"header.{field}", getattr(header, field), wanted)
    meta = header.meta or {}
    for key, value in (sent.meta or {}).items():
        if not key.startswith("idg."):
            same(f"meta {key!r}", meta.get(key), value)
    same("meta 'idg.product_tier'", meta.get("idg.product_tier"), "core")
    same("meta 'idg.meter_key'", meta.get("idg.meter_key"), "invocations_capability_tier")
    expect(isinstance(meta.get("idg.principal_subject"), str), "meta has no 'idg.principal_subject'")
    scopes = meta.get("idg.principal_scopes")
    expect(isinstance(scopes, list) and scopes == sorted(scopes), "'idg.principal_scopes' is no sorted list")


async def refused(
    answer: Awaitable[object], code: MigErrorCode, *, retryable: bool | None = None
) -> MigFault:
    """The refusal, of that code; `retryable` where it is not the code's own."""
    try:
        await answer
    except MigFault as fault:
        refusal(fault, code, retryable=retryable)
        return fault
    raise FlawError(f"accepted, expected {code.value}")


def refusal(fault: MigFault, code: MigErrorCode, *, retryable: bool | None = None) -> None:
    """The error has that code, a message, and says whether to try again."""
    expect(fault.code is code, f"refused with {fault}, expected {code.value}")
    expect(fault.message, f"{code.value} has no message")
    same("retryable", fault.retryable, ERRORS[code].retryable if retryable is None else retryable)


def violations(fault: MigFault, pointer: str) -> None:
    """details.violations names the place that is wrong, by its JSON Pointer."""
    found = (fault.details or {}).get("violations")
    expect(isinstance(found, list) and found, "details.violations is no list with something in it")
    pointers = [violation.get("pointer") for violation in found or () if isinstance(violation, dict)]
    expect(pointer in pointers, f"details.violations has the pointers {pointers}, expected {pointer!r}")


def cancelled(fault: MigFault, reason: str) -> None:
    """The error of a cancelled invocation."""
    refusal(fault, MigErrorCode.MIG_TIMEOUT, retryable=False)
    same("details.cancelled", (fault.details or {}).get("cancelled"), True)
    same("details.reason", (fault.details or {}).get("reason"), reason)


def reference_descriptor(descriptor: CapabilityDescriptor) -> None:
    """What DISCOVER says of the reference capability."""
    same("version", descriptor.version, "1.0.0")
    same("modes", set(descriptor.modes), {InvocationMode.unary, InvocationMode.server_stream})
    same("input_schema_uri", descriptor.input_schema_uri, "schema://observatory/models/infer-input/v1")
    same("output_schema_uri", descriptor.output_schema_uri, _OUTPUT_SCHEMA)
    same("auth_scopes", descriptor.auth_scopes, ["capability:infer"])
    same("event_topics", descriptor.event_topics, ["observatory.inference.completed"])
    expect(descriptor.qos is not UNSET, "the descriptor has no qos, and include_qos was set")


def reference_answer(payload: dict[str, Any], sent: dict[str, Any]) -> None:
    """The payload that the reference capability answers with."""
    wanted = {"result": "ok", "echo": sent, "capability": REFERENCE, "delivery_qos": "at_least_once"}
    same("payload", payload, wanted)


def reference_schema(uri: object) -> None:
    """The schema that the answer says it follows."""
    same("result_schema_uri", uri, _OUTPUT_SCHEMA)


def reference_stream(frames: Sequence[StreamFrame], stream_id: str, text: str) -> None:
    """The frames of the streamed reference capability: the pieces of `text`, then one terminal frame."""
    expect(frames, "the stream has no frames")
    for frame in frames:
        same("stream_id", frame.stream_id, stream_id)
        same("kind", frame.kind, FrameKind.response)
    terminal = [frame.end_stream for frame in frames]
    same("end_stream of the frames", terminal, [False] * (len(frames) - 1) + [True])
    pieces = [(frame.payload or {}).get("delta") for frame in frames[:-1]]
    expect(all(isinstance(piece, str) for piece in pieces), "a piece is no {delta: string}")
    same("the pieces put together", "".join(map(str, pieces)), text)
    reference_answer(frames[-1].payload or {}, {"input": text})


def in_sequence(events: Sequence[EventMessage], sequences: Sequence[int], *, replay: bool) -> None:
    """These events and no others, in order, and marked as replayed or live."""
    same("the sequences", [event.sequence for event in events], list(sequences))
    same("replay", {event.replay for event in events}, {replay})


def fault_of(frame: StreamFrame) -> MigFault:
    """The error of an error frame, which must have one."""
    if frame.error is UNSET:
        raise FlawError("an error frame has no error")
    return MigFault.from_envelope(ErrorEnvelope(header=frame.header, error=frame.error))
