"""Time and identity, passed in so that the core can be tested without waiting."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol


class Timer(Protocol):
    """A callback that is due later, and can be called off."""

    def cancel(self) -> None:
        """Call it off; harmless when it has already run."""


class Clock(Protocol):
    """Where the core gets the time, new ids, and a call back at a later moment."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go backwards; what deadlines are measured in."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Run `callback` once `monotonic()` has reached `when`."""

    def new_id(self) -> str:
        """A UUID (RFC 9562, version 4) in its text form."""


class SystemClock:
    """The machine's clocks and the running event loop's timers."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        # The loop's own clock is not promised to be time.monotonic(): convert through a delay.
        return asyncio.get_running_loop().call_later(max(0.0, when - time.monotonic()), callback)

    def new_id(self) -> str:
        return str(uuid.uuid4())
