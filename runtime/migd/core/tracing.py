"""The spans of a request (W3C Trace Context): a port like the recorder, and none unless there is a tracer.

A request of the protocol has one span of kind server, on whatever binding it came in, from before its header
is looked at to its outcome. What it asks of a provider has one of kind client below it, whose context the
provider gets.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol
from weakref import WeakKeyDictionary

from msgspec import UNSET

from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    CancelRequest,
    DiscoverRequest,
    HeartbeatRequest,
    HelloRequest,
    InvokeRequest,
    MessageHeader,
    MigErrorCode,
    PublishRequest,
    RequestHeader,
    SubscribeRequest,
)
from mig_protocol.operations import OPERATIONS
from migd.core.call import Call

SUCCESS = "success"
_NO_SPAN: AbstractContextManager[None] = nullcontext()

Request = (
    HelloRequest
    | DiscoverRequest
    | InvokeRequest
    | PublishRequest
    | SubscribeRequest
    | CancelRequest
    | HeartbeatRequest
)


class Span(Protocol):
    """Something that is being done. Its methods neither raise nor wait."""

    @property
    def traceparent(self) -> str:
        """The context of what is done for it, its sampled flag included."""

    def end(self, outcome: str, *, tenant_id: str = "", message_id: str = "") -> None:
        """It is over; `outcome` is "success" or the error code. A second time changes nothing."""


class Tracer(Protocol):
    """Makes spans. Its methods neither raise nor wait; only `close` takes its time."""

    def server(self, operation: str, binding: str, capability: str, traceparent: str | None) -> Span:
        """A request came in, from within `traceparent`; a root span where there is none.

        `capability` is what the caller asks for, known or not; empty where it asks for none.
        """

    def client(self, capability: str, traceparent: str | None) -> Span:
        """A provider is asked, from within `traceparent`."""

    async def close(self) -> None:
        """Let go of what has ended and is not exported yet, within a bound."""


class Tracing:
    """Which request has which span."""

    def __init__(self, tracer: Tracer | None) -> None:
        self.tracer = tracer
        # A failure is raised within a span, and told to the caller when that has ended.
        self._failures: WeakKeyDictionary[MigFault, str] = WeakKeyDictionary()

    def begin(self, operation: str, call: Call, request: Request) -> None:
        """Give the call its span. A request without a traceparent gets that of its span, for the answer, the
        log and the events that it publishes.
        """
        if self.tracer is None:
            return
        header = request.header
        parent = None if header is UNSET else header.traceparent or None
        capability = request.capability if isinstance(request, InvokeRequest) else ""
        call.span = self.tracer.server(operation, call.binding, capability or "", parent)
        if header is UNSET:
            request.header = RequestHeader(traceparent=call.span.traceparent)
        elif header.traceparent is UNSET:
            header.traceparent = call.span.traceparent

    def end(self, call: Call, outcome: str, tenant_id: str = "", message_id: str = "") -> None:
        """The call is over."""
        if call.span is not None:
            call.span.end(outcome, tenant_id=tenant_id, message_id=message_id)

    def failed(self, call: Call, fault: MigFault) -> None:
        """The call ends with this fault, or has."""
        if call.span is None:
            return
        self._failures[fault] = call.span.traceparent
        header = fault.header
        if header is None:
            self.end(call, fault.code.value)
        else:
            self.end(call, fault.code.value, header.tenant_id, header.message_id)

    def span(self, operation: str, call: Call, request: Request) -> AbstractContextManager[None]:
        """The span of an operation that lasts as long as the block."""
        return _NO_SPAN if self.tracer is None else self._within(operation, call, request)

    def answered(self, operation: str, call: Call, fault: MigFault, header: MessageHeader) -> str:
        """The traceparent of the span in which a request failed, empty without one.

        A request that was refused at the door (its body is no JSON, say) has a span of no length.
        """
        within = self._failures.get(fault)
        if within is not None:
            return within
        if self.tracer is None or operation not in _TRACED:
            return header.traceparent or ""
        span = self.tracer.server(operation, call.binding, "", header.traceparent or None)
        span.end(fault.code.value, tenant_id=header.tenant_id, message_id=header.message_id)
        return span.traceparent

    @contextmanager
    def _within(self, operation: str, call: Call, request: Request) -> Iterator[None]:
        self.begin(operation, call, request)
        try:
            yield
        except MigFault as fault:
            self.failed(call, fault)
            raise
        except Exception:
            self.end(call, MigErrorCode.MIG_INTERNAL.value)
            raise
        except BaseException:
            self.end(call, MigErrorCode.MIG_TIMEOUT.value)
            raise
        named = request.header or RequestHeader()
        tenant_id = call.principal.tenant_id or call.tenant or named.tenant_id or ""
        self.end(call, SUCCESS, tenant_id, named.message_id or "")


def trace_fields(traceparent: str | None) -> dict[str, str]:
    """What a log line says of where it belongs: trace_id and span_id, as hexadecimal."""
    if not traceparent:
        return {}
    _, trace_id, span_id, _ = traceparent.split("-")
    return {"trace_id": trace_id, "span_id": span_id}


_TRACED = frozenset(operation.id for operation in OPERATIONS if operation.rights == "caller")
