"""A clock that moves only when a test moves it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class ManualTimer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class ManualClock:
    """Ids are UUID-shaped and count up; timers run inside `advance`, in the order in which they are due."""

    def __init__(self) -> None:
        self._elapsed = 0.0
        self._ids = count(1)
        self._order = count()
        self._timers: list[tuple[float, int, ManualTimer]] = []

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    def new_id(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._ids):012d}"

    def call_at(self, when: float, callback: Callable[[], None]) -> ManualTimer:
        timer = ManualTimer(callback)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        end = self._elapsed + seconds
        while self._timers and self._timers[0][0] <= end:
            when, _, timer = heapq.heappop(self._timers)
            self._elapsed = max(self._elapsed, when)
            if timer.callback is not None:
                timer.callback()
        self._elapsed = end

    @property
    def pending(self) -> int:
        """Timers that are set and not called off."""
        return sum(timer.callback is not None for _, _, timer in self._timers)
