"""The places of named consumers, in memory: bounded in number, forgotten in time."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.clock import Clock
from migd.core.ports import ConsumerName
from migd.stores.retention import Retention

_SIGNS_OF_LIFE = 16
"""In each window a consumer that takes nothing is noted as many times at the most."""


class Place(NamedTuple):
    """The sequence taken last, and when the consumer was heard of, in seconds since the Unix epoch."""

    position: int
    seen_at: float


class Positions:
    """`changed` is called with every name whose place has changed, or is no longer kept."""

    def __init__(self, clock: Clock, retention: Retention, changed: Callable[[ConsumerName], None]) -> None:
        self._clock = clock
        self._per_tenant = retention.consumers
        self._total = retention.total_consumers
        self._window_s = retention.consumer_window_s
        self._changed = changed
        # Those that were heard of longest ago come first.
        self._places: OrderedDict[ConsumerName, Place] = OrderedDict()
        self._names: Counter[str] = Counter()

    def place(self, name: ConsumerName) -> Place | None:
        """What is kept under the name, be it too old or not."""
        return self._places.get(name)

    def load(self, name: ConsumerName, place: Place) -> None:
        """A place of an earlier run; to be called in the order of `seen_at`."""
        self._places[name] = place
        self._names[name.tenant_id] += 1

    def enter(self, name: ConsumerName, otherwise: int) -> int:
        """The position of a consumer that has come. Raises MigFault as `put` does."""
        self._forget_old()
        kept = self._places.get(name)
        position = otherwise if kept is None else kept.position
        self.put(name, position)
        return position

    def put(self, name: ConsumerName, position: int) -> None:
        """Raises MigFault MIG_RATE_LIMITED when the name is a new one and there are too many."""
        if name not in self._places:
            self._forget_old()
            self._refuse_more(name.tenant_id)
            self._names[name.tenant_id] += 1
        self._note(name, Place(position, self._now()))

    def advance(self, name: ConsumerName, position: int) -> None:
        """The consumer has got so far, if not farther."""
        kept = self._places.get(name)
        if kept is None:
            # Its window went by while it was there and took nothing. Known again if there is room.
            with suppress(MigFault):
                self.put(name, position)
            return
        now = self._now()
        if position > kept.position or now - kept.seen_at > self._window_s / _SIGNS_OF_LIFE:
            self._note(name, Place(max(position, kept.position), now))

    def _note(self, name: ConsumerName, place: Place) -> None:
        self._places[name] = place
        self._places.move_to_end(name)
        self._changed(name)

    def _forget_old(self) -> None:
        oldest = self._now() - self._window_s
        while self._places:
            name, place = next(iter(self._places.items()))
            if place.seen_at >= oldest:
                return
            del self._places[name]
            self._names[name.tenant_id] -= 1
            if not self._names[name.tenant_id]:
                del self._names[name.tenant_id]
            self._changed(name)

    def _refuse_more(self, tenant_id: str) -> None:
        if self._names[tenant_id] >= self._per_tenant:
            raise _full(f"the tenant has its limit of {self._per_tenant} named consumers")
        if len(self._places) >= self._total:
            raise _full(f"the gateway has its limit of {self._total} named consumers")

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _full(message: str) -> MigFault:
    return MigFault(MigErrorCode.MIG_RATE_LIMITED, message, retry_after_s=60.0)
