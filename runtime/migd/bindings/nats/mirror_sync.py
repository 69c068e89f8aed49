"""Finding out what was missed while away: the heads of another gateway's log against what was taken of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from nats import errors

from mig_protocol import codec
from mig_protocol.errors import MigFault
from migd.bindings.nats.link import NatsLink
from migd.bindings.nats.mirror_catch_up import CatchUp, Stretch
from migd.bindings.nats.mirror_intake import Intake
from migd.bindings.nats.mirror_messages import Announcement, HeadsPage, HeadsRequest, decode, subject_of
from migd.core.mirroring import Head, MirrorPositions

_log = logging.getLogger("migd.mirror")

_ANSWER_S = 2.0


class Sync:
    """Once for each other gateway and connection, in full; between, what it announces as changed.

    A log that was not known before is *joined*: what comes from then on is taken, as by a subscriber without
    a cursor, and of it nothing is missed from then on.
    """

    def __init__(
        self, *, link: NatsLink, intake: Intake, catch_up: CatchUp, positions: MirrorPositions
    ) -> None:
        self._link = link
        self._intake = intake
        self._catch_up = catch_up
        self._positions = positions
        self._synced: set[str] = set()
        self._running: dict[str, asyncio.Task[None]] = {}

    def begin_anew(self) -> None:
        """There is a new connection: any gateway may have gone on meanwhile."""
        self._synced.clear()

    def heard(self, announcement: Announcement) -> None:
        """Another gateway is there."""
        log = announcement.log
        self._catch_up.again(log)
        if log in self._running:
            # What it says now may be news to what is running: the next one is compared in full.
            self._synced.discard(log)
        else:
            task = asyncio.create_task(self._follow(log, announcement.heads))
            self._running[log] = task
            task.add_done_callback(lambda _: self._running.pop(log, None))

    async def close(self) -> None:
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, log: str, heads: Sequence[Head]) -> None:
        try:
            if log in self._synced:
                await self._compare(log, heads)
            else:
                self._synced.add(log)
                await self._all(log)
        except (errors.Error, OSError, MigFault) as error:
            self._synced.discard(log)
            _log.warning(
                "another gateway does not say how far it is; its next announcement is the next try",
                extra={"log": log, "reason": str(error) or type(error).__name__},
            )

    async def _all(self, log: str) -> None:
        known = await self._positions.knows(log)
        after: int | None = 0
        while after is not None:
            page = await self._page(log, after)
            if known:
                await self._compare(log, page.heads)
            else:
                # What had been sent by then is regarded as taken, so it has to be in the store's hands first.
                await self._intake.drained()
                await self._positions.skip(log, page.heads, join=False)
            after = page.next
        if not known:
            await self._positions.skip(log, [], join=True)

    async def _page(self, log: str, after: int) -> HeadsPage:
        request = codec.encode(HeadsRequest(after=after))
        answer = await self._link.client.request(subject_of(log, "heads"), request, timeout=_ANSWER_S)
        page = decode(HeadsPage, answer.data)
        if page is None or (page.next is not None and page.next <= after):
            raise errors.Error("its answer is not usable")
        return page

    async def _compare(self, log: str, heads: Sequence[Head]) -> None:
        # What is on its way already is not missing.
        await self._intake.drained()
        for head in heads:
            if head.sequence > await self._positions.last_taken(log, head.tenant_id, head.topic):
                self._catch_up.begin(Stretch(log, head.tenant_id, head.topic), head.sequence)
