"""How the audit trail of a file of format 1, which had no chain, becomes the beginning of one.

Part of a step of `schema.MIGRATIONS`, and as little edited as they are.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

import msgspec

from migd.core.audit import Chain
from migd.stores.sqlite.event_rows import microseconds

_READ = "SELECT lines FROM audit_1 ORDER BY first"
_INSERT = "INSERT INTO audit (first, records, oldest_at, newest_at, lines) VALUES (?, ?, ?, ?, ?)"


class _Moment(msgspec.Struct):
    timestamp: datetime


_decode = msgspec.json.Decoder(_Moment).decode


def seal_format_1(connection: sqlite3.Connection) -> None:
    """Copy every row of `audit_1` to `audit`, its records numbered from 1 and chained."""
    chain = Chain()
    for (lines,) in connection.execute(_READ):
        texts = lines.splitlines()
        first = chain.head.sequence + 1
        sealed = chain.seal_all(texts)
        moments = [microseconds(_decode(text).timestamp) for text in texts]
        connection.execute(_INSERT, (first, len(texts), min(moments), max(moments), sealed))
