"""The store port: everything that the gateway keeps, and what each keeper promises.

A store has one part per concern. Reads on the path of every invocation are plain methods and answer
from memory; what must outlive the process before it is acknowledged is a coroutine that returns after
the commit. An adapter that loses its data with the process (memory) keeps the same contract except
for that one promise, which it states by `durable`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from mig_protocol.messages import CapabilityDescriptor, GatewayRecord, Org, Tenant
from migd.core.audit import AuditStore
from migd.core.clock import Clock
from migd.core.mirroring import MirrorPositions, Origin
from migd.core.provider import JsonObject

BATCH_BYTES = 64 * 1024
"""A batch of events ends with the one that brings its bodies to this: it bounds what is held for a reader
that does not keep up."""


class StoredEvent:
    """One event of a topic's log: its place, and its EventMessage encoded once for every reader.

    `body` is the EventMessage JSON with `"replay":false`, the last property of the object. `log` is that of
    the gateway that it was published on, None when that is this one: then `previous` is the sequence of the
    event of this topic that was published here before it, 0 when there is none.
    """

    __slots__ = (
        "_framings",
        "_replay_body",
        "body",
        "event_id",
        "log",
        "previous",
        "published_at",
        "sequence",
    )

    def __init__(
        self,
        *,
        sequence: int,
        event_id: str,
        published_at: datetime,
        body: bytes,
        log: str | None = None,
        previous: int = 0,
    ) -> None:
        self.log = log
        self.previous = previous
        self.sequence = sequence
        self.event_id = event_id
        self.published_at = published_at
        self.body = body
        self._replay_body: bytes | None = None
        self._framings: dict[tuple[str, bool], bytes] | None = None

    def json(self, replay: bool) -> bytes:
        """The EventMessage as JSON, marked as replayed or live."""
        if not replay:
            return self.body
        if self._replay_body is None:
            self._replay_body = self.body.removesuffix(b"false}") + b"true}"
        return self._replay_body

    def framed(self, framing: str, replay: bool, build: Callable[[StoredEvent, bool], bytes]) -> bytes:
        """A binding's framing of this event, built on first use and then shared by all its readers."""
        if self._framings is None:
            self._framings = {}
        key = (framing, replay)
        frame = self._framings.get(key)
        if frame is None:
            frame = self._framings[key] = build(self, replay)
        return frame


class EventDraft(Protocol):
    """An event that has no sequence yet."""

    @property
    def event_id(self) -> str: ...
    @property
    def published_at(self) -> datetime: ...
    def encode(self, sequence: int) -> bytes:
        """The EventMessage JSON at that sequence, as `StoredEvent.body` wants it."""


class Taken(NamedTuple):
    """What became of an event of another gateway.

    `event` is None when it was not appended. `last` is the sequence, in the other's log, up to which this
    topic's events have now been taken: one below the event's own says that there is a hole before it.
    """

    event: StoredEvent | None
    last: int


class EventLog(Protocol):
    """Per (tenant, topic): an append-only log with contiguous sequences from 1, bounded by retention."""

    async def append(
        self, tenant_id: str, topic: str, draft: EventDraft, idempotency_key: str | None
    ) -> tuple[StoredEvent, bool]:
        """Append, commit, and give the event back; True when the key had been used: then the first event.

        Raises MigFault MIG_RATE_LIMITED when the tenant would have more topics than is allowed.
        """

    def take(self, tenant_id: str, topic: str, draft: EventDraft, origin: Origin) -> asyncio.Future[Taken]:
        """Append an event of another gateway, and in the same commit remember that it was taken.

        It is not appended when it, or a later one, has been taken before, nor when one before it has not:
        see `Taken`. What is handed in first is decided first, before it has been waited for. The future fails
        with, or the call raises, MigFault as `append` does.
        """

    async def read(self, tenant_id: str, topic: str, after: int, limit: int) -> Sequence[StoredEvent]:
        """Up to `limit` retained events with sequence > `after`, ascending, in a batch of BATCH_BYTES."""

    async def head(self, tenant_id: str, topic: str) -> int:
        """The highest sequence ever given, 0 for an unknown topic."""


class ConsumerName(NamedTuple):
    """Whose place in which topic."""

    tenant_id: str
    topic: str
    consumer_id: str


