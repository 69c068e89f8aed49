"""Organisations, tenants and gateways: the first of an id stays."""

from __future__ import annotations

import sqlite3
from functools import partial

from mig_protocol.codec import encode
from mig_protocol.errors import MigFault
from mig_protocol.messages import GatewayRecord, MigErrorCode, Org, Tenant
from migd.stores.sqlite.reader import Reader
from migd.stores.sqlite.transaction import Transaction
from migd.stores.sqlite.writer import Writer

_HAS = "SELECT 1 FROM directory WHERE kind = ? AND id = ?"
_COUNT = "SELECT count(*) FROM directory WHERE kind = ?"
_INSERT = "INSERT INTO directory (kind, id, entry) VALUES (?, ?, ?)"


class SqliteDirectory:
    """Entries as the JSON of their messages, at most `limit` of each kind."""

    def __init__(self, writer: Writer, reader: Reader, limit: int) -> None:
        self._writer = writer
        self._reader = reader
        self._limit = limit

    async def put_org(self, org: Org) -> bool:
        return await self._submit("org", org.id, org)

    async def put_tenant(self, tenant: Tenant) -> bool:
        return await self._submit("tenant", tenant.id, tenant)

    async def put_gateway(self, gateway: GatewayRecord) -> bool:
        return await self._submit("gateway", gateway.id, gateway)

    async def has_org(self, org_id: str) -> bool:
        return await self._reader.run(partial(_has, kind="org", identifier=org_id))

    async def has_tenant(self, tenant_id: str) -> bool:
        return await self._reader.run(partial(_has, kind="tenant", identifier=tenant_id))

    async def _submit(self, kind: str, identifier: str, entry: Org | Tenant | GatewayRecord) -> bool:
        return await self._writer.submit(partial(self._put, kind, identifier, encode(entry)))

    def _put(self, kind: str, identifier: str, entry: bytes, transaction: Transaction) -> bool:
        connection = transaction.connection
        if _has(connection, kind, identifier):
            return False
        if connection.execute(_COUNT, (kind,)).fetchone()[0] >= self._limit:
            raise MigFault(
                MigErrorCode.MIG_RATE_LIMITED,
                f"the gateway holds its limit of {self._limit} entries of this kind",
                retry_after_s=60.0,
            )
        connection.execute(_INSERT, (kind, identifier, entry))
        return True


def _has(connection: sqlite3.Connection, kind: str, identifier: str) -> bool:
    return connection.execute(_HAS, (kind, identifier)).fetchone() is not None
