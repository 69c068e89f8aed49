"""Event logs in memory: one deque a topic, bounded in every direction."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from itertools import islice

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.clock import Clock
from migd.core.mirroring import Head, Origin, Outgoing
from migd.core.ports import EventDraft, StoredEvent, Taken
from migd.stores.batch import batch
from migd.stores.retention import Retention
from migd.stores.source_positions import SourcePositions


class _Log:
    """One topic of one tenant."""

    __slots__ = ("acks", "events", "head", "mirrored", "own", "place", "size")

    def __init__(self, place: int) -> None:
        self.place = place
        self.own = 0
        self.mirrored = 0
        self.events: deque[StoredEvent] = deque()
        self.acks: dict[str, StoredEvent] = {}
        self.head = 0
        self.size = 0


class MemoryEventLog:
    """Logs by (tenant, topic). An idempotency key is remembered as long as its event is retained."""

    def __init__(self, clock: Clock, retention: Retention) -> None:
        self._clock = clock
        self._retention = retention
        self._logs: dict[tuple[str, str], _Log] = {}
        self._keys: dict[tuple[str, str, int], str] = {}
        self._topics: Counter[str] = Counter()
        self._turns: deque[tuple[str, str]] = deque()
        self._size = 0
        self.sources = SourcePositions(retention.total_topics)

    async def append(
        self, tenant_id: str, topic: str, draft: EventDraft, idempotency_key: str | None
    ) -> tuple[StoredEvent, bool]:
        log = self._log(tenant_id, topic)
        if idempotency_key is not None and idempotency_key in log.acks:
            return log.acks[idempotency_key], True
        self._trim_another()
        event = self._append(log, draft, None)
        if idempotency_key is not None:
            log.acks[idempotency_key] = event
            self._keys[tenant_id, topic, event.sequence] = idempotency_key
        self._trim(tenant_id, topic, log)
        return event, False

    def take(self, tenant_id: str, topic: str, draft: EventDraft, origin: Origin) -> asyncio.Future[Taken]:
        outcome: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        last = self.sources.refusal((tenant_id, topic), origin)
        if last is not None:
            outcome.set_result(Taken(None, last))
            return outcome
        log = self._log(tenant_id, topic)
        self._trim_another()
        event = self._append(log, draft, origin.log)
        self._trim(tenant_id, topic, log)
        if origin.sequence:
            if not self.sources.heard(origin.log):
                self.sources.add(origin.log)
            self.sources.move(origin.log, (tenant_id, topic), origin.sequence)
        outcome.set_result(Taken(event, origin.sequence))
        return outcome

    async def read(self, tenant_id: str, topic: str, after: int, limit: int) -> Sequence[StoredEvent]:
        log = self._logs.get((tenant_id, topic))
        if log is None:
            return ()
        self._trim(tenant_id, topic, log)
        if not log.events:
            return ()
        # Sequences are contiguous, so the place of the first event to give is known without a search.
        start = max(0, after + 1 - log.events[0].sequence)
        return batch(log.events, start, limit)

    async def head(self, tenant_id: str, topic: str) -> int:
        log = self._logs.get((tenant_id, topic))
        return 0 if log is None else log.head

    def outgoing(self, after: int, limit: int, owed: bool) -> Sequence[Outgoing]:
        """As in `MirrorPositions`."""
        logs = (
            Outgoing(log.place, *topic, log.own, log.mirrored)
            for topic, log in self._logs.items()
            if log.place > after and log.own > (log.mirrored if owed else 0)
        )
        return list(islice(logs, limit))

    def mirrored(self, tenant_id: str, topic: str) -> int:
        """As in `MirrorPositions`."""
        log = self._logs.get((tenant_id, topic))
        return 0 if log is None else log.mirrored

    def put_mirrored(self, heads: Iterable[Head]) -> None:
        """As in `MirrorPositions`."""
        for head in heads:
            self._logs[head.tenant_id, head.topic].mirrored = head.sequence

    def _append(self, log: _Log, draft: EventDraft, origin: str | None) -> StoredEvent:
        body = draft.encode(log.head + 1)
        self._refuse_more_bytes(len(body))
        log.head += 1
        event = StoredEvent(
            sequence=log.head,
            event_id=draft.event_id,
            published_at=draft.published_at,
            body=body,
            log=origin,
            previous=log.own if origin is None else 0,
        )
        if origin is None:
            log.own = log.head
        log.events.append(event)
        log.size += len(body)
        self._size += len(body)
        return event

    def _log(self, tenant_id: str, topic: str) -> _Log:
        log = self._logs.get((tenant_id, topic))
        if log is None:
            if self._topics[tenant_id] >= self._retention.topics:
                raise _full(f"the tenant has its limit of {self._retention.topics} topics")
            if len(self._logs) >= self._retention.total_topics:
                raise _full(f"the gateway has its limit of {self._retention.total_topics} topics")
            self._topics[tenant_id] += 1
            log = self._logs[tenant_id, topic] = _Log(len(self._logs) + 1)
            self._turns.append((tenant_id, topic))
        return log

    def _trim_another(self) -> None:
        """Let go of what is too old in one more topic: nobody may ever read or publish there again."""
        self._turns.rotate(-1)
        tenant_id, topic = self._turns[0]
        self._trim(tenant_id, topic, self._logs[tenant_id, topic])

    def _refuse_more_bytes(self, size: int) -> None:
        if self._size + size > self._retention.total_bytes:
            raise _full(f"the gateway's events have their limit of {self._retention.total_bytes} bytes")

    def _trim(self, tenant_id: str, topic: str, log: _Log) -> None:
        oldest = self._clock.now().timestamp() - self._retention.age_s
        while log.events and (
            len(log.events) > self._retention.events
            or log.size > self._retention.bytes
            or log.events[0].published_at.timestamp() < oldest
        ):
            gone = log.events.popleft()
            log.size -= len(gone.body)
            self._size -= len(gone.body)
            key = self._keys.pop((tenant_id, topic, gone.sequence), None)
            if key is not None:
                del log.acks[key]


def _full(message: str) -> MigFault:
    return MigFault(MigErrorCode.MIG_RATE_LIMITED, message, retry_after_s=60.0)
