"""Named consumers, for as long as the process lives."""

from __future__ import annotations

from migd.core.clock import Clock
from migd.core.ports import ConsumerName
from migd.stores.positions import Positions
from migd.stores.retention import Retention


class MemoryConsumers:
    def __init__(self, clock: Clock, retention: Retention) -> None:
        self._positions = Positions(clock, retention, changed=lambda _: None)

    async def resume(self, name: ConsumerName, otherwise: int) -> int:
        return self._positions.enter(name, otherwise)

    async def move(self, name: ConsumerName, position: int) -> None:
        self._positions.put(name, position)

    def taken(self, name: ConsumerName, position: int) -> None:
        self._positions.advance(name, position)

    def hurry(self) -> None:
        """Nothing waits."""
