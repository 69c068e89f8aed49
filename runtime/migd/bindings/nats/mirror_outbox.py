"""What was published here, on its way to NATS: in order, and until it is known to be there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import NamedTuple

from nats import errors

from mig_protocol import subjects
from mig_protocol.errors import MigFault
from migd.bindings.nats.link import NatsLink
from migd.bindings.nats.mirror_event import mirrored_headers
from migd.bindings.nats.mirror_fence import Connection, Fence
from migd.bindings.nats.mirror_progress import Progress, Topic
from migd.core.clock import Clock
from migd.core.mirroring import Head, MirrorPositions, TopicKey
from migd.core.ports import EventLog, StoredEvent
from migd.core.recorder import Recorder

_log = logging.getLogger("migd.mirror")

_BATCH = 256
_LAST_S = 1.0
_PENDING_BYTES = 1024 * 1024
ROOM_BYTES = 4096
"""For what is around an event: NATS counts headers into the size of a message."""


class _Owed(NamedTuple):
    """Events of this gateway's own that have not gone out: all that there may be from `first` to `last`, or
    to the end of the log where `last` is 0.
    """

    first: int
    last: int

    def and_(self, other: _Owed | None) -> _Owed:
        return self if other is None else _Owed(min(self.first, other.first), max(self.last, other.last))


class Outbox:
    """Reads the log, so that it holds nothing but positions, however long NATS is away."""

    def __init__(
        self,
        *,
        link: NatsLink,
        fence: Fence,
        log: EventLog,
        positions: MirrorPositions,
        recorder: Recorder,
        clock: Clock,
    ) -> None:
        self._link = link
        self._fence = fence
        self._log = log
        self._positions = positions
        self._recorder = recorder
        self._server_id = ""
        self._progress = Progress(positions, clock)
        self._due: dict[TopicKey, _Owed] = {}
        self._unsure: dict[TopicKey, None] = {}
        self._changed: dict[TopicKey, None] = {}
        self._something = asyncio.Event()
        self._pumping: asyncio.Task[None] | None = None

    def start(self, server_id: str) -> None:
        self._server_id = server_id
        self._pumping = asyncio.create_task(self._pump())

    async def close(self) -> None:
        """What does not go out within a moment is owed at the next start."""
        with contextlib.suppress(TimeoutError, MigFault):
            async with asyncio.timeout(_LAST_S):
                await self._all_out()
        if self._pumping is not None:
            self._pumping.cancel()
            await asyncio.wait({self._pumping})
        await self._progress.close()

    def due(self, topic: TopicKey, sequence: int) -> None:
        """The event of this gateway's own at `sequence` is in the log."""
        self._owe(topic, _Owed(sequence, sequence))

    async def reached(self, topic: TopicKey, sequence: int) -> None:
        """As `due`; returns when NATS is known to have the event."""
        progress = await self._progress.of(topic)
        if progress.confirmed < sequence:
            self.due(topic, sequence)
            await progress.reached(sequence)

    async def resume(self) -> None:
        """There is a new connection: what was not confirmed on the one before goes out again."""
        for key, progress in list(self._progress.unconfirmed()):
            self._owe(key, _Owed(0, progress.sent))
            progress.begin_anew()
        place: int | None = 0
        while place is not None:
            page = await self._positions.outgoing(place, _BATCH, owed=True)
            for each in page:
                self._owe((each.tenant_id, each.topic), _Owed(0, each.own))
            place = page[-1].place if len(page) == _BATCH else None
        self._something.set()

    @property
    def owed(self) -> int:
        """Topics with events that NATS is not known to have."""
        return len({key for key, _ in self._progress.unconfirmed()} | self._due.keys())

    def look(self, topic: TopicKey) -> None:
        """There may be an event of this gateway's own soon: have a look at the next `nudge`."""
        self._unsure[topic] = None

    def nudge(self) -> None:
        """Try again what a failure may have left, and look where nobody is sure."""
        unsure, self._unsure = self._unsure, {}
        for key in unsure:
            self._owe(key, _Owed(0, 0))
        if self._due:
            self._something.set()

    async def heads(self, after: int, limit: int) -> tuple[list[Head], int | None]:
        """How far topics have gone out, by place; and the place where the next page begins."""
        page = await self._positions.outgoing(after, limit, owed=False)
        heads = [
            Head(each.tenant_id, each.topic, self._progress.sent((each.tenant_id, each.topic), each.mirrored))
            for each in page
        ]
        return heads, page[-1].place if len(page) == limit else None

    def changed(self, limit: int) -> list[Head]:
        """Up to `limit` of the topics that have gone further since they were last given."""
        keys = list(self._changed)[:limit]
        for key in keys:
            del self._changed[key]
        return [Head(*key, self._progress.sent(key, 0)) for key in keys]

    async def _all_out(self) -> None:
        if self._link.connected:
            ends = {key: progress.sent for key, progress in self._progress.unconfirmed()}
            ends.update((key, owed.last) for key, owed in self._due.items())
            for key, last in ends.items():
                await self.reached(key, last)

    async def _pump(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            if not self._link.connected:
                # `resume` sets it again.
                continue
            try:
                await self._round()
            except (errors.Error, OSError, MigFault) as error:
                # The connection, and then `resume` begins anew; or the store, and then `nudge` does.
                _log.warning("mirroring is interrupted", extra={"reason": str(error)})

    async def _round(self) -> None:
        connection = self._fence.connection
        due, self._due = self._due, {}
        try:
            for key, owed in due.items():
                await self._send(key, await self._progress.of(key), owed)
                self._check(connection)
            while not await self._fence.passed():
                self._check(connection)
            self._check(connection)
        except BaseException:
            for key, owed in due.items():
                self._owe(key, owed)
            raise
        for key in due:
            self._progress.confirm(key)

    def _check(self, connection: Connection) -> None:
        """What was sent on another connection than that of now is not known to have arrived."""
        if not self._link.connected or self._fence.connection != connection:
            raise errors.ConnectionClosedError

    async def _send(self, key: TopicKey, topic: Topic, owed: _Owed) -> None:
        """A batch of the topic's events; if there may be more, they are owed."""
        head = await self._log.head(*key)
        start = max(topic.looked, owed.first - 1)
        events = await self._log.read(*key, start, _BATCH)
        if start > topic.looked and not _follows(events, owed.first, topic.sent):
            # It is not simply the next one: what lies between has to be looked through.
            events = await self._log.read(*key, topic.looked, _BATCH)
        for event in events:
            if event.log is None and event.sequence > topic.sent:
                self._notice_loss(key, topic.sent, event.previous)
                await self._publish(key, topic, event)
            topic.looked = event.sequence
        if topic.looked < owed.last and (events or head < owed.last):
            self._owe(key, _Owed(0, owed.last))
        elif not owed.last and events and topic.looked < head:
            self._owe(key, owed)
        elif topic.sent < owed.last:
            self._notice_loss(key, topic.sent, owed.last)
            topic.sent = owed.last

    def _owe(self, key: TopicKey, owed: _Owed) -> None:
        self._due[key] = owed.and_(self._due.get(key))
        self._something.set()

    async def _publish(self, key: TopicKey, topic: Topic, event: StoredEvent) -> None:
        client = self._link.client
        previous, topic.sent = topic.sent, event.sequence
        if len(event.body) + ROOM_BYTES > client.max_payload:
            self._recorder.mirrored("lost", 1)
            _log.error(
                "an event is too large for NATS and is not mirrored: raise max_payload of the nats-server",
                extra={"tenant_id": key[0], "topic": key[1], "sequence": event.sequence},
            )
            return
        headers = mirrored_headers(event, self._server_id, self._positions.log, previous)
        client.put(subjects.events(*key), headers, event.body)
        if client.pending_data_size > _PENDING_BYTES:
            # NATS takes more slowly than the log gives.
            connection = self._fence.connection
            await self._fence.passed()
            self._check(connection)
        self._recorder.mirrored("sent", 1)
        self._changed[key] = None

    def _notice_loss(self, key: TopicKey, sent: int, last: int) -> None:
        if last > sent:
            self._recorder.mirrored("lost", 1)
            _log.error(
                "events were past retention before they could be mirrored",
                extra={"tenant_id": key[0], "topic": key[1], "after": sent, "last": last},
            )


def _follows(events: Sequence[StoredEvent], first: int, sent: int) -> bool:
    """Whether these begin with the event of this gateway's own right after `sent`."""
    return bool(events) and events[0].sequence == first and events[0].previous == sent
