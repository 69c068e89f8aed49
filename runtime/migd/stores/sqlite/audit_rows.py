"""The table of the audit trail: so many lines to a row, found by sequence, time and content."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing

from migd.core.audit import NO_LINE, AuditEntry, AuditPage, Chain, Head, hash_of
from migd.stores.audit_filter import AuditFilter
from migd.stores.sqlite.event_rows import microseconds

ROW = 1024
"""The most records that one row holds."""

_ROWS_LOOKED_AT = 128
"""The most rows that one page looks at: others wait for the reader's thread meanwhile."""

_LAST = "SELECT first, records, lines FROM audit ORDER BY first DESC LIMIT 1"
_INSERT = "INSERT INTO audit (first, records, oldest_at, newest_at, lines) VALUES (?, ?, ?, ?, ?)"
_TRIM = "DELETE FROM audit WHERE first <= ? AND first + records - 1 <= ?"
# The content of a row that can not hold anything that is wanted stays in SQLite.
_PAGE = """SELECT first, records, CASE WHEN newest_at >= ? AND oldest_at < ?{needles} THEN lines END
    FROM audit WHERE first > ? AND first + records - 1 > ? ORDER BY first LIMIT ?"""
_NEEDLE = " AND instr(lines, ?)"
_EARLIEST, _LATEST = -(1 << 62), 1 << 62


def chain_end(connection: sqlite3.Connection) -> Head:
    """The chain as far as it is committed."""
    row = connection.execute(_LAST).fetchone()
    if row is None:
        return NO_LINE
    first, records, lines = row
    return Head(first + records - 1, hash_of(lines.removesuffix(b"\n").rpartition(b"\n")[2]))


def insert(connection: sqlite3.Connection, chain: Chain, entries: Sequence[AuditEntry]) -> None:
    """Seal the entries, at most ROW of them, and write them as one row."""
    first = chain.head.sequence + 1
    lines = chain.seal_all([entry.text for entry in entries])
    moments = [entry.at for entry in entries]
    oldest_at, newest_at = microseconds(min(moments)), microseconds(max(moments))
    connection.execute(_INSERT, (first, len(entries), oldest_at, newest_at, lines))


def trim(connection: sqlite3.Connection, gone: int) -> None:
    """Let go of the rows all of whose sequences are up to `gone`."""
    connection.execute(_TRIM, (gone, gone))


def read_page(
    wanted: AuditFilter, after: int, limit: int, retained: int, connection: sqlite3.Connection
) -> AuditPage:
    """As `AuditStore.read`; `retained` is how many of the newest records count as being there at all."""
    end = chain_end(connection).sequence
    # Rows are deleted whole: the first may begin with records that are no longer retained.
    last = max(after, end - retained)
    found: list[bytes] = []
    for first, records, lines in _rows(connection, wanted, last):
        if lines is None:
            last = first + records - 1
            continue
        for sequence, line in enumerate(lines.splitlines(), first):
            if sequence <= last:
                continue
            last = sequence
            if wanted.wants(line):
                found.append(line)
                if len(found) == limit:
                    return AuditPage(lines=found, last=last, more=last < end)
    return AuditPage(lines=found, last=last, more=last < end)


def _rows(
    connection: sqlite3.Connection, wanted: AuditFilter, after: int
) -> Iterator[tuple[int, int, bytes | None]]:
    statement = _PAGE.format(needles=_NEEDLE * len(wanted.needles))
    since = _EARLIEST if wanted.since is None else microseconds(wanted.since)
    until = _LATEST if wanted.until is None else microseconds(wanted.until)
    values = (since, until, *wanted.needles, after - ROW, after, _ROWS_LOOKED_AT)
    with closing(connection.execute(statement, values)) as cursor:
        yield from cursor
