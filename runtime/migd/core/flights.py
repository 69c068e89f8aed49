"""Which invocations are running, and which are lately over: what CANCEL can reach."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from migd.core.context import Context
from migd.core.invocation import Invocation
from migd.core.limits import Limits

_Key = tuple[str, str]


class _Watch:
    """Invocations whose end somebody waits for."""

    def __init__(self, invocations: list[Invocation]) -> None:
        self._left = set(map(id, invocations))
        self.done = asyncio.Event()
        self._tell()

    def over(self, invocation: Invocation) -> None:
        self._left.discard(id(invocation))
        self._tell()

    def _tell(self) -> None:
        if not self._left:
            self.done.set()


class Flights:
    """Invocations by (tenant, message id). Two may share a message id; CANCEL then means both.

    The last `remembered` that ended are known as completed; older ones are forgotten, so that memory
    does not grow with uptime.
    """

    def __init__(self, capacity: int, remembered: int) -> None:
        self._capacity = capacity
        self._remembered = remembered
        self._running: dict[_Key, list[Invocation]] = {}
        # A plain dict used as a queue would walk over all that is gone to find its oldest entry.
        self._completed: OrderedDict[_Key, None] = OrderedDict()
        self._count = 0
        self._watched: list[_Watch] = []
        self._empty = asyncio.Event()
        self._empty.set()

    def configure(self, limits: Limits) -> None:
        """Another capacity; what is beyond it already goes on."""
        self._capacity = limits.max_concurrent_invocations

    @property
    def count(self) -> int:
        """Invocations in flight now."""
        return self._count

    @property
    def capacity(self) -> int:
        """Invocations that may be in flight."""
        return self._capacity

    def has_room(self, *, aboard: bool = False) -> bool:
        """Whether one more may run; `aboard` when the one that asks is counted already."""
        return self._count - aboard < self._capacity

    @property
    def load_factor(self) -> float:
        """Work in flight over capacity; 0.0 when idle."""
        return self._count / self._capacity

    @contextmanager
    def aboard(self, invocation: Invocation) -> Iterator[None]:
        """In flight while the block runs, completed after it."""
        key = (invocation.context.tenant_id, invocation.context.message_id)
        self._running.setdefault(key, []).append(invocation)
        self._count += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._empty.set()
            peers = self._running[key]
            peers.remove(invocation)
            if not peers:
                del self._running[key]
            self.completed(invocation.context)
            for watch in self._watched:
                watch.over(invocation)

    def completed(self, context: Context) -> None:
        """Remember that this message id is over."""
        done = self._completed
        done[(context.tenant_id, context.message_id)] = None
        if len(done) > self._remembered:
            done.popitem(last=False)

    def running(self, tenant_id: str, message_id: str) -> list[Invocation]:
        return list(self._running.get((tenant_id, message_id), ()))

    def is_completed(self, tenant_id: str, message_id: str) -> bool:
        return (tenant_id, message_id) in self._completed

    async def landed(self) -> None:
        """Returns once nothing is in flight."""
        await self._empty.wait()

    async def those_of_now_landed(self) -> None:
        """Returns once all that is in flight at this moment is over; what comes after it does not count."""
        watch = _Watch(self.everything())
        self._watched.append(watch)
        try:
            await watch.done.wait()
        finally:
            self._watched.remove(watch)

    def everything(self) -> list[Invocation]:
        return [invocation for peers in self._running.values() for invocation in peers]
