"""The provider port: what a capability runs on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from msgspec import Struct

from migd.core.call import Principal
from migd.core.tracing import trace_fields

JsonObject = dict[str, Any]


class _NoInputs:
    """The input of an invocation that takes one message only: nothing follows it."""

    def __aiter__(self) -> AsyncIterator[JsonObject]:
        return self

    async def __anext__(self) -> JsonObject:
        raise StopAsyncIteration


NO_INPUTS: AsyncIterator[JsonObject] = _NoInputs()


class Work(Struct, kw_only=True):
    """One invocation, as its provider sees it.

    `deadline` is on the scale of `clock()` (seconds, monotonic); `deadline_ms` is the header's, of which
    less may be left. `inputs` yields the request frames after the first one, for client_stream and
    bidi_stream capabilities; else it is empty. An invocation that is repeated after a crash has the same
    `idempotency_key`, and mostly another `message_id`.
    """

    capability: str
    tenant_id: str
    message_id: str
    session_id: str | None
    traceparent: str | None
    payload: JsonObject
    meta: JsonObject
    principal: Principal
    deadline: float
    deadline_ms: int
    clock: Callable[[], float]
    inputs: AsyncIterator[JsonObject] = NO_INPUTS
    idempotency_key: str | None = None

    def log_fields(self) -> dict[str, str]:
        """For `extra=` of a log record: which invocation it belongs to, and where in its trace."""
        return {
            "message_id": self.message_id,
            "traceparent": self.traceparent or "",
            **trace_fields(self.traceparent),
            "tenant_id": self.tenant_id,
            "capability": self.capability,
        }

    def remaining_s(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self.deadline - self.clock())


@dataclass(frozen=True, slots=True)
class Final:
    """Yielded by a stream as its last item: the payload of the terminal frame."""

    payload: JsonObject


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a provider can work now, and why not."""

    ok: bool
    reason: str = ""


class Provider(Protocol):
    """What runs a capability.

    It refuses by raising `MigFault`. Anything else that it raises becomes MIG_INTERNAL, with the detail
    in the log only. It is stopped through asyncio cancellation: the deadline, CANCEL, a caller that went
    away and shutdown all arrive as `CancelledError` at its next await.
    """

    def invoke(self, work: Work) -> JsonObject | Awaitable[JsonObject]:
        """The answer's payload. A plain value is an answer given at once: no task is made for it."""

    def stream(self, work: Work) -> AsyncIterator[JsonObject | Final]:
        """The payloads of the response frames, in order.

        `Final` gives the terminal frame's payload; a stream that ends without one has `{}` there.
        """

    async def start(self) -> None:
        """Make ready (load a model, open a session); called once, before the first call."""

    async def close(self) -> None:
        """Let go of everything; called once, when nothing is running any more."""

    def health(self) -> Health:
        """Asked often: must not block."""
