"""Quotas: a debit is decided where it is committed, so that none is ever given twice."""

from __future__ import annotations

import sqlite3
from functools import partial

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.stores.sqlite.transaction import Transaction
from migd.stores.sqlite.writer import Writer

_LOAD = "SELECT tenant_id, max_invocations, used FROM quotas"
_SAVE = """INSERT INTO quotas (tenant_id, max_invocations, used) VALUES (?, ?, ?)
    ON CONFLICT (tenant_id) DO UPDATE
        SET max_invocations = excluded.max_invocations, used = excluded.used"""

_Quota = tuple[int, int]
"""The limit, and how much of it is used."""


class SqliteQuotas:
    """`limit` and `used` answer from a copy of what is committed; the writer decides on its own."""

    def __init__(self, writer: Writer, most: int) -> None:
        self._writer = writer
        self._most = most
        self._committed: dict[str, _Quota] = {}
        self._written: dict[str, _Quota] = {}

    def load(self, connection: sqlite3.Connection) -> None:
        """Once, before the writer starts."""
        self._written = {row[0]: (row[1], row[2]) for row in connection.execute(_LOAD)}
        self._committed = dict(self._written)

    def limit(self, tenant_id: str) -> int | None:
        quota = self._committed.get(tenant_id)
        return None if quota is None else quota[0]

    def used(self, tenant_id: str) -> int:
        quota = self._committed.get(tenant_id)
        return 0 if quota is None else quota[1]

    async def set_limit(self, tenant_id: str, max_invocations: int) -> None:
        await self._writer.submit(
            partial(self._set_limit, tenant_id, max_invocations), partial(self._applied, tenant_id)
        )

    async def debit(self, tenant_id: str) -> bool:
        taken = await self._writer.submit(
            partial(self._debit, tenant_id), partial(self._applied_if_taken, tenant_id)
        )
        return taken is not _USED_UP

    def _applied(self, tenant_id: str, quota: _Quota) -> None:
        self._committed[tenant_id] = quota

    def _applied_if_taken(self, tenant_id: str, quota: _Quota | None) -> None:
        if quota is not None and quota is not _USED_UP:
            self._committed[tenant_id] = quota

    # -- in the writer's thread --------------------------------------------------------------------

    def _set_limit(self, tenant_id: str, max_invocations: int, transaction: Transaction) -> _Quota:
        quota = self._written.get(tenant_id)
        if quota is None and len(self._written) >= self._most:
            raise MigFault(
                MigErrorCode.MIG_RATE_LIMITED,
                f"the gateway holds its limit of {self._most} quotas",
                retry_after_s=60.0,
            )
        return self._save(tenant_id, (max_invocations, 0 if quota is None else quota[1]), transaction)

    def _debit(self, tenant_id: str, transaction: Transaction) -> _Quota | None:
        """The quota after it; `_USED_UP`, and nothing taken, when none is left; None without a quota."""
        quota = self._written.get(tenant_id)
        if quota is None:
            return None
        limit, used = quota
        if used >= limit:
            return _USED_UP
        return self._save(tenant_id, (limit, used + 1), transaction)

    def _save(self, tenant_id: str, quota: _Quota, transaction: Transaction) -> _Quota:
        before = self._written.get(tenant_id)
        transaction.on_rollback(partial(self._restore, tenant_id, before))
        self._written[tenant_id] = quota
        transaction.put(_SAVE, tenant_id, (tenant_id, *quota))
        return quota

    def _restore(self, tenant_id: str, quota: _Quota | None) -> None:
        if quota is None:
            del self._written[tenant_id]
        else:
            self._written[tenant_id] = quota


_USED_UP: _Quota = (-1, -1)
