"""The writer's side of the event log: the next sequence, the keys that were used, the bounds."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.mirroring import Head, Origin
from migd.core.ports import EventDraft, StoredEvent
from migd.stores.retention import Retention
from migd.stores.sqlite.event_rows import Horizon, event_of, microseconds
from migd.stores.sqlite.source_rows import SourceRows
from migd.stores.sqlite.topic_log import TopicLog
from migd.stores.sqlite.transaction import Transaction

_INSERT = """INSERT INTO events
    (topic_id, sequence, event_id, published_at, end_bytes, idempotency_key, body, log, previous)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_BY_KEY = """SELECT sequence, event_id, published_at, body, log, previous FROM events
    WHERE topic_id = ? AND idempotency_key = ?"""
_FORGET_KEY = "UPDATE events SET idempotency_key = NULL WHERE topic_id = ? AND sequence = ?"
# How far the leavings of an earlier run go down is not kept in the row of the topic.
_TOPICS = """SELECT id, tenant_id, name, head, first, end_bytes, first_bytes, own,
    first - coalesce((SELECT min(sequence) FROM events WHERE topic_id = topics.id), first) FROM topics"""

_SWEPT_TOPICS = 256
_SWEPT_ROWS = 1024


class Appended(NamedTuple):
    """An event that has its place, and the topic as it is with it. `repeated`: it had it before."""

    event: StoredEvent
    repeated: bool
    topic_id: int
    first: int


class Handed(NamedTuple):
    """What became of an event of another gateway; None when it was not its turn."""

    appended: Appended | None
    last: int


