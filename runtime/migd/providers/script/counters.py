"""What scripts count, so that a check can see from outside what ran, and hold one run back for another."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

_LIMIT = 10_000


class Counters:
    """Counts by tenant and key, at most `limit` of them in all: the one that rested longest is forgotten
    first. To be used from one event loop.
    """

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._counts: dict[tuple[str, str], int] = {}
        self._changed = asyncio.Event()

    def add(self, tenant_id: str, key: str) -> int:
        """Count one more; gives the count that there is now."""
        # Taken out and put in again, so that the dict is in the order of the last change.
        count = self._counts.pop((tenant_id, key), 0) + 1
        self._counts[tenant_id, key] = count
        if len(self._counts) > self._limit:
            del self._counts[next(iter(self._counts))]
        self._changed.set()
        self._changed = asyncio.Event()
        return count

    def of(self, tenant_id: str, key: str) -> int:
        """0 for what was never counted, or is forgotten."""
        return self._counts.get((tenant_id, key), 0)

    async def reach(self, tenant_id: str, key: str, count: int) -> None:
        """Returns once there are `count` or more."""
        while self.of(tenant_id, key) < count:
            await self._changed.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallies:
    """What all runs of one gateway share: `marks` by the scripts' own keys, `runs` by message id."""

    marks: Counters = field(default_factory=Counters)
    runs: Counters = field(default_factory=Counters)
