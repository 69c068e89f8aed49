"""Several gateways as one: what the core asks of whatever connects them (protocol section 6).

Every gateway has an event log of its own. What is published on one is appended there and mirrored; the
others *take* it into theirs. So each has every event once, under sequences of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from mig_protocol.messages import CancelStatus

TopicKey = tuple[str, str]
"""(tenant id, topic name)."""


class Origin(NamedTuple):
    """Where an event of another gateway lies.

    `log` identifies that gateway's event log, `sequence` the event in it. Of the events of this topic that
    were published there, the one before it has the sequence `previous`, 0 where there is none. A `sequence`
    of 0 stands for a gateway that does not tell.
    """

    log: str
    sequence: int
    previous: int


class Head(NamedTuple):
    """How far a topic has been mirrored: the sequence in its gateway's log."""

    tenant_id: str
    topic: str
    sequence: int


class Outgoing(NamedTuple):
    """A topic that has events of this gateway's own: the sequence of the last of them, and that of the last
    that is known to have been mirrored. `place` orders the topics.
    """

    place: int
    tenant_id: str
    topic: str
    own: int
    mirrored: int


class MirrorPositions(Protocol):
    """How far this gateway's events have been mirrored, and how far those of others have been taken.

    Of at most so many other logs: the one that has been silent for longest is forgotten.
    """

    @property
    def log(self) -> str:
        """The id of this store's event log, as long as that lives. There once the store is open."""

    async def begin(self) -> None:
        """Mirroring begins: what was published before the first time is not owed to anybody."""

    async def outgoing(self, after: int, limit: int, *, owed: bool) -> Sequence[Outgoing]:
        """Up to `limit` topics with a place above `after`, ascending; with `owed` only those of which
        there is something to mirror.
        """

    async def mirrored(self, tenant_id: str, topic: str) -> int:
        """The sequence up to which this gateway's events of the topic are known to have been mirrored."""

    async def put_mirrored(self, heads: Sequence[Head]) -> None: ...
    async def knows(self, log: str) -> bool:
        """Whether this gateway has joined that log: owes itself every event of it that it has not taken."""

    async def last_taken(self, log: str, tenant_id: str, topic: str) -> int:
        """0 when none was."""

    async def skip(self, log: str, heads: Sequence[Head], *, join: bool) -> None:
        """Regard everything up to these heads as taken; `join`: and from now on as known."""


class Mirror(Protocol):
    """Carries published events to the other gateways. Neither method fails, or waits without a bound."""

    async def before_append(self) -> None:
        """Returns when whatever another gateway has acknowledged before this call is in the log, or on its
        way into it ahead of whatever is appended next.
        """

    async def appended(self, tenant_id: str, topic: str, sequence: int) -> None:
        """Returns when the event of this gateway at `sequence` has been mirrored; if it can not be now, it
        will be.
        """

    def interrupted(self, tenant_id: str, topic: str) -> None:
        """An append was not waited for to its end: there may be an event of which `appended` is not told."""


class NoMirror:
    """One gateway by itself."""

    async def before_append(self) -> None: ...
    async def appended(self, tenant_id: str, topic: str, sequence: int) -> None: ...
    def interrupted(self, tenant_id: str, topic: str) -> None: ...


Stopping = Literal["look", "stop", "bury"]
"""look: only tell. stop: stop what runs. bury: also refuse what is not known, should it arrive."""


class Elsewhere(Protocol):
    """The invocations that run on other gateways."""

    async def stop(self, tenant_id: str, target: str, reason: str, how: Stopping) -> CancelStatus:
        """What became of the target on the other gateways; `pending` where none of them knows it."""

    async def look(self, tenant_id: str, target: str, reason: str) -> CancelStatus | None:
        """Of a request to CANCEL that every gateway has got which takes requests: None where one of those
        knows the target, and so answers. The others are told by this, and what became of it there is given.
        """

    def leads(self) -> bool:
        """Whether this gateway is the one that speaks for all that take requests where one has to."""
