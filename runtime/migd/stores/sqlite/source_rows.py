"""`SourcePositions` in the file: what was taken is written in the commit that appends it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable

from migd.core.mirroring import Head, Origin, TopicKey
from migd.stores.source_positions import SourcePositions
from migd.stores.sqlite.transaction import Transaction

_SOURCES = "SELECT log, joined FROM sources ORDER BY heard_at"
_POSITIONS = "SELECT log, tenant_id, topic, sequence FROM taken"
_HEARD = """INSERT INTO sources (log, joined, heard_at) VALUES (?, ?, ?)
    ON CONFLICT (log) DO UPDATE SET joined = excluded.joined, heard_at = excluded.heard_at"""
_TAKE = """INSERT INTO taken (log, tenant_id, topic, sequence) VALUES (?, ?, ?, ?)
    ON CONFLICT (log, tenant_id, topic) DO UPDATE SET sequence = excluded.sequence"""
_FORGET = ("DELETE FROM sources WHERE log = ?", "DELETE FROM taken WHERE log = ?")


class SourceRows:
    """All methods but `load` run in the writer's thread."""

    def __init__(self, positions: SourcePositions, now: Callable[[], int]) -> None:
        self._positions = positions
        self._now = now

    def load(self, connection: sqlite3.Connection) -> None:
        """Once, before the writer starts."""
        for log, joined in connection.execute(_SOURCES):
            self._positions.add(log)
            if joined:
                self._positions.join(log)
        for log, tenant_id, topic, sequence in connection.execute(_POSITIONS):
            self._positions.move(log, (tenant_id, topic), sequence)

    def knows(self, log: str, transaction: Transaction) -> bool:  # noqa: ARG002 - a Work of the writer's
        return self._positions.knows(log)

    def last(self, log: str, topic: TopicKey, transaction: Transaction) -> int:  # noqa: ARG002 - likewise
        return self._positions.last(log, topic) or 0

    def refusal(self, topic: TopicKey, origin: Origin) -> int | None:
        return self._positions.refusal(topic, origin)

    def move(self, log: str, heads: Iterable[Head], transaction: Transaction) -> None:
        self._make_room(log, transaction)
        for tenant_id, topic, sequence in heads:
            undo = self._positions.move(log, (tenant_id, topic), sequence)
            if undo is not None:
                transaction.on_rollback(undo)
                transaction.put(_TAKE, (log, tenant_id, topic), (log, tenant_id, topic, sequence))

    def join(self, log: str, transaction: Transaction) -> None:
        self._make_room(log, transaction)
        transaction.on_rollback(self._positions.join(log))
        transaction.put(_HEARD, log, (log, True, self._now()))

    def _make_room(self, log: str, transaction: Transaction) -> None:
        if self._positions.heard(log):
            return
        gone, undo = self._positions.add(log)
        transaction.on_rollback(undo)
        transaction.put(_HEARD, log, (log, False, self._now()))
        if gone is not None:
            transaction.flush()
            for statement in _FORGET:
                transaction.connection.execute(statement, (gone,))
