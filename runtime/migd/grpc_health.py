"""grpc.health.v1: the gateway's readiness, as gRPC's load balancers and probes ask for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from grpc_health.v1 import health, health_pb2

from mig_protocol.messages import HealthState, HealthStatus

_States = health_pb2.HealthCheckResponse
_PERIOD_S = 1.0


class Health(health.aio.HealthServicer):  # type: ignore[misc,name-defined]
    """Check asks `readiness` each time; those who Watch hear of a change within a second.

    The server as a whole, named "", and each of `services` are in the same state.
    """

    def __init__(self, readiness: Callable[[], HealthStatus], services: Iterable[str]) -> None:
        super().__init__()
        self._readiness = readiness
        self._services = ("", *services)
        self._state: int | None = None

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        await self.refresh()
        return await super().Check(request, context)

    async def refresh(self) -> None:
        """Take over what the gateway says of itself now."""
        ready = self._readiness().status is HealthState.ok
        state = _States.SERVING if ready else _States.NOT_SERVING
        if state != self._state:
            self._state = state
            for name in self._services:
                await self.set(name, state)

    async def follow(self) -> None:
        """Refresh until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(_PERIOD_S)