class ConsumerStore(Protocol):
    """How far each named consumer of a topic has got: the sequence of the last event that it has taken.

    A name that nothing was heard of for a window is forgotten.
    """

    async def resume(self, name: ConsumerName, otherwise: int) -> int:
        """The position kept under the name; a name that is not known is kept at `otherwise` from now on.

        Raises MigFault MIG_RATE_LIMITED when the tenant would have more names than is allowed.
        """

    async def move(self, name: ConsumerName, position: int) -> None:
        """Keep this position, be it before or after the one kept. Raises MigFault as `resume` does."""

    def taken(self, name: ConsumerName, position: int) -> None:
        """The consumer is there and has got so far. It is written soon after; a crash may lose the last
        moments of it. A position before the one kept changes nothing.
        """

    def hurry(self) -> None:
        """Write now what `taken` has left for later."""


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """The first success under a key: a digest of what was asked, and the payload of the answer."""

    digest: bytes
    payload: JsonObject


class IdempotencyStore(Protocol):
    """Successes by (tenant, capability, key), each for a window that starts when it is put."""

    async def get(self, tenant_id: str, capability: str, key: str) -> IdempotencyRecord | None: ...
    async def put(
        self, tenant_id: str, capability: str, key: str, record: IdempotencyRecord, window_s: float
    ) -> None: ...


class TombstoneStore(Protocol):
    """Cancellations that came before their target, each for a window."""

    def reason(self, tenant_id: str, message_id: str) -> str | None:
        """The reason given ("" if none) while the tombstone stands; None when there is none."""

    async def put(self, tenant_id: str, message_id: str, reason: str, window_s: float) -> None: ...


class CatalogStore(Protocol):
    """Descriptors and schemas registered while running."""

    async def put_capability(self, descriptor: CapabilityDescriptor) -> None: ...
    async def put_schema(self, uri: str, schema: JsonObject) -> None: ...
    async def capabilities(self) -> Sequence[CapabilityDescriptor]: ...
    async def schemas(self) -> Mapping[str, JsonObject]: ...


class QuotaStore(Protocol):
    """How many invocations a tenant may run in all, and how many it has run against that.

    Counted are those of tenants that have a limit, from their first one on.
    """

    def limit(self, tenant_id: str) -> int | None: ...
    def used(self, tenant_id: str) -> int: ...
    async def set_limit(self, tenant_id: str, max_invocations: int) -> None: ...
    async def debit(self, tenant_id: str) -> bool:
        """Take one, committed; False, and nothing taken, when none is left.

        A caller that is cancelled while it waits has taken nothing: what was taken for it is given back. A
        crash before that gives the tenant one too few, and never one too many.
        """


class UsageStore(Protocol):
    """What has run, by tenant and by capability; the two always add up to the same total."""

    def count(self, tenant_id: str, capability: str) -> None: ...
    async def by_tenant(self) -> Mapping[str, int]: ...
    async def by_capability(self) -> Mapping[str, int]: ...


class DirectoryStore(Protocol):
    """Organisations, their tenants, and the gateways that serve them."""

    async def put_org(self, org: Org) -> bool:
        """False, and nothing changed, when the id is taken; so for the other two."""

    async def put_tenant(self, tenant: Tenant) -> bool: ...
    async def put_gateway(self, gateway: GatewayRecord) -> bool: ...
    async def has_org(self, org_id: str) -> bool: ...
    async def has_tenant(self, tenant_id: str) -> bool: ...


def new_server_id(clock: Clock) -> str:
    """A name for a gateway that was given none: what a store makes when it is first opened."""
    return f"migd-{clock.new_id()[-12:]}"


class Store(Protocol):
    """All of the above behind one life."""

    @property
    def durable(self) -> bool:
        """Whether what a coroutine has returned from survives a crash of the process."""

    @property
    def server_id(self) -> str:
        """The name of the gateway that has this store, once open; a durable one keeps the first it gave."""

    @property
    def events(self) -> EventLog: ...
    @property
    def mirror(self) -> MirrorPositions: ...
    @property
    def consumers(self) -> ConsumerStore: ...
    @property
    def idempotency(self) -> IdempotencyStore: ...
    @property
    def tombstones(self) -> TombstoneStore: ...
    @property
    def catalog(self) -> CatalogStore: ...
    @property
    def quotas(self) -> QuotaStore: ...
    @property
    def usage(self) -> UsageStore: ...
    @property
    def audit(self) -> AuditStore: ...
    @property
    def directory(self) -> DirectoryStore: ...

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    def health(self) -> str | None:
        """None when all is well, else the reason why the store can not serve."""
