"""How far events have been mirrored and taken, as the gateway sees it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import partial

from migd.core.clock import Clock
from migd.core.mirroring import Head, Outgoing
from migd.stores.sqlite.reader import Reader
from migd.stores.sqlite.source_rows import SourceRows
from migd.stores.sqlite.transaction import Transaction
from migd.stores.sqlite.writer import Writer

_LOG = "SELECT log FROM mirror WHERE id = 1"
_NEW_LOG = "INSERT INTO mirror (id, log, begun) VALUES (1, ?, 0)"
_BEGIN = "UPDATE mirror SET begun = 1 WHERE id = 1 AND begun = 0"
_OWE_NOTHING = "UPDATE topics SET mirrored = own"
_OUTGOING = """SELECT id, tenant_id, name, own, mirrored FROM topics
    WHERE id > ? AND own > 0 AND (own > mirrored OR NOT ?) ORDER BY id LIMIT ?"""
_MIRRORED = "SELECT mirrored FROM topics WHERE tenant_id = ? AND name = ?"
_PUT = "UPDATE topics SET mirrored = ? WHERE tenant_id = ? AND name = ?"


class SqliteMirrorPositions:
    """Asks the writer about what it is changing, the reader about the rest."""

    log = ""

    def __init__(self, writer: Writer, reader: Reader, sources: SourceRows, clock: Clock) -> None:
        self._writer = writer
        self._reader = reader
        self._sources = sources
        self._clock = clock

    def load(self, connection: sqlite3.Connection) -> None:
        """Once, before the writer starts."""
        self._sources.load(connection)
        row = connection.execute(_LOG).fetchone()
        if row is None:
            row = (self._clock.new_id(),)
            connection.execute(_NEW_LOG, row)
        self.log = row[0]

    async def begin(self) -> None:
        await self._writer.submit(_begin)

    async def outgoing(self, after: int, limit: int, *, owed: bool) -> Sequence[Outgoing]:
        rows = await self._reader.run(
            lambda connection: connection.execute(_OUTGOING, (after, owed, limit)).fetchall()
        )
        return [Outgoing(*row) for row in rows]

    async def mirrored(self, tenant_id: str, topic: str) -> int:
        row = await self._reader.run(
            lambda connection: connection.execute(_MIRRORED, (tenant_id, topic)).fetchone()
        )
        return 0 if row is None else int(row[0])

    async def put_mirrored(self, heads: Sequence[Head]) -> None:
        await self._writer.submit(partial(_put, heads), bounded=False)

    async def knows(self, log: str) -> bool:
        return await self._writer.submit(partial(self._sources.knows, log))

    async def last_taken(self, log: str, tenant_id: str, topic: str) -> int:
        return await self._writer.submit(partial(self._sources.last, log, (tenant_id, topic)))

    async def skip(self, log: str, heads: Sequence[Head], *, join: bool) -> None:
        await self._writer.submit(partial(self._skip, log, heads, join), bounded=False)

    def _skip(self, log: str, heads: Sequence[Head], join: bool, transaction: Transaction) -> None:
        """In the writer's thread."""
        self._sources.move(log, heads, transaction)
        if join:
            self._sources.join(log, transaction)


def _begin(transaction: Transaction) -> None:
    if transaction.connection.execute(_BEGIN).rowcount:
        transaction.flush()
        transaction.connection.execute(_OWE_NOTHING)


def _put(heads: Sequence[Head], transaction: Transaction) -> None:
    transaction.flush()
    rows = [(head.sequence, head.tenant_id, head.topic) for head in heads]
    transaction.connection.executemany(_PUT, rows)
