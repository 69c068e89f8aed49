"""The store in one SQLite file: what it has acknowledged survives the process."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

from migd.core.clock import Clock
from migd.core.failpoints import UNARMED, Failpoints
from migd.core.ports import new_server_id
from migd.stores.retention import Retention
from migd.stores.source_positions import SourcePositions
from migd.stores.sqlite.appending import Appender
from migd.stores.sqlite.audit import SqliteAudit
from migd.stores.sqlite.catalog import SqliteCatalog
from migd.stores.sqlite.consumers import SqliteConsumers
from migd.stores.sqlite.directory import SqliteDirectory
from migd.stores.sqlite.event_rows import microseconds
from migd.stores.sqlite.events import SqliteEventLog
from migd.stores.sqlite.expiring_rows import ExpiringRows
from migd.stores.sqlite.files import LOCK, Synchronous, explained, open_for_writing, prepare
from migd.stores.sqlite.idempotency import SqliteIdempotency
from migd.stores.sqlite.lock import StoreLock
from migd.stores.sqlite.mirror_positions import SqliteMirrorPositions
from migd.stores.sqlite.quotas import SqliteQuotas
from migd.stores.sqlite.reader import Reader
from migd.stores.sqlite.schema import migrate
from migd.stores.sqlite.server_name import named
from migd.stores.sqlite.source_rows import SourceRows
from migd.stores.sqlite.tails import Tails
from migd.stores.sqlite.tombstones import SqliteTombstones
from migd.stores.sqlite.upkeep import Upkeep
from migd.stores.sqlite.usage import SqliteUsage
from migd.stores.sqlite.writer import Writer


class SqliteStore:
    """All parts of the port, in `data_dir`/migd.sqlite3; one gateway at a time has it open.

    `flush_s` is how late usage, audit records and the places of consumers may be written. `most_waiting`
    bounds the writes that have no outcome yet, `tail_bytes` the events that are held in memory for live
    readers.
    """

    durable = True

    def __init__(
        self,
        data_dir: Path,
        clock: Clock,
        retention: Retention | None = None,
        *,
        synchronous: Synchronous = "normal",
        flush_s: float = 0.1,
        upkeep_s: float = 5.0,
        most_waiting: int = 10_000,
        tail_bytes: int = 16 * 1024 * 1024,
        failpoints: Failpoints = UNARMED,
    ) -> None:
        kept = retention or Retention()
        age = timedelta(seconds=kept.age_s)

        def horizon() -> datetime:
            return clock.now() - age

        def now() -> int:
            return microseconds(clock.now())

        self.server_id = new_server_id(clock)
        self._data_dir = data_dir
        self._synchronous: Synchronous = synchronous
        self._lock = StoreLock(data_dir / LOCK)
        self._writer = Writer(most_waiting, failpoints)
        self._reader = Reader()
        sources = SourceRows(SourcePositions(kept.total_topics), now)
        self._appender = Appender(kept, horizon, sources)
        self._keys = ExpiringRows("idempotency", kept.idempotency_records, now)
        self._cancels = ExpiringRows("tombstones", kept.tombstones, now)
        self.events = SqliteEventLog(self._writer, self._reader, self._appender, Tails(tail_bytes), horizon)
        self.mirror = SqliteMirrorPositions(self._writer, self._reader, sources, clock)
        self.consumers = SqliteConsumers(self._writer, clock, kept, flush_s)
        self.idempotency = SqliteIdempotency(self._writer, self._reader, self._keys, clock)
        self.tombstones = SqliteTombstones(self._writer, self._cancels, clock, kept.tombstones)
        self.catalog = SqliteCatalog(self._writer, self._reader)
        self.quotas = SqliteQuotas(self._writer, kept.quotas)
        self.usage = SqliteUsage(self._writer, clock, kept.usage_rows, flush_s)
        self.audit = SqliteAudit(self._writer, self._reader, clock, kept.audit_records, flush_s)
        self.directory = SqliteDirectory(self._writer, self._reader, kept.directory_entries)
        chores = (self._appender.sweep, self._keys.sweep, self._cancels.sweep)
        self._upkeep = Upkeep(self._writer, clock, upkeep_s, chores)

    async def open(self) -> None:
        """Raises StoreError when the file is in use, read-only, corrupt, of a newer migd, or not migd's."""
        path = prepare(self._data_dir)
        self._lock.take()
        try:
            connection = await asyncio.to_thread(self._load, path)
            with explained(path):
                self._reader.start(path)
        except BaseException:
            self._lock.release()
            raise
        self._writer.start(connection)
        self._upkeep.start()

    async def close(self) -> None:
        """Everything that was taken is written when this returns."""
        self._upkeep.stop()
        await self.consumers.behind.close()
        await self.usage.behind.close()
        await self.audit.close()
        await self._reader.stop()
        await self._writer.stop()
        self._lock.release()

    def health(self) -> str | None:
        return self._writer.health()

    def _load(self, path: Path) -> sqlite3.Connection:
        with explained(path):
            connection = open_for_writing(path, self._synchronous)
            try:
                migrate(connection, path)
                self.server_id = named(connection, self.server_id)
                for topic in self._appender.load(connection):
                    self.events.know(topic)
                for part in (
                    self.mirror,
                    self._keys,
                    self._cancels,
                    self.tombstones,
                    self.consumers,
                    self.quotas,
                    self.usage,
                    self.audit,
                ):
                    part.load(connection)
            except BaseException:
                connection.close()
                raise
            return connection
