"""Who did what: gathered in memory, written soon after, many records to a row."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from datetime import datetime

import msgspec

from mig_protocol.codec import encode
from mig_protocol.messages import AuditRecord
from migd.core.clock import Clock
from migd.core.provider import JsonObject
from migd.stores.sqlite.reader import Reader
from migd.stores.sqlite.transaction import Transaction
from migd.stores.sqlite.write_behind import WriteBehind
from migd.stores.sqlite.writer import Writer

_END = "SELECT coalesce(max(first + records), 1) FROM audit"
_INSERT = "INSERT INTO audit (first, records, lines) VALUES (?, ?, ?)"
_EXPORT = "SELECT first, lines FROM audit ORDER BY first"
_TRIM = "DELETE FROM audit WHERE first < ? AND first + records <= ?"

_ROW = 1024
"""The most records that one row holds; so many are written without waiting for more."""

_HELD = 65_536
"""The most records that wait for a disk that takes none: some 40 MB."""

_log = logging.getLogger("migd.audit")
_encode_lines = msgspec.json.Encoder().encode_lines
_decode_lines = msgspec.json.Decoder(JsonObject).decode_lines


class SqliteAudit:
    """The newest `limit` records, numbered from 1.

    A crash loses those of the last moments; `close` of the store loses none. While the disk fails, they
    are held in memory up to a bound, and what is lost beyond it is said in the log.
    """

    def __init__(self, writer: Writer, reader: Reader, clock: Clock, limit: int, delay_s: float) -> None:
        self._reader = reader
        self._limit = limit
        self._pending: list[AuditRecord] = []
        self._next = 1
        self.behind = WriteBehind(
            writer, clock, delay_s, take=self._take, write=self._write, restore=self._restore
        )

    def load(self, connection: sqlite3.Connection) -> None:
        """Once, before the writer starts."""
        self._next = connection.execute(_END).fetchone()[0]

    def append(self, record: AuditRecord) -> None:
        self._pending.append(record)
        if not self.behind.waiting:
            self.behind.due()
        if len(self._pending) % _ROW == 0:
            self.behind.hurry()
            self._shorten()

    async def export(self, tenant_id: str | None) -> Sequence[AuditRecord]:
        await self.behind.flush()
        records = await self._reader.run(self._export)
        return [record for record in records if tenant_id is None or record.tenant_id == tenant_id]

    def _take(self) -> list[AuditRecord] | None:
        batch, self._pending = self._pending, []
        return batch or None

    def _restore(self, batch: list[AuditRecord]) -> None:
        self._pending = batch + self._pending
        self._shorten()

    def _shorten(self) -> None:
        if len(self._pending) > _HELD:
            lost = len(self._pending) // 2
            del self._pending[:lost]
            _log.error("the store takes no audit records: the %d oldest that waited are lost", lost)

    def _export(self, connection: sqlite3.Connection) -> list[AuditRecord]:
        numbered = [
            (first + place, _record(line))
            for first, lines in connection.execute(_EXPORT)
            for place, line in enumerate(_decode_lines(lines))
        ]
        # Rows are deleted whole: the first may begin with records that are no longer retained.
        return [record for _, record in numbered[-self._limit :]]

    # -- in the writer's thread --------------------------------------------------------------------

    def _write(self, batch: list[AuditRecord], transaction: Transaction) -> None:
        before = self._next

        def restore() -> None:
            self._next = before

        transaction.on_rollback(restore)
        for start in range(0, len(batch), _ROW):
            records = batch[start : start + _ROW]
            transaction.connection.execute(_INSERT, (self._next, len(records), _lines(records)))
            self._next += len(records)
        gone = self._next - self._limit
        transaction.connection.execute(_TRIM, (gone, gone))


def _record(line: JsonObject) -> AuditRecord:
    # Not decoded as the message: what was written once is given back, though this version may be stricter.
    known = {name: line[name] for name in AuditRecord.__struct_fields__ if name in line}
    return AuditRecord(**known | {"timestamp": datetime.fromisoformat(line["timestamp"])})


def _lines(records: list[AuditRecord]) -> bytes:
    try:
        return _encode_lines(records)
    except UnicodeEncodeError:
        # A token's subject may hold what UTF-8 can not carry.
        return b"".join(encode(record) + b"\n" for record in records)
