"""Named consumers: their places are answered from memory and written soon after, a new name at once."""

from __future__ import annotations

import sqlite3
from functools import partial

from migd.core.clock import Clock
from migd.core.ports import ConsumerName
from migd.stores.positions import Place, Positions
from migd.stores.retention import Retention
from migd.stores.sqlite.transaction import Transaction
from migd.stores.sqlite.write_behind import WriteBehind
from migd.stores.sqlite.writer import Writer

_LOAD = "SELECT tenant_id, topic, consumer_id, position, seen_at FROM consumers ORDER BY seen_at"
_SAVE = """INSERT INTO consumers (tenant_id, topic, consumer_id, position, seen_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (tenant_id, topic, consumer_id) DO UPDATE
        SET position = excluded.position, seen_at = excluded.seen_at"""
_DELETE = "DELETE FROM consumers WHERE tenant_id = ? AND topic = ? AND consumer_id = ?"

_Rows = list[tuple[ConsumerName, Place | None]]


class SqliteConsumers:
    """A crash loses the last moments of what was taken, so that it is given again; it never moves a place
    forward.
    """

    def __init__(self, writer: Writer, clock: Clock, retention: Retention, delay_s: float) -> None:
        self._writer = writer
        self._positions = Positions(clock, retention, self._mark)
        self._changed: set[ConsumerName] = set()
        self.behind = WriteBehind(
            writer, clock, delay_s, take=self._take, write=_write, restore=self._restore
        )

    def load(self, connection: sqlite3.Connection) -> None:
        """Once, before the writer starts."""
        for tenant_id, topic, consumer_id, position, seen_at in connection.execute(_LOAD):
            self._positions.load(ConsumerName(tenant_id, topic, consumer_id), Place(position, seen_at / 1e6))

    async def resume(self, name: ConsumerName, otherwise: int) -> int:
        position = self._positions.enter(name, otherwise)
        await self._commit(name)
        return position

    async def move(self, name: ConsumerName, position: int) -> None:
        self._positions.put(name, position)
        await self._commit(name)

    def taken(self, name: ConsumerName, position: int) -> None:
        self._positions.advance(name, position)

    def hurry(self) -> None:
        self.behind.hurry()

    async def _commit(self, name: ConsumerName) -> None:
        # For a known name as well: another subscriber's first commit of it may still be on its way.
        await self._writer.submit(partial(_write, [(name, self._positions.place(name))]))

    def _mark(self, name: ConsumerName) -> None:
        self._changed.add(name)
        if not self.behind.waiting:
            self.behind.due()

    def _take(self) -> _Rows | None:
        changed, self._changed = self._changed, set()
        return [(name, self._positions.place(name)) for name in changed] or None

    def _restore(self, rows: _Rows) -> None:
        self._changed.update(name for name, _ in rows)


def _write(rows: _Rows, transaction: Transaction) -> None:
    # Places and not steps: written twice, they are still right.
    connection = transaction.connection
    connection.executemany(_DELETE, [name for name, place in rows if place is None])
    connection.executemany(
        _SAVE,
        [(*name, place.position, int(place.seen_at * 1e6)) for name, place in rows if place is not None],
    )
