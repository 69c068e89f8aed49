"""Which other gateways there are, and what they know of an invocation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from nats import errors
from nats.aio.msg import Msg

from mig_protocol import codec
from mig_protocol.messages import CancelStatus
from migd.bindings.nats.link import NatsLink
from migd.bindings.nats.mirror_messages import (
    ANNOUNCE,
    STOP,
    Announcement,
    State,
    StopAnswer,
    StopRequest,
    decode,
    subject_of,
)
from migd.core.clock import Clock
from migd.core.mirroring import Head, Stopping
from migd.core.neighbours import Neighbours

_log = logging.getLogger("migd.mirror")

_MOST_PEERS = 1024

Heard = Callable[[Announcement], None]


class NatsPeers:
    """The gateways that have announced themselves lately: `Elsewhere` for the core, `Peers` for the binding.

    One that has been silent for `silent_s` is taken for gone. `answer_s` is how long a CANCEL waits for those
    that do not answer. `serves` is whether this one takes requests over NATS: those that do not are told of
    every CANCEL, and speak for nobody.
    """

    def __init__(
        self,
        *,
        link: NatsLink,
        neighbours: Neighbours,
        clock: Clock,
        silent_s: float,
        answer_s: float,
        serves: bool,
    ) -> None:
        self._link = link
        self._neighbours = neighbours
        self._clock = clock
        self._silent_s = silent_s
        self._answer_s = answer_s
        self._serves = serves
        self._log_id = self._server_id = ""
        self._started_at: datetime = clock.now()
        self._heard_at: dict[str, float] = {}
        self._serving: set[str] = set()
        self._asked: dict[int, _Asked] = {}
        self._number = 0
        self._listener: Heard | None = None
        self._told_of_copy = False

    async def start(self, log_id: str, server_id: str, heard: Heard) -> None:
        """`heard` is given every announcement of another gateway that is there."""
        self._log_id, self._server_id = log_id, server_id
        self._listener = heard
        await self._link.subscribe(ANNOUNCE, self._announced)
        await self._link.subscribe(STOP, self._stop)
        await self._link.subscribe(f"{subject_of(log_id, 'answers')}.*", self._answered)

    def live(self) -> set[str]:
        """The logs of the others that are there."""
        oldest = self._clock.monotonic() - self._silent_s
        for log in [log for log, heard_at in self._heard_at.items() if heard_at < oldest]:
            del self._heard_at[log]
            self._serving.discard(log)
            _log.info("another gateway is silent", extra={"log": log})
        return set(self._heard_at)

    def leads(self) -> bool:
        """The same one of them all, as long as they hear each other."""
        return all(self._log_id < other for other in self.live() & self._serving)

    async def answers_for_all(self, tenant_id: str, target: str) -> bool:  # noqa: ARG002 - the port's signature
        return self.leads()

    async def announce(self, state: State, heads: list[Head]) -> None:
        """Raises nats.errors.Error or OSError without a connection."""
        announcement = Announcement(
            server_id=self._server_id,
            log=self._log_id,
            started_at=self._started_at,
            state=state,
            heads=heads,
            serves=self._serves,
        )
        await self._link.client.publish(ANNOUNCE, codec.encode(announcement))

    async def stop(self, tenant_id: str, target: str, reason: str, how: Stopping) -> CancelStatus:
        """Ask every gateway that is there; the best of what they answer in time (see `Elsewhere.stop`)."""
        return (await self._ask(tenant_id, target, reason, how)).status

    async def look(self, tenant_id: str, target: str, reason: str) -> CancelStatus | None:
        """See `Elsewhere.look`."""
        asked = await self._ask(tenant_id, target, reason, "look")
        return None if asked.known_where_served else asked.status

    async def _ask(self, tenant_id: str, target: str, reason: str, how: Stopping) -> _Asked:
        others = self.live()
        asked = _Asked(others)
        if not others or not self._link.connected:
            return asked
        self._number += 1
        number = self._number
        self._asked[number] = asked
        request = StopRequest(log=self._log_id, tenant_id=tenant_id, target=target, reason=reason, how=how)
        try:
            reply = f"{subject_of(self._log_id, 'answers')}.{number}"
            await self._link.client.publish(STOP, codec.encode(request), reply=reply)
            await asyncio.wait({asked.over}, timeout=self._answer_s)
        except (errors.Error, OSError) as error:
            _log.warning("other gateways can not be asked to cancel", extra={"reason": str(error)})
        finally:
            del self._asked[number]
        return asked

    async def _announced(self, message: Msg) -> None:
        announcement = decode(Announcement, message.data)
        if announcement is None or self._is_own(announcement):
            return
        if announcement.state == "leaving":
            self._heard_at.pop(announcement.log, None)
            self._serving.discard(announcement.log)
            return
        if announcement.log not in self._heard_at:
            if len(self.live()) >= _MOST_PEERS:
                return
            _log.info("another gateway is there", extra={"server_id": announcement.server_id})
        self._heard_at[announcement.log] = self._clock.monotonic()
        if announcement.serves:
            self._serving.add(announcement.log)
        if self._listener is not None:
            self._listener(announcement)

    def _is_own(self, announcement: Announcement) -> bool:
        if announcement.log != self._log_id:
            return False
        if announcement.started_at != self._started_at and not self._told_of_copy:
            self._told_of_copy = True
            _log.error(
                "another gateway has the event log of this one, and neither hears the other: give each a"
                " MIGD_DATA_DIR of its own, and copy a store with migd backup and migd restore only",
                extra={"server_id": announcement.server_id},
            )
        return True

    async def _stop(self, message: Msg) -> None:
        request = decode(StopRequest, message.data)
        if request is None or request.log == self._log_id:
            return
        # Who has not got the request that is looked after has to act on it here.
        how = "stop" if request.how == "look" and not self._serves else request.how
        status = await self._neighbours.stop(request.tenant_id, request.target, request.reason, how)
        answer = StopAnswer(log=self._log_id, status=status, serves=self._serves)
        await message.respond(codec.encode(answer))

    async def _answered(self, message: Msg) -> None:
        answer = decode(StopAnswer, message.data)
        number = message.subject.rpartition(".")[2]
        asked = self._asked.get(int(number)) if number.isdigit() else None
        if answer is not None and asked is not None:
            asked.take(answer)


class _Asked:
    """One question to all others."""

    def __init__(self, others: set[str]) -> None:
        self._silent = set(others)
        self.status = CancelStatus.pending
        self.known_where_served = False
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self, answer: StopAnswer) -> None:
        self._silent.discard(answer.log)
        if answer.serves and answer.status is not CancelStatus.pending:
            self.known_where_served = True
        if answer.status is CancelStatus.cancelled or self.status is CancelStatus.pending:
            self.status = answer.status
        # Who has cancelled it knows best; that another one has had it and is done may not be all.
        over = not self._silent or self.status is CancelStatus.cancelled
        if over and not self.over.done():
            self.over.set_result(None)
