"""The request/reply binding, put together on a connection."""

from __future__ import annotations

import asyncio
import contextlib

from mig_protocol.nats_server import NatsStub
from migd.bindings.nats.discovery import Discovery
from migd.bindings.nats.dispatch import Dispatch
from migd.bindings.nats.link import NatsLink
from migd.bindings.nats.peers import NoPeers, Peers
from migd.bindings.nats.sending import Sender
from migd.bindings.nats.service import GatewayService
from migd.bindings.nats.streams import Streams
from migd.core.clock import Clock
from migd.core.gateway import Gateway

_FLUSH_S = 2.0


class NatsBinding:
    """`start` it before the link, `stop_taking` before the gateway drains, `finish` after that."""

    def __init__(
        self,
        gateway: Gateway,
        link: NatsLink,
        *,
        clock: Clock,
        version: str,
        max_body_bytes: int,
        most_waiting: int,
        peers: Peers | None = None,
    ) -> None:
        known = peers or NoPeers()
        sender = Sender(link)
        self._streams = Streams(gateway, link, sender, clock.new_id)
        service = GatewayService(gateway, self._streams)
        stub = NatsStub(service, max_body_bytes=max_body_bytes)
        self._dispatch = Dispatch(link=link, stub=stub, sender=sender, peers=known, most_waiting=most_waiting)
        self._discovery = Discovery(
            link,
            sender,
            self._dispatch.endpoints,
            server_id=lambda: gateway.server_id,
            version=version,
            started=clock.now(),
        )

    async def start(self) -> None:
        """Take requests whenever there is a connection."""
        await self._dispatch.start()
        await self._discovery.start()

    async def stop_taking(self) -> None:
        """The gateway is going down: requests go to others from now on."""
        await self._discovery.stop()
        await self._dispatch.stop_taking()

    async def finish(self) -> None:
        """Every request has its answer and every stream its terminal frame, unless NATS takes them too
        slowly."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_S):
                await self._dispatch.ended()
                await self._streams.ended()
