"""How far each topic's events have gone out, in this run and, later than that, in the store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

from mig_protocol.errors import MigFault
from migd.core.clock import Clock, Timer
from migd.core.mirroring import Head, MirrorPositions, TopicKey

_log = logging.getLogger("migd.mirror")

_SAVE_S = 0.2


class Topic:
    """`looked` is how far the log has been gone through; `sent` and `confirmed` are events of this gateway's
    own: the last one that was handed to NATS, and the last one that is known to have reached it.
    """

    __slots__ = ("confirmed", "looked", "sent", "waiting")

    def __init__(self, confirmed: int) -> None:
        self.looked = self.sent = self.confirmed = confirmed
        self.waiting: list[tuple[int, asyncio.Future[None]]] = []

    async def reached(self, sequence: int) -> None:
        """Returns when NATS is known to have everything up to `sequence`."""
        if self.confirmed < sequence:
            reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.waiting.append((sequence, reached))
            await reached

    def begin_anew(self) -> None:
        """From what NATS is known to have."""
        self.looked = self.sent = self.confirmed

    def confirm(self) -> None:
        """NATS has what was sent."""
        self.confirmed = self.sent
        still = []
        for sequence, reached in self.waiting:
            if sequence > self.confirmed:
                still.append((sequence, reached))
            elif not reached.done():
                reached.set_result(None)
        self.waiting = still


class Progress:
    """Of the topics that something was published on in this run. What is kept lags: after a crash a few
    events go out once more, and nobody takes them twice.
    """

    def __init__(self, positions: MirrorPositions, clock: Clock) -> None:
        self._positions = positions
        self._clock = clock
        self._topics: dict[TopicKey, Topic] = {}
        self._unsaved: dict[TopicKey, int] = {}
        self._due: Timer | None = None
        self._saving: asyncio.Task[None] | None = None

    async def of(self, key: TopicKey) -> Topic:
        """Raises MigFault when the store can not say."""
        topic = self._topics.get(key)
        if topic is None:
            confirmed = await self._positions.mirrored(*key)
            topic = self._topics.setdefault(key, Topic(confirmed))
        return topic

    def sent(self, key: TopicKey, otherwise: int) -> int:
        topic = self._topics.get(key)
        return otherwise if topic is None else topic.sent

    def unconfirmed(self) -> Iterator[tuple[TopicKey, Topic]]:
        """What may not have reached NATS."""
        return ((key, topic) for key, topic in self._topics.items() if topic.sent > topic.confirmed)

    def confirm(self, key: TopicKey) -> None:
        """NATS has what was sent of the topic."""
        topic = self._topics[key]
        if topic.sent > topic.confirmed:
            self._unsaved[key] = topic.sent
            if self._due is None:
                self._due = self._clock.call_at(self._clock.monotonic() + _SAVE_S, self._save_soon)
        topic.confirm()

    async def close(self) -> None:
        """Keep the last of it."""
        if self._due is not None:
            self._due.cancel()
        if self._saving is not None:
            await asyncio.wait({self._saving})
        await self._save()

    def _save_soon(self) -> None:
        self._due = None
        self._saving = asyncio.create_task(self._save())

    async def _save(self) -> None:
        unsaved, self._unsaved = self._unsaved, {}
        try:
            await self._positions.put_mirrored([Head(*key, sequence) for key, sequence in unsaved.items()])
        except MigFault as fault:
            _log.warning("how far events are mirrored can not be kept", extra={"reason": fault.message})
