"""One invocation as a state machine: what it may become, and what stops it.

Rules, in the order in which they decide:
1. A state that is not RUNNING is final. What comes after it changes nothing.
2. FINISH and FAIL come from the provider; EXPIRE from the clock; CANCEL from CANCEL; LEAVE from a caller
   that went away; DRAIN from a gateway that is going down.
3. Everything but FINISH and FAIL stops the provider's work: the task that runs it is cancelled and
   its end awaited, never abandoned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from enum import Enum
from typing import TypeVar

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.clock import Clock
from migd.core.context import Context

T = TypeVar("T")


class State(Enum):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"
    DRAINED = "drained"


class Event(Enum):
    FINISH = "finish"
    FAIL = "fail"
    EXPIRE = "expire"
    CANCEL = "cancel"
    LEAVE = "leave"
    DRAIN = "drain"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.RUNNING, Event.FINISH): State.SUCCEEDED,
    (State.RUNNING, Event.FAIL): State.FAILED,
    (State.RUNNING, Event.EXPIRE): State.EXPIRED,
    (State.RUNNING, Event.CANCEL): State.CANCELLED,
    (State.RUNNING, Event.LEAVE): State.ABANDONED,
    (State.RUNNING, Event.DRAIN): State.DRAINED,
}


class Invocation:
    """Work of one caller that can be stopped from elsewhere."""

    __slots__ = ("_clock", "_reason", "_task", "context", "state")

    def __init__(self, context: Context, clock: Clock) -> None:
        self.context = context
        self.state = State.RUNNING
        self._clock = clock
        self._reason = ""
        self._task: asyncio.Task[object] | None = None

    def apply(self, event: Event) -> bool:
        """Make the transition; False when the invocation was over already."""
        following = TRANSITIONS.get((self.state, event))
        if following is None:
            return False
        self.state = following
        return True

    def cancel(self, reason: str) -> bool:
        """CANCEL reached it. False when it was over already."""
        self._reason = reason
        return self._stop(Event.CANCEL)

    def drain(self) -> bool:
        """The gateway is going down."""
        return self._stop(Event.DRAIN)

    async def run(self, work: Awaitable[T]) -> T:
        """Await the provider's work in the calling task, until it ends or something stops it.

        Raises what the work raises, or the MigFault of what stopped it: MIG_TIMEOUT when the deadline
        passed (retryable) or on CANCEL (not retryable, details.cancelled and the reason), MIG_UNAVAILABLE
        when the gateway is going down. A caller that went away is the task's own CancelledError.
        """
        task = self._task = asyncio.current_task()
        if task is None:
            raise RuntimeError("an invocation runs inside a task")
        outer = task.cancelling()
        timer = self._clock.call_at(self.context.deadline, self._expire)
        try:
            result = await work
        except asyncio.CancelledError:
            if self.state is State.RUNNING or task.uncancel() > outer:
                self.apply(Event.LEAVE)
                raise
            raise self.fault() from None
        except BaseException:
            if self.apply(Event.FAIL):
                raise
            task.uncancel()
            raise self.fault() from None
        finally:
            timer.cancel()
            self._task = None
        if not self.apply(Event.FINISH):
            # The work swallowed its cancellation; the caller was promised that it is stopped.
            task.uncancel()
            raise self.fault()
        return result

    def fault(self) -> MigFault:
        """Why it was stopped, as the caller is told."""
        if self.state is State.CANCELLED:
            return cancelled(self._reason)
        if self.state is State.DRAINED:
            return MigFault(MigErrorCode.MIG_UNAVAILABLE, "the gateway is going down")
        if self.state is State.ABANDONED:
            return MigFault(MigErrorCode.MIG_TIMEOUT, "the caller went away", retryable=False)
        return MigFault(
            MigErrorCode.MIG_TIMEOUT,
            f"the deadline of {self.context.deadline_ms} ms has passed",
            details={"deadline_ms": self.context.deadline_ms},
        )

    def _expire(self) -> None:
        self._stop(Event.EXPIRE)

    def _stop(self, event: Event) -> bool:
        if not self.apply(event):
            return False
        if self._task is not None:
            self._task.cancel()
        return True


def cancelled(reason: str) -> MigFault:
    """v0.1 has no code of its own for a cancelled invocation (protocol section 2, CANCEL)."""
    return MigFault(
        MigErrorCode.MIG_TIMEOUT,
        "the invocation was cancelled",
        retryable=False,
        details={"cancelled": True, "reason": reason},
    )