class Appender:
    """Every topic's end. All methods but `load` run in the writer's thread."""

    def __init__(self, retention: Retention, horizon: Horizon, sources: SourceRows) -> None:
        self._retention = retention
        self._sources = sources
        self._horizon = horizon
        self._topics: dict[tuple[str, str], TopicLog] = {}
        self._order: list[TopicLog] = []
        self._per_tenant: Counter[str] = Counter()
        self._size = 0
        self._swept = 0
        self._touched: Transaction | None = None

    def load(self, connection: sqlite3.Connection) -> Iterable[TopicLog]:
        """Every topic that is there, once, before the writer starts."""
        for row in connection.execute(_TOPICS):
            self._know(TopicLog(*row))
        self._size = sum(topic.size for topic in self._order)
        return tuple(self._order)

    def append(
        self, tenant_id: str, name: str, draft: EventDraft, key: str | None, transaction: Transaction
    ) -> Appended:
        """Give the draft the next sequence of its topic.

        Raises MigFault MIG_RATE_LIMITED, and nothing is changed, when a bound would be passed.
        """
        known = self._topics.get((tenant_id, name))
        if known is not None and key is not None:
            kept = self._kept(known, key, transaction)
            if kept is not None:
                return Appended(kept, True, known.id, known.first)
        topic, body = self._placed(tenant_id, name, draft, transaction)
        return self._append(topic, draft, body, key, None, transaction)

    def take(
        self, tenant_id: str, name: str, draft: EventDraft, origin: Origin, transaction: Transaction
    ) -> Handed:
        """As `append`, for an event of another gateway; see `EventLog.take`."""
        last = self._sources.refusal((tenant_id, name), origin)
        if last is not None:
            return Handed(None, last)
        topic, body = self._placed(tenant_id, name, draft, transaction)
        if origin.sequence:
            self._sources.move(origin.log, [Head(tenant_id, name, origin.sequence)], transaction)
        appended = self._append(topic, draft, body, None, origin.log, transaction)
        return Handed(appended, origin.sequence)

    def sweep(self, transaction: Transaction) -> bool:
        """Let go of what is too old, topic after topic, a few at a time. True: there is more to delete."""
        oldest = microseconds(self._horizon())
        budget = _SWEPT_ROWS
        self._touch(transaction)
        for _ in range(min(_SWEPT_TOPICS, len(self._order))):
            self._swept = self._swept % len(self._order)
            topic = self._order[self._swept]
            size = topic.size
            topic.drop_older(transaction, oldest)
            self._size += topic.size - size
            budget -= topic.delete(transaction, budget)
            if topic.owed:
                return True
            self._swept += 1
        return False

    def _placed(
        self, tenant_id: str, name: str, draft: EventDraft, transaction: Transaction
    ) -> tuple[TopicLog, bytes]:
        """The topic, there if it was not, and the draft as it will be in it."""
        topic = self._topics.get((tenant_id, name))
        if topic is None:
            self._refuse_more_topics(tenant_id)
        body = draft.encode(1 if topic is None else topic.head + 1)
        self._refuse_more_bytes(len(body))
        return topic or self._add(tenant_id, name, transaction), body

    def _append(
        self,
        topic: TopicLog,
        draft: EventDraft,
        body: bytes,
        key: str | None,
        log: str | None,
        transaction: Transaction,
    ) -> Appended:
        topic.touch(transaction)
        self._touch(transaction)
        size = topic.size
        previous = topic.own if log is None else 0
        topic.grow(len(body), own=log is None)
        event = StoredEvent(
            sequence=topic.head,
            event_id=draft.event_id,
            published_at=draft.published_at,
            body=body,
            log=log,
            previous=previous,
        )
        transaction.put(
            _INSERT,
            (topic.id, topic.head),
            (
                topic.id,
                topic.head,
                draft.event_id,
                microseconds(draft.published_at),
                topic.end_bytes,
                key,
                body,
                log,
                previous,
            ),
        )
        while topic.count > self._retention.events or topic.size > self._retention.bytes:
            topic.drop_oldest(transaction)
        topic.save(transaction)
        self._size += topic.size - size
        return Appended(event, False, topic.id, topic.first)

    def _kept(self, topic: TopicLog, key: str, transaction: Transaction) -> StoredEvent | None:
        """The event that was appended under the key, as long as it is retained."""
        transaction.flush()
        row = transaction.connection.execute(_BY_KEY, (topic.id, key)).fetchone()
        if row is None:
            return None
        if row[0] >= topic.first and row[2] >= microseconds(self._horizon()):
            return event_of(row)
        transaction.connection.execute(_FORGET_KEY, (topic.id, row[0]))
        return None

    def _refuse_more_topics(self, tenant_id: str) -> None:
        kept = self._retention
        if self._per_tenant[tenant_id] >= kept.topics:
            raise _full(f"the tenant has its limit of {kept.topics} topics")
        if len(self._order) >= kept.total_topics:
            raise _full(f"the gateway has its limit of {kept.total_topics} topics")

    def _refuse_more_bytes(self, size: int) -> None:
        most = self._retention.total_bytes
        if self._size + size > most:
            raise _full(f"the gateway's events have their limit of {most} bytes")

    def _add(self, tenant_id: str, name: str, transaction: Transaction) -> TopicLog:
        topic = TopicLog(len(self._order) + 1, tenant_id, name)
        self._know(topic)
        transaction.on_rollback(self._forget_last)
        return topic

    def _know(self, topic: TopicLog) -> None:
        self._topics[topic.tenant_id, topic.name] = topic
        self._order.append(topic)
        self._per_tenant[topic.tenant_id] += 1

    def _forget_last(self) -> None:
        topic = self._order.pop()
        del self._topics[topic.tenant_id, topic.name]
        self._per_tenant[topic.tenant_id] -= 1

    def _touch(self, transaction: Transaction) -> None:
        if self._touched is not transaction:
            self._touched = transaction
            before = self._size

            def restore() -> None:
                self._size = before

            transaction.on_rollback(restore)


def _full(message: str) -> MigFault:
    return MigFault(MigErrorCode.MIG_RATE_LIMITED, message, retry_after_s=60.0)
