"""How a gateway is: alive, ready, conforming, how full, how far behind. Asked often; nothing here waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mig_protocol.messages import ConformanceHealth, HealthState, HealthStatus
from migd.core.admission import Admission
from migd.core.auth import Authenticator
from migd.core.catalog import Catalog
from migd.core.events import Events
from migd.core.flights import Flights
from migd.core.ledger import Ledger
from migd.core.ports import Store
from migd.core.subscription import Lag

HealthChecks = Mapping[str, Callable[[], str | None]]
"""A name, and what says why it is not well, or None."""


class Condition:
    """`declared` are the profiles of what is switched on, `checks` what else readiness depends on."""

    def __init__(
        self,
        *,
        admission: Admission,
        authenticator: Authenticator,
        flights: Flights,
        events: Events,
        catalog: Catalog,
        ledger: Ledger,
        store: Store,
        checks: HealthChecks,
        declared: Callable[[], list[str]],
    ) -> None:
        self._admission = admission
        self._authenticator = authenticator
        self._flights = flights
        self._events = events
        self._catalog = catalog
        self._ledger = ledger
        self._store = store
        self._checks = checks
        self._declared = declared

    def liveness(self) -> HealthStatus:
        """The process answers."""
        return _health([])

    def readiness(self) -> HealthStatus:
        """Whether to send work here, and why not."""
        checks = {"store": self._store.health, **self._checks}
        reasons = [f"{name}: {reason}" for name, check in checks.items() if (reason := check())]
        return _health([*self._obstacles(), *reasons])

    def conformance(self) -> ConformanceHealth:
        """The profiles that are declared and can be served at this moment."""
        declared = set(self._declared())
        serves = not self._obstacles()
        keeps = serves and self._store.health() is None
        return ConformanceHealth(
            core=serves and "core" in declared,
            streaming=serves and "streaming" in declared,
            evented=keeps and "evented" in declared,
            full=keeps and "full" in declared,
        )

    def audit_lost(self) -> int:
        """Audit records given up since the start, because they could not be written."""
        return self._ledger.lost

    def in_flight(self) -> int:
        """Invocations running now."""
        return self._flights.count

    def capacity(self) -> int:
        """Invocations that may run at a time."""
        return self._flights.capacity

    def writes_waiting(self) -> int:
        """Operations that the store has taken and not committed yet."""
        return self._store.writes_waiting

    def lag(self) -> Lag:
        """How far the subscribers of this gateway are behind."""
        return self._events.lag()

    def providers(self) -> Mapping[str, bool]:
        """Every capability that is registered, and whether what runs it is there and well."""
        return {
            entry.id: entry.provider is not None and entry.provider.health().ok
            for entry in self._catalog.all()
        }

    def knows_capability(self, capability: str) -> bool:
        """Whether a capability of this id is registered, whoever may see it."""
        return self._catalog.find(capability) is not None

    def _obstacles(self) -> list[str]:
        """Why nothing new is run."""
        going = "the gateway is going down" if self._admission.draining else None
        known = (going, self._ledger.obstacle(), self._authenticator.obstacle())
        return [obstacle for obstacle in known if obstacle is not None]


def _health(reasons: list[str]) -> HealthStatus:
    return HealthStatus(status=HealthState.unavailable if reasons else HealthState.ok, reasons=reasons)
