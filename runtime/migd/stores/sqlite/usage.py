"""What has run: counted in memory, written soon after."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping

from migd.core.clock import Clock
from migd.stores.memory import OTHER_TENANTS
from migd.stores.sqlite.transaction import Transaction
from migd.stores.sqlite.write_behind import WriteBehind
from migd.stores.sqlite.writer import Writer

_LOAD = "SELECT tenant_id, capability, invocations FROM usage"
_SAVE = """INSERT INTO usage (tenant_id, capability, invocations) VALUES (?, ?, ?)
    ON CONFLICT (tenant_id, capability) DO UPDATE SET invocations = excluded.invocations"""

_Key = tuple[str, str]
_Counts = list[tuple[str, str, int]]


class SqliteUsage:
    """A crash loses the counts of the last moments; `close` of the store loses none.

    Past `limit` rows new tenants are counted together: the sums stay true, the table bounded.
    """

    def __init__(self, writer: Writer, clock: Clock, limit: int, delay_s: float) -> None:
        self._limit = limit
        self._counts: dict[_Key, int] = {}
        self._changed: set[_Key] = set()
        self.behind = WriteBehind(
            writer, clock, delay_s, take=self._take, write=_write, restore=self._restore
        )

    def load(self, connection: sqlite3.Connection) -> None:
        """Once, before the writer starts."""
        self._counts = {(row[0], row[1]): row[2] for row in connection.execute(_LOAD)}

    def count(self, tenant_id: str, capability: str) -> None:
        key = (tenant_id, capability)
        counts = self._counts
        if key not in counts:
            if len(counts) >= self._limit:
                key = (OTHER_TENANTS, capability)
            counts.setdefault(key, 0)
        counts[key] += 1
        self._changed.add(key)
        if not self.behind.waiting:
            self.behind.due()

    async def by_tenant(self) -> Mapping[str, int]:
        return self._sums(0)

    async def by_capability(self) -> Mapping[str, int]:
        return self._sums(1)

    def _sums(self, part: int) -> Mapping[str, int]:
        sums: Counter[str] = Counter()
        for key, number in self._counts.items():
            sums[key[part]] += number
        return dict(sorted(sums.items()))

    def _take(self) -> _Counts | None:
        changed, self._changed = self._changed, set()
        return [(*key, self._counts[key]) for key in changed] or None

    def _restore(self, counts: _Counts) -> None:
        self._changed.update((tenant_id, capability) for tenant_id, capability, _ in counts)


def _write(counts: _Counts, transaction: Transaction) -> None:
    # Totals and not additions: written twice, they are still right.
    transaction.connection.executemany(_SAVE, counts)
