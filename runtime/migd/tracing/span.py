"""What a span says, in the words of OpenTelemetry's conventions where they have one."""

from __future__ import annotations

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TraceFlags

from mig_protocol.operations import OPERATION_BY_ID
from migd.core.tracing import SUCCESS

# A server is not in error when its caller is; an outcome of these is the gateway's or the provider's doing.
_SERVER_ERRORS = frozenset({"MIG_TIMEOUT", "MIG_UNAVAILABLE", "MIG_BACKPRESSURE", "MIG_INTERNAL"})


class OtlpSpan:
    """One span of the SDK's; not recorded, and still passed on, where the caller's trace is not sampled."""

    __slots__ = ("_is_client", "_span", "traceparent")

    def __init__(self, span: Span, kind: SpanKind) -> None:
        self._span = span
        self._is_client = kind is SpanKind.CLIENT
        context = span.get_span_context()
        self.traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def end(self, outcome: str, *, tenant_id: str = "", message_id: str = "") -> None:
        span = self._span
        if not span.is_recording():
            return
        said = {"mig.tenant_id": tenant_id, "mig.message_id": message_id}
        if outcome != SUCCESS:
            said |= {"mig.code": outcome, "rpc.response.status_code": outcome, "error.type": outcome}
            if self._is_client or outcome in _SERVER_ERRORS:
                span.set_status(Status(StatusCode.ERROR, outcome))
        # All at once: the SDK takes a lock for each call.
        span.set_attributes({name: value for name, value in said.items() if value})
        span.end()


class Unsampled:
    """What is done within a span that is not exported: it has none of its own, and hands that one on."""

    __slots__ = ("traceparent",)

    def __init__(self, traceparent: str) -> None:
        self.traceparent = traceparent

    def end(self, outcome: str, *, tenant_id: str = "", message_id: str = "") -> None:
        """Nobody is told."""


def is_sampled(traceparent: str) -> bool:
    """Its lowest flag."""
    return bool(int(traceparent[-2:], 16) & TraceFlags.SAMPLED)


def rpc_attributes(operation: str, binding: str, capability: str) -> dict[str, str]:
    """Of a request: which operation of MIG, on which binding, and for which capability."""
    attributes = {
        # The name of today's conventions, and the one that most that reads spans still looks for.
        "rpc.system.name": "mig",
        "rpc.system": "mig",
        "mig.operation": operation,
        "mig.binding": binding,
    }
    rpc = OPERATION_BY_ID[operation].rpc
    if rpc:
        attributes["rpc.method"] = rpc.removeprefix("/")
    if capability:
        attributes["mig.capability"] = capability
    return attributes
