"""Answers to gateways that have missed something: this gateway's own events, and how far they go."""

from __future__ import annotations

import msgspec
from nats.aio.msg import Msg

from mig_protocol import codec
from mig_protocol.errors import MigFault
from migd.bindings.nats.link import NatsLink
from migd.bindings.nats.mirror_messages import (
    HeadsPage,
    HeadsRequest,
    ReplayPage,
    ReplayRequest,
    decode,
    subject_of,
)
from migd.bindings.nats.mirror_outbox import ROOM_BYTES, Outbox
from migd.core.ports import EventLog

_HEADS = 256
_EVENTS = 256


class Replay:
    """Nothing is kept between one page and the next."""

    def __init__(self, *, link: NatsLink, log: EventLog, outbox: Outbox) -> None:
        self._link = link
        self._log = log
        self._outbox = outbox

    async def start(self, log_id: str) -> None:
        await self._link.subscribe(subject_of(log_id, "replay"), self._replay)
        await self._link.subscribe(subject_of(log_id, "heads"), self._heads)

    async def _heads(self, message: Msg) -> None:
        request = decode(HeadsRequest, message.data)
        if request is None or not message.reply:
            return
        heads, following = await self._outbox.heads(request.after, _HEADS)
        await message.respond(codec.encode(HeadsPage(heads=heads, next=following)))

    async def _replay(self, message: Msg) -> None:
        request = decode(ReplayRequest, message.data)
        if request is None or not message.reply:
            return
        try:
            page = await self._page(request)
        except MigFault:
            # Unanswered: who asks will ask again, and the store's trouble is told where it is found.
            return
        await message.respond(codec.encode(page))

    async def _page(self, request: ReplayRequest) -> ReplayPage:
        topic = (request.tenant_id, request.topic)
        head = await self._log.head(*topic)
        events = await self._log.read(*topic, request.after, _EVENTS)
        if not events:
            return ReplayPage(upto=max(head, request.after), torn=head > request.after, events=[])
        room = most = self._link.client.max_payload - ROOM_BYTES
        upto, previous, torn = request.after, request.after, False
        kept: list[msgspec.Raw] = []
        for event in events:
            # What is too large for NATS has been told by the outbox.
            if event.log is None and len(event.body) <= most:
                room -= len(event.body) + 1
                if room < 0 and kept:
                    break
                torn = torn or event.previous > previous
                previous = event.sequence
                kept.append(msgspec.Raw(event.body))
            upto = event.sequence
        return ReplayPage(upto=upto, torn=torn, events=kept)
