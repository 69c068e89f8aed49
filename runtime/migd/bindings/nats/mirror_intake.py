"""What other gateways have published, on its way into the log."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from functools import partial

from nats.aio.msg import Msg

from mig_protocol import subjects
from mig_protocol.errors import MigFault
from migd.bindings.nats.link import NatsLink
from migd.bindings.nats.mirror_catch_up import CatchUp, Stretch
from migd.bindings.nats.mirror_event import Mirrored, read_mirrored
from migd.bindings.nats.mirror_messages import LOG_HEADER, ORIGIN_HEADER
from migd.bindings.nats.subscription import LinkSubscription
from migd.core.mirroring import Origin
from migd.core.neighbours import Neighbours
from migd.core.ports import Taken
from migd.core.recorder import Recorder

_log = logging.getLogger("migd.mirror")

_MOST_WAITING = 512
"""Events that have been handed to the store and have no outcome yet; beyond, NATS waits."""
_MOST_IDS = 4096
"""How many event ids are remembered of gateways that do not number what they send."""


class Intake:
    """One subscription, in order. It does not wait for the store, which keeps what it is handed in order."""

    def __init__(
        self,
        *,
        link: NatsLink,
        neighbours: Neighbours,
        catch_up: CatchUp,
        recorder: Recorder,
    ) -> None:
        self._link = link
        self._neighbours = neighbours
        self._catch_up = catch_up
        self._recorder = recorder
        self._server_id = self._log_id = ""
        self._subscription: LinkSubscription | None = None
        self._begun = 0
        self._done = 0
        self._draining: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._waiting: deque[asyncio.Future[Taken]] = deque()
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._told = False

    async def start(self, log_id: str, server_id: str) -> None:
        """Those of this gateway, whose own events come back to it and are passed over."""
        self._log_id, self._server_id = log_id, server_id
        self._subscription = await self._link.subscribe(subjects.SUBSCRIPTIONS["PUBLISH"], self._receive)

    async def drained(self) -> None:
        """Returns when all that had arrived is in the store's hands."""
        target = self._begun + (self._subscription.waiting if self._subscription else 0)
        if self._done < target:
            drained: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._draining.append((target, drained))
            await drained

    async def _receive(self, message: Msg) -> None:
        self._begun += 1
        try:
            headers = message.headers
            if headers and ORIGIN_HEADER in headers and not self._is_own(headers):
                await self._take(message, headers)
        finally:
            self._done = self._begun
            while self._draining and self._draining[0][0] <= self._done:
                _, drained = self._draining.popleft()
                if not drained.done():
                    drained.set_result(None)

    def _is_own(self, headers: dict[str, str]) -> bool:
        log = headers.get(LOG_HEADER)
        return log == self._log_id if log else headers[ORIGIN_HEADER] == self._server_id

    async def _take(self, message: Msg, headers: dict[str, str]) -> None:
        try:
            mirrored = read_mirrored(message, headers)
        except MigFault as fault:
            self._recorder.mirrored("malformed", 1)
            if not self._told:
                # Once: whoever can publish on these subjects could fill the log otherwise.
                self._told = True
                _log.warning(
                    "a message on NATS is no event and is dropped; further ones are only counted",
                    extra={"subject": message.subject[:256], "reason": fault.message[:256]},
                )
            return
        stretch = Stretch(mirrored.origin.log, mirrored.event.header.tenant_id, mirrored.event.topic)
        if self._is_repeated(mirrored):
            self._recorder.mirrored("repeated", 1)
        elif not self._catch_up.includes(stretch, mirrored.origin.sequence):
            await self._hand_over(stretch, mirrored)

    def _is_repeated(self, mirrored: Mirrored) -> bool:
        if mirrored.origin.sequence:
            # The store knows better, and for longer.
            return False
        event_id = mirrored.event.event_id
        if event_id in self._ids:
            return True
        self._ids[event_id] = None
        if len(self._ids) > _MOST_IDS:
            self._ids.popitem(last=False)
        return False

    async def _hand_over(self, stretch: Stretch, mirrored: Mirrored) -> None:
        try:
            taking = self._neighbours.take(*mirrored)
        except MigFault as fault:
            self._refused(stretch, mirrored.origin, str(fault))
            return
        taking.add_done_callback(partial(self._settled, stretch, mirrored.origin))
        self._waiting.append(taking)
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft()
        if len(self._waiting) > _MOST_WAITING:
            await asyncio.wait({self._waiting[0]})

    def _settled(self, stretch: Stretch, origin: Origin, taking: asyncio.Future[Taken]) -> None:
        error = taking.exception()
        if error is not None:
            self._refused(stretch, origin, str(error))
            return
        event, last = taking.result()
        if event is not None:
            self._recorder.mirrored("received", 1)
        elif last >= origin.sequence:
            self._recorder.mirrored("repeated", 1)
        else:
            self._catch_up.begin(stretch, origin.sequence)

    def _refused(self, stretch: Stretch, origin: Origin, reason: str) -> None:
        self._recorder.mirrored("refused", 1)
        if origin.sequence:
            # Which says so, if it can not be had later either.
            self._catch_up.begin(stretch, origin.sequence)
        else:
            _log.debug("an event of another gateway is not stored", extra={"reason": reason})
