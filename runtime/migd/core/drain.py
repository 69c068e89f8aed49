"""Going down without losing what was promised."""

from __future__ import annotations

import asyncio

from migd.core.admission import Admission
from migd.core.events import Events
from migd.core.flights import Flights


class Drain:
    """Refuses new work, ends subscriptions, lets invocations finish, then fails those that have not."""

    def __init__(self, admission: Admission, flights: Flights, events: Events) -> None:
        self._admission = admission
        self._flights = flights
        self._events = events

    async def run(self, grace_s: float) -> None:
        """Returns when nothing is in flight. What outlives `grace_s` seconds ends with MIG_UNAVAILABLE."""
        self._admission.drain()
        self._events.end_all()
        try:
            async with asyncio.timeout(grace_s):
                await self._flights.landed()
        except TimeoutError:
            for invocation in self._flights.everything():
                invocation.drain()
            await self._flights.landed()
