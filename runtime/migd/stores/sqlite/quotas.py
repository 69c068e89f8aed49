"""Quotas: a debit is decided where it is committed, so that none is ever given twice."""

from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from typing import Any

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


class _Debit:
    """One debit on its way; the writer says whether it took something."""

    __slots__ = ("taken", "tenant_id")

    def __init__(self, tenant_id: str) -> None:
        self.tenant_id = tenant_id
        self.taken = False

    def untake(self) -> None:
        self.taken = False


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
        debit = _Debit(tenant_id)
        applied = partial(self._applied_if_changed, tenant_id)
        step = self._writer.submit(partial(self._debit, debit), applied)
        try:
            return await step is not _USED_UP
        except asyncio.CancelledError:
            # Committed or not: what is submitted later is done later. A crash in between gives one too few.
            undone = self._writer.submit(partial(self._give_back, debit), applied, bounded=False)
            undone.add_done_callback(_looked_at)
            raise

    def _applied(self, tenant_id: str, quota: _Quota) -> None:
        self._committed[tenant_id] = quota

    def _applied_if_changed(self, tenant_id: str, quota: _Quota | None) -> None:
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

    def _debit(self, debit: _Debit, transaction: Transaction) -> _Quota | None:
        """The quota after it; `_USED_UP`, and nothing taken, when none is left; None without a quota."""
        quota = self._written.get(debit.tenant_id)
        if quota is None:
            return None
        limit, used = quota
        if used >= limit:
            return _USED_UP
        debit.taken = True
        transaction.on_rollback(debit.untake)
        return self._save(debit.tenant_id, (limit, used + 1), transaction)

    def _give_back(self, debit: _Debit, transaction: Transaction) -> _Quota | None:
        """The quota after it; None when the debit had not taken anything."""
        quota = self._written.get(debit.tenant_id)
        if quota is None or not debit.taken:
            return None
        limit, used = quota
        return self._save(debit.tenant_id, (limit, used - 1), transaction)

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


def _looked_at(step: asyncio.Future[Any]) -> None:
    # How it went is what the writer's health says now.
    step.exception()


_USED_UP: _Quota = (-1, -1)
