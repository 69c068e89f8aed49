"""Events between gateways over NATS (protocol section 6, mirroring)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from nats import errors

from migd.bindings.nats.link import NatsLink
from migd.bindings.nats.mirror_catch_up import CatchUp
from migd.bindings.nats.mirror_fence import Fence
from migd.bindings.nats.mirror_intake import Intake
from migd.bindings.nats.mirror_messages import Announcement, State, subject_of
from migd.bindings.nats.mirror_outbox import Outbox
from migd.bindings.nats.mirror_peers import NatsPeers
from migd.bindings.nats.mirror_replay import Replay
from migd.bindings.nats.mirror_sync import Sync
from migd.core.clock import Clock
from migd.core.neighbours import Neighbours
from migd.core.ports import Store
from migd.core.recorder import Recorder

_log = logging.getLogger("migd.mirror")

_HEADS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorTimes:
    """Seconds. A publish waits for NATS no longer than `fence_s`, twice. Gateways announce themselves every
    `announce_s`; one that was silent for `silent_s` is taken for gone. A CANCEL waits `answer_s` for others.
    """

    fence_s: float = 0.25
    announce_s: float = 2.0
    silent_s: float = 7.0
    answer_s: float = 0.3


class NatsMirror:
    """`migd.core.mirroring.Mirror` over NATS. Start it when the store is open, close it before the link."""

    def __init__(
        self,
        *,
        link: NatsLink,
        neighbours: Neighbours,
        store: Store,
        recorder: Recorder,
        clock: Clock,
        server_id: Callable[[], str],
        serves: bool,
        times: MirrorTimes | None = None,
    ) -> None:
        self._times = times or MirrorTimes()
        self._link = link
        self._server_id = server_id
        self._neighbours = neighbours
        self._positions = store.mirror
        self._fence = Fence(link, clock, self._times.fence_s)
        self._outbox = Outbox(
            link=link,
            fence=self._fence,
            log=store.events,
            positions=store.mirror,
            recorder=recorder,
            clock=clock,
        )
        self._replay = Replay(link=link, log=store.events, outbox=self._outbox)
        self._catch_up = CatchUp(link=link, neighbours=neighbours, positions=store.mirror, recorder=recorder)
        self._intake = Intake(
            link=link,
            neighbours=neighbours,
            catch_up=self._catch_up,
            recorder=recorder,
        )
        self._sync = Sync(link=link, intake=self._intake, catch_up=self._catch_up, positions=store.mirror)
        self.peers = NatsPeers(
            link=link,
            neighbours=neighbours,
            clock=clock,
            silent_s=self._times.silent_s,
            answer_s=self._times.answer_s,
            serves=serves,
        )
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Whether NATS is there or not: it begins to mirror when it is."""
        log_id, server_id = self._positions.log, self._server_id()
        await self._positions.begin()
        await self._fence.start(subject_of(log_id, "fence"))
        await self._intake.start(log_id, server_id)
        await self._replay.start(log_id)
        await self.peers.start(log_id, server_id, self._heard)
        self._outbox.start(server_id)
        self._neighbours.connect(self, self.peers)
        self._link.on_connected(self._connected)
        if self._link.connected:
            await self._connected()
        self._run(self._beat())

    async def close(self) -> None:
        """Send what is still to be sent, for a moment; the others know at once that this gateway is gone."""
        await self._outbox.close()
        if self._link.connected:
            await self._announce("leaving")
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._sync.close()
        await self._catch_up.close()

    @property
    def owed(self) -> int:
        """Topics with events that have not gone out."""
        return self._outbox.owed

    @property
    def missing(self) -> int:
        """Topics in which events of another gateway are missing."""
        return self._catch_up.behind

    async def before_append(self) -> None:
        if not self._with_others():
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._times.fence_s):
                if await self._fence.passed():
                    await self._intake.drained()

    async def appended(self, tenant_id: str, topic: str, sequence: int) -> None:
        if not self._with_others():
            self._outbox.due((tenant_id, topic), sequence)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._times.fence_s):
                await self._outbox.reached((tenant_id, topic), sequence)

    def interrupted(self, tenant_id: str, topic: str) -> None:
        self._outbox.look((tenant_id, topic))

    def _with_others(self) -> bool:
        """Alone there is no order to keep, and nobody to wait for."""
        return self._link.connected and bool(self.peers.live())

    async def _connected(self) -> None:
        self._fence.broken()
        self._sync.begin_anew()
        await self._outbox.resume()
        await self._announce("asking")

    def _heard(self, announcement: Announcement) -> None:
        if announcement.state == "asking":
            self._run(self._announce("here"))
        self._sync.heard(announcement)

    async def _beat(self) -> None:
        while True:
            # Spread, so that many gateways do not all speak at once.
            await asyncio.sleep(self._times.announce_s * random.uniform(0.75, 1.25))  # noqa: S311
            self._outbox.nudge()
            if self._link.connected:
                await self._announce("here")

    async def _announce(self, state: State) -> None:
        """Everything that has changed, in as many messages as it takes."""
        heads = self._outbox.changed(_HEADS)
        try:
            await self.peers.announce(state, heads)
            while heads := self._outbox.changed(_HEADS):
                await self.peers.announce("here", heads)
        except (errors.Error, OSError) as error:
            # The heads are not said; at the next connection the others ask for all of them.
            _log.debug("can not be announced now", extra={"reason": str(error)})

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
