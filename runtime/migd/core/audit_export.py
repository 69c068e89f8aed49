"""How the retained audit trail is given out: in pages, or as lines (protocol section 7)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from mig_protocol.messages import AuditExport, AuditHead, AuditQuery, AuditRecord
from migd.core.audit import AuditStore
from migd.core.provider import JsonObject

_PAGE = 10_000
_AT_A_TIME = 1_000

_decode = msgspec.json.Decoder(JsonObject).decode


class AuditExports:
    """Asks the store for a part at a time, so that neither memory nor the event loop is taken for long."""

    def __init__(self, store: AuditStore) -> None:
        self._store = store

    async def page(self, query: AuditQuery) -> AuditExport:
        """At most `limit` records, 10,000 where the query has none, and where the next page begins."""
        limit = query.limit or _PAGE
        head = await self._store.head()
        records: list[AuditRecord] = []
        after, more = query.after or 0, True
        while more and len(records) < limit:
            part = await self._store.read(query, after, min(_AT_A_TIME, limit - len(records)))
            records += [_record(line) for line in part.lines]
            after, more = part.last, part.more and part.last < head.sequence
        export = AuditExport(records=records, head=AuditHead(sequence=head.sequence, hash=head.hash))
        if more:
            export.next_after = after
        return export

    async def lines(self, query: AuditQuery) -> AsyncIterator[bytes]:
        """Whole lines, several to a chunk, byte for byte as they were sealed [MIG-AUD-006].

        Up to where the trail ends now: a busy gateway's export comes to an end. Raises MigFault
        MIG_UNAVAILABLE, before there is a first line, when what waits to be written can not be.
        """
        return self._lines(query, (await self._store.head()).sequence)

    async def _lines(self, query: AuditQuery, end: int) -> AsyncIterator[bytes]:
        after, left = query.after or 0, query.limit or end
        while after < end and left > 0:
            part = await self._store.read(query, after, min(_AT_A_TIME, left))
            if part.lines:
                yield b"\n".join(part.lines) + b"\n"
            after = part.last
            left -= len(part.lines)


def _record(line: bytes) -> AuditRecord:
    # Not decoded as the message: what was written once is given back, though this version may be stricter.
    values = _decode(line)
    known = {name: values[name] for name in AuditRecord.__struct_fields__ if name in values}
    return AuditRecord(**known | {"timestamp": datetime.fromisoformat(values["timestamp"])})
