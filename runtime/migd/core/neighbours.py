"""What one gateway is for another: the other side of the ports in `mirroring`."""

from __future__ import annotations

import asyncio

from mig_protocol.messages import CancelAck, CancelRequest, CancelStatus, EventMessage
from migd.core.call import Call
from migd.core.cancellation import Cancellation
from migd.core.events import Events
from migd.core.mirroring import Elsewhere, Mirror, Origin, Stopping
from migd.core.ports import Taken


class Neighbours:
    """Whatever connects gateways (NATS, say) `connect`s itself here, and hands in what it hears."""

    def __init__(self, events: Events, cancellation: Cancellation) -> None:
        self._events = events
        self._cancellation = cancellation

    def connect(self, mirror: Mirror, elsewhere: Elsewhere) -> None:
        """From now on others are told of what is published here, and asked for what is not running here."""
        self._events.mirror = mirror
        self._cancellation.elsewhere = elsewhere

    def take(self, event: EventMessage, origin: Origin) -> asyncio.Future[Taken]:
        """What another has published. Raises MigFault as `Events.take`, and gives what it does."""
        return self._events.take(event, origin)

    async def stop(self, tenant_id: str, target: str, reason: str, how: Stopping) -> CancelStatus:
        """What another was asked to CANCEL; see `Cancellation.stop_here`."""
        return await self._cancellation.stop_here(tenant_id, target, reason, how)

    async def cancel(self, call: Call, request: CancelRequest) -> CancelAck | None:
        """CANCEL that every gateway has got from the caller; see `Cancellation.cancel_with_others`."""
        return await self._cancellation.cancel_with_others(call, request)
