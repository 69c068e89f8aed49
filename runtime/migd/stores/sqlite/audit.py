"""The audit trail in the file: gathered in memory, sealed and written soon after, many records to a row."""

from __future__ import annotations

import sqlite3
from functools import partial

from mig_protocol.messages import AuditQuery
from migd.core.audit import AuditEntry, AuditPage, Chain, Head
from migd.core.clock import Clock
from migd.stores.audit_backlog import AuditBacklog
from migd.stores.audit_filter import AuditFilter
from migd.stores.sqlite.audit_rows import ROW, chain_end, insert, read_page, trim
from migd.stores.sqlite.files import DATABASE
from migd.stores.sqlite.reader import Reader
from migd.stores.sqlite.transaction import Transaction
from migd.stores.sqlite.write_behind import WriteBehind
from migd.stores.sqlite.writer import Writer

_WORTH_A_WRITE = 256
"""So many records are written without waiting for more. While the writer's thread seals them, 0.7 us each, no
request is served, since one thread at a time runs Python; more at a time cost no less for each.
"""


class SqliteAudit:
    """The newest `limit` records.

    A crash loses those of the last moments, and what is there still verifies; `close` loses none. While the
    file fails they are held in memory up to a bound.
    """

    def __init__(self, writer: Writer, reader: Reader, clock: Clock, limit: int, delay_s: float) -> None:
        self._writer = writer
        self._reader = reader
        self._limit = limit
        self._backlog = AuditBacklog(DATABASE)
        self._chain = Chain()
        self._behind = WriteBehind(
            writer,
            clock,
            delay_s,
            take=self._take,
            write=self._write,
            restore=self._restore,
            wrote=self._wrote,
            abandon=partial(self._backlog.abandon, reason="the statement failed"),
        )

    def load(self, connection: sqlite3.Connection) -> None:
        """Once, before the writer starts."""
        self._chain.rewind(chain_end(connection))

    @property
    def failure(self) -> str | None:
        return self._backlog.failure

    @property
    def lost(self) -> int:
        return self._backlog.lost

    def append(self, entry: AuditEntry) -> None:
        held = self._backlog.add(entry)
        if not self._behind.waiting:
            self._behind.due()
        if held % _WORTH_A_WRITE == 0:
            self._behind.hurry()

    async def read(self, query: AuditQuery, after: int, limit: int) -> AuditPage:
        await self._behind.flush()
        wanted = AuditFilter(query)
        return await self._reader.run(partial(read_page, wanted, after, limit, self._limit))

    async def head(self) -> Head:
        await self._behind.flush()
        return await self._reader.run(chain_end)

    async def close(self) -> None:
        """The last batch; what can not be written now is lost, and that is said."""
        await self._behind.close()
        self._backlog.abandon(self._backlog.take(), self._backlog.failure or "")

    def _take(self) -> list[AuditEntry] | None:
        return self._backlog.take() or None

    def _restore(self, batch: list[AuditEntry]) -> None:
        self._backlog.give_back(batch, self._writer.health() or "the store is not open")

    def _wrote(self, _batch: list[AuditEntry]) -> None:
        self._backlog.written()

    # -- in the writer's thread --------------------------------------------------------------------

    def _write(self, batch: list[AuditEntry], transaction: Transaction) -> None:
        transaction.on_rollback(partial(self._chain.rewind, self._chain.head))
        for start in range(0, len(batch), ROW):
            insert(transaction.connection, self._chain, batch[start : start + ROW])
        trim(transaction.connection, self._chain.head.sequence - self._limit)
