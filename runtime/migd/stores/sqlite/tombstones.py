"""Cancellations that came before their target (protocol section 2, CANCEL)."""

from __future__ import annotations

import sqlite3
from functools import partial

from migd.core.clock import Clock
from migd.stores.expiring import Expiring
from migd.stores.sqlite.event_rows import microseconds
from migd.stores.sqlite.expiring_rows import ExpiringRows
from migd.stores.sqlite.transaction import Transaction
from migd.stores.sqlite.writer import Writer

_LOAD = "SELECT tenant_id, message_id, reason, expires_at FROM tombstones WHERE expires_at > ? ORDER BY id"
_DELETE = "DELETE FROM tombstones WHERE tenant_id = ? AND message_id = ?"
_INSERT = "INSERT INTO tombstones (tenant_id, message_id, expires_at, reason) VALUES (?, ?, ?, ?)"

_Key = tuple[str, str]


class SqliteTombstones:
    """Every invocation asks for its own, so that they are all held in memory as well."""

    def __init__(self, writer: Writer, rows: ExpiringRows, clock: Clock, limit: int) -> None:
        self._writer = writer
        self._rows = rows
        self._clock = clock
        self._standing: Expiring[_Key, str] = Expiring(clock, limit)

    def load(self, connection: sqlite3.Connection) -> None:
        """Those of an earlier run that still stand; once, before the writer starts."""
        now = microseconds(self._clock.now())
        for tenant_id, message_id, reason, expires_at in connection.execute(_LOAD, (now,)):
            self._standing.put((tenant_id, message_id), reason, (expires_at - now) / 1e6)

    def reason(self, tenant_id: str, message_id: str) -> str | None:
        return self._standing.get((tenant_id, message_id))

    async def put(self, tenant_id: str, message_id: str, reason: str, window_s: float) -> None:
        key = (tenant_id, message_id)
        expires_at = microseconds(self._clock.now()) + int(window_s * 1e6)
        await self._writer.submit(
            partial(self._put, key, expires_at, reason),
            lambda _: self._standing.put(key, reason, window_s),
        )

    def _put(self, key: _Key, expires_at: int, reason: str, transaction: Transaction) -> None:
        self._rows.replace(transaction, (_DELETE, key), (_INSERT, (*key, expires_at, reason)))
