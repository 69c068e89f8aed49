"""Holes in what came from another gateway, filled from its log."""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple

from nats import errors

from mig_protocol import codec
from mig_protocol.errors import MigFault
from mig_protocol.messages import EventMessage
from migd.bindings.nats.link import NatsLink
from migd.bindings.nats.mirror_messages import ReplayPage, ReplayRequest, decode, subject_of
from migd.core.mirroring import Head, MirrorPositions, Origin
from migd.core.neighbours import Neighbours
from migd.core.recorder import Recorder

_log = logging.getLogger("migd.mirror")

_AT_ONCE = 8
_ANSWER_S = 2.0


class Stretch(NamedTuple):
    """One topic of one other gateway's log."""

    log: str
    tenant_id: str
    topic: str


class CatchUp:
    """Asks for what is missing, page by page. Meanwhile what is live is passed over: it is in the other's log
    and comes with the rest, so that nothing has to be held here.

    What can not be had now is tried `again` when the other gateway announces itself.
    """

    def __init__(
        self, *, link: NatsLink, neighbours: Neighbours, positions: MirrorPositions, recorder: Recorder
    ) -> None:
        self._link = link
        self._neighbours = neighbours
        self._positions = positions
        self._recorder = recorder
        self._wanted: dict[Stretch, int] = {}
        self._left: set[Stretch] = set()
        self._told: set[Stretch] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    @property
    def behind(self) -> int:
        """Topics in which something is missing."""
        return len(self._wanted)

    def includes(self, stretch: Stretch, sequence: int) -> bool:
        """Whether the stretch is being caught up with; then it is, up to `sequence` at least."""
        if stretch not in self._wanted:
            return False
        self._wanted[stretch] = max(self._wanted[stretch], sequence)
        return True

    def begin(self, stretch: Stretch, sequence: int) -> None:
        """There is something missing before `sequence`."""
        if not self.includes(stretch, sequence):
            self._wanted[stretch] = sequence
            self._start(stretch)

    def again(self, log: str) -> None:
        """That gateway is there: what could not be had of it before may be had now."""
        for stretch in [stretch for stretch in self._left if stretch.log == log]:
            self._left.remove(stretch)
            self._start(stretch)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, stretch: Stretch) -> None:
        task = asyncio.create_task(self._run(stretch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, stretch: Stretch) -> None:
        try:
            async with self._at_once:
                after = await self._positions.last_taken(*stretch)
                while after < self._wanted[stretch]:
                    after = await self._page(stretch, after)
        except (errors.Error, OSError, MigFault) as error:
            self._tell(stretch, error)
            self._left.add(stretch)
        else:
            del self._wanted[stretch]
            self._told.discard(stretch)

    def _tell(self, stretch: Stretch, error: Exception) -> None:
        # Once: it is tried at every announcement.
        level = logging.DEBUG if stretch in self._told else logging.WARNING
        self._told.add(stretch)
        _log.log(
            level,
            "what another gateway has published is missing, and can not be had now",
            extra={"tenant_id": stretch.tenant_id, "topic": stretch.topic, "reason": _reason(error)},
        )

    async def _page(self, stretch: Stretch, after: int) -> int:
        """Where the next page begins."""
        request = ReplayRequest(tenant_id=stretch.tenant_id, topic=stretch.topic, after=after)
        answer = await self._link.client.request(
            subject_of(stretch.log, "replay"), codec.encode(request), timeout=_ANSWER_S
        )
        page = decode(ReplayPage, answer.data)
        if page is None or page.upto <= after:
            raise errors.Error("the other gateway's answer is not usable")
        await self._take(stretch, page, after)
        if page.torn:
            self._recorder.mirrored("lost", 1)
            _log.error(
                "events of another gateway were past its retention before they were fetched",
                extra={"tenant_id": stretch.tenant_id, "topic": stretch.topic, "after": after},
            )
        return page.upto

    async def _take(self, stretch: Stretch, page: ReplayPage, after: int) -> None:
        taking = []
        for raw in page.events:
            event = codec.decode(EventMessage, bytes(raw))
            if (event.header.tenant_id, event.topic) != (stretch.tenant_id, stretch.topic):
                raise errors.Error("the other gateway's answer is about another topic")
            taking.append(self._neighbours.take(event, Origin(stretch.log, event.sequence, after)))
            after = event.sequence
        for taken in await asyncio.gather(*taking):
            if taken.event is not None:
                self._recorder.mirrored("fetched", 1)
        # Between these and the end of the page there is nothing that would be missing.
        head = Head(stretch.tenant_id, stretch.topic, page.upto)
        await self._positions.skip(stretch.log, [head], join=False)


def _reason(error: Exception) -> str:
    if isinstance(error, errors.NoRespondersError):
        return "that gateway is not there"
    return str(error) or type(error).__name__
