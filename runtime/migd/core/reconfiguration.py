"""The capabilities and limits that a gateway begins with, and others for one that runs.

1. `prepare` starts what is new and refuses what can not be; nothing has changed when it raises.
2. `apply` changes all of it from one moment to the next. What came before it ends on the provider that it
   began with; what comes after it meets the new capabilities and limits.
3. `retire` closes the providers that nothing runs on any more.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from migd.core.catalog import Capability, Catalog
from migd.core.flights import Flights
from migd.core.limits import Limits
from migd.core.ports import CatalogStore
from migd.core.provider import Provider

_log = logging.getLogger("migd.gateway")


class Configurable(Protocol):
    """What keeps to limits that can change."""

    def configure(self, limits: Limits) -> None:
        """Keep to these from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What is to be. `started` are the providers that were started for it."""

    capabilities: tuple[Capability, ...]
    limits: Limits
    started: tuple[Provider, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Ids of capabilities, sorted."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


class Reconfiguration:
    """`configurable` are told of other limits in this order, after the catalog is another."""

    def __init__(
        self, catalog: Catalog, flights: Flights, limits: Limits, configurable: Sequence[Configurable]
    ) -> None:
        self._catalog = catalog
        self._flights = flights
        self._configurable = configurable
        self._retiring: dict[int, Provider] = {}
        self._closing: set[asyncio.Future[None]] = set()
        self.limits = limits
        """Those that are kept now."""

    async def begin(self, capabilities: Iterable[Capability], registered: CatalogStore) -> None:
        """Hold these and, over them, what was registered while a gateway ran; start all their providers."""
        for capability in capabilities:
            self._catalog.add(capability)
        for uri, document in (await registered.schemas()).items():
            self._catalog.add_schema(uri, document)
        for descriptor in await registered.capabilities():
            self._catalog.describe(descriptor)
        await asyncio.gather(*(provider.start() for provider in self._catalog.providers()))

    async def prepare(self, capabilities: Iterable[Capability], limits: Limits) -> Prepared:
        """Raises MigFault for capabilities that can not be held, and whatever a provider's start raises."""
        kept = tuple(map(self._with_running_provider, capabilities))
        self._catalog.replaced(kept, limits.schema)
        running = set(map(id, self._catalog.providers()))
        fresh = {id(c.provider): c.provider for c in kept if c.provider and id(c.provider) not in running}
        started = tuple(fresh.values())
        try:
            await _start(started)
        except BaseException:
            await _close(started)
            raise
        return Prepared(capabilities=kept, limits=limits, started=started)

    def apply(self, prepared: Prepared) -> Difference:
        """Raises MigFault, with nothing changed, where registrations since `prepare` left no room for it."""
        before = {entry.id: entry.capability for entry in self._catalog.all()}
        providers = list(self._catalog.providers())
        self._catalog.become(self._catalog.replaced(prepared.capabilities, prepared.limits.schema))
        for each in self._configurable:
            each.configure(prepared.limits)
        self.limits = prepared.limits
        used = set(map(id, self._catalog.providers()))
        # One that was started in vain, because its capability was registered over, is not used either.
        unused = {id(each): each for each in (*providers, *prepared.started) if id(each) not in used}
        self._retiring |= unused
        return _difference(before, {entry.id: entry.capability for entry in self._catalog.all()})

    async def abandon(self, prepared: Prepared) -> None:
        """It is not to be after all."""
        await _close(prepared.started)

    async def retire(self) -> None:
        """Close what `apply` left without use, once all that was running then is over."""
        # What has been admitted and has a task of its own to begin in is in flight after this turn.
        await asyncio.sleep(0)
        ours = list(self._retiring)
        await self._flights.those_of_now_landed()
        unused = [self._retiring.pop(key) for key in ours if key in self._retiring]
        closing = asyncio.ensure_future(_close(unused))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        # Whoever gives up waiting does not keep a provider from putting away what it has.
        await asyncio.shield(closing)

    async def finish(self) -> Sequence[Provider]:
        """Those that still wait to be closed, for the caller to close; none is being closed any more."""
        retiring, self._retiring = self._retiring, {}
        await asyncio.gather(*self._closing)
        return tuple(retiring.values())

    def _with_running_provider(self, capability: Capability) -> Capability:
        entry = self._catalog.find(capability.descriptor.id)
        known = entry.capability if entry is not None else None
        if known is None or capability.made_from is None or known.made_from != capability.made_from:
            return capability
        return dataclasses.replace(capability, provider=known.provider)


async def _start(providers: Iterable[Provider]) -> None:
    """All of them come to an end before one's failure is raised."""
    for failure in await asyncio.gather(*(each.start() for each in providers), return_exceptions=True):
        if isinstance(failure, BaseException):
            raise failure


async def _close(providers: Iterable[Provider]) -> None:
    for failure in await asyncio.gather(*(each.close() for each in providers), return_exceptions=True):
        if isinstance(failure, BaseException):
            _log.error("closing failed", exc_info=failure)


def _difference(before: dict[str, Capability], after: dict[str, Capability]) -> Difference:
    return Difference(
        added=tuple(sorted(after.keys() - before.keys())),
        changed=tuple(sorted(id for id in before.keys() & after.keys() if before[id] != after[id])),
        removed=tuple(sorted(before.keys() - after.keys())),
    )
