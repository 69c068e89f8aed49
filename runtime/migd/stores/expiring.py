"""A mapping whose entries have a time to live and whose size has a bound."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from migd.core.clock import Clock

K = TypeVar("K")
V = TypeVar("V")


class Expiring(Generic[K, V]):
    """Entries vanish when their window is over, or when newer ones need the room (oldest put first)."""

    def __init__(self, clock: Clock, limit: int) -> None:
        self._clock = clock
        self._limit = limit
        # A plain dict would search past every entry that it has dropped from its front.
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        due, value = entry
        if self._clock.monotonic() >= due:
            del self._entries[key]
            return None
        return value

    def put(self, key: K, value: V, window_s: float) -> None:
        # Taken out first, so that the order of the entries is the order of their last put.
        self._entries.pop(key, None)
        self._entries[key] = (self._clock.monotonic() + window_s, value)
        self._drop_oldest()

    def __len__(self) -> int:
        return len(self._entries)

    def _drop_oldest(self) -> None:
        now = self._clock.monotonic()
        while self._entries:
            oldest = next(iter(self._entries))
            if len(self._entries) <= self._limit and self._entries[oldest][0] > now:
                return
            del self._entries[oldest]
