"""A table whose rows have a time to live, and whose number has a bound."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from migd.stores.sqlite.transaction import Transaction

_BATCH = 512

Statement = tuple[str, tuple[Any, ...]]


class ExpiringRows:
    """Rows of `table`, which has an `id` that grows with every put and an `expires_at`.

    The number of rows is kept in memory, since counting them takes as long as there are many. Everything
    but `load` runs in the writer's thread.
    """

    def __init__(self, table: str, limit: int, now: Callable[[], int]) -> None:
        self._limit = limit
        self._now = now
        self._rows = 0
        self._touched: Transaction | None = None
        # The name is one of ours, not a caller's.
        self._count = f"SELECT count(*) FROM {table}"  # noqa: S608
        self._oldest = f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} ORDER BY id LIMIT ?)"  # noqa: S608
        self._expired = (
            f"DELETE FROM {table} WHERE id IN"  # noqa: S608
            f" (SELECT id FROM {table} WHERE expires_at <= ? LIMIT {_BATCH})"
        )

    def load(self, connection: sqlite3.Connection) -> None:
        """Once, before the writer starts."""
        self._rows = connection.execute(self._count).fetchone()[0]

    def replace(self, transaction: Transaction, delete: Statement, insert: Statement) -> None:
        """Put a row in the place of the one that `delete` finds, and drop the oldest beyond the bound."""
        self._touch(transaction)
        connection = transaction.connection
        self._rows -= connection.execute(*delete).rowcount
        connection.execute(*insert)
        self._rows += 1
        if self._rows > self._limit:
            self._rows -= connection.execute(self._oldest, (self._rows - self._limit,)).rowcount

    def sweep(self, transaction: Transaction) -> bool:
        """Delete some that have expired. True: there may be more."""
        self._touch(transaction)
        gone = transaction.connection.execute(self._expired, (self._now(),)).rowcount
        self._rows -= gone
        return gone == _BATCH

    def _touch(self, transaction: Transaction) -> None:
        if self._touched is not transaction:
            self._touched = transaction
            before = self._rows

            def restore() -> None:
                self._rows = before

            transaction.on_rollback(restore)
