"""The audit trail of the store that forgets with the process."""

from __future__ import annotations

from collections import deque
from itertools import islice

from mig_protocol.messages import AuditQuery
from migd.core.audit import AuditEntry, AuditPage, Chain, Head
from migd.stores.audit_filter import AuditFilter

_LOOKED_AT = 10_000
"""The most lines that one page looks at, since the event loop waits meanwhile."""


class MemoryAudit:
    """The newest `limit` records."""

    failure: str | None = None
    lost = 0

    def __init__(self, limit: int) -> None:
        self._lines: deque[bytes] = deque(maxlen=limit)
        self._chain = Chain()

    def append(self, entry: AuditEntry) -> None:
        self._lines.append(self._chain.seal(entry.text))

    async def read(self, query: AuditQuery, after: int, limit: int) -> AuditPage:
        wants = AuditFilter(query).wants
        end = self._chain.head.sequence
        first = end - len(self._lines) + 1
        last = max(after, first - 1)
        found: list[bytes] = []
        for line in islice(self._lines, last + 1 - first, last + 1 - first + _LOOKED_AT):
            last += 1
            if wants(line):
                found.append(line)
                if len(found) == limit:
                    break
        return AuditPage(lines=found, last=last, more=last < end)

    async def head(self) -> Head:
        return self._chain.head
