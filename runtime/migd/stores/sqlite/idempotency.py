"""First successes by key, each for its window (protocol section 2, INVOKE)."""

from __future__ import annotations

import sqlite3
from functools import partial

import msgspec

from mig_protocol.codec import encode
from migd.core.clock import Clock
from migd.core.ports import IdempotencyRecord
from migd.core.provider import JsonObject
from migd.stores.sqlite.event_rows import microseconds
from migd.stores.sqlite.expiring_rows import ExpiringRows
from migd.stores.sqlite.reader import Reader
from migd.stores.sqlite.transaction import Transaction
from migd.stores.sqlite.writer import Writer

_GET = """SELECT digest, payload FROM idempotency
    WHERE tenant_id = ? AND capability = ? AND idempotency_key = ? AND expires_at > ?"""
_DELETE = "DELETE FROM idempotency WHERE tenant_id = ? AND capability = ? AND idempotency_key = ?"
_INSERT = """INSERT INTO idempotency
    (tenant_id, capability, idempotency_key, expires_at, digest, payload) VALUES (?, ?, ?, ?, ?, ?)"""

_Key = tuple[str, str, str]
_payload = msgspec.json.Decoder(JsonObject).decode


class SqliteIdempotency:
    """Windows are measured by the wall clock: a restart does not lengthen them."""

    def __init__(self, writer: Writer, reader: Reader, rows: ExpiringRows, clock: Clock) -> None:
        self._writer = writer
        self._reader = reader
        self._rows = rows
        self._clock = clock

    async def get(self, tenant_id: str, capability: str, key: str) -> IdempotencyRecord | None:
        now = microseconds(self._clock.now())
        return await self._reader.run(partial(_get, key=(tenant_id, capability, key), now=now))

    async def put(
        self, tenant_id: str, capability: str, key: str, record: IdempotencyRecord, window_s: float
    ) -> None:
        expires_at = microseconds(self._clock.now()) + int(window_s * 1e6)
        values = (expires_at, record.digest, encode(record.payload))
        await self._writer.submit(partial(self._put, (tenant_id, capability, key), values))

    def _put(self, key: _Key, values: tuple[int, bytes, bytes], transaction: Transaction) -> None:
        self._rows.replace(transaction, (_DELETE, key), (_INSERT, key + values))


def _get(connection: sqlite3.Connection, key: _Key, now: int) -> IdempotencyRecord | None:
    row = connection.execute(_GET, (*key, now)).fetchone()
    return None if row is None else IdempotencyRecord(row[0], _payload(row[1]))
