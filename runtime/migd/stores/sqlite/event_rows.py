"""Events as rows, and rows as events."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from migd.core.ports import StoredEvent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_READ = """SELECT sequence, event_id, published_at, body, log, previous FROM events
    WHERE topic_id = ? AND sequence BETWEEN ? AND ? ORDER BY sequence LIMIT ?"""
_PUBLISHED_AT = "SELECT published_at FROM events WHERE topic_id = ? AND sequence = ?"

EventRow = tuple[int, str, int, bytes, str | None, int | None]
Horizon = Callable[[], datetime]
"""The moment before which events are too old to be retained."""


def microseconds(moment: datetime) -> int:
    """Since the Unix epoch: exact, where a float of seconds is not."""
    return (moment - _EPOCH) // _MICROSECOND


def event_of(row: EventRow) -> StoredEvent:
    """The event of (sequence, event_id, published_at, body, log, previous)."""
    sequence, event_id, published_at, body, log, previous = row
    return StoredEvent(
        sequence=sequence,
        event_id=event_id,
        published_at=_EPOCH + timedelta(microseconds=published_at),
        body=body,
        log=log,
        previous=previous or 0,
    )


def read_events(
    connection: sqlite3.Connection, topic_id: int, first: int, last: int, limit: int, most_bytes: int
) -> Sequence[StoredEvent]:
    """From `first` to `last`, ascending, at most `limit`, and no more once they have `most_bytes` in all."""
    events = []
    size = 0
    cursor = connection.execute(_READ, (topic_id, first, last, limit))
    for row in cursor:
        events.append(event_of(row))
        size += len(row[3])
        if size >= most_bytes:
            cursor.close()
            break
    return events


def first_since(connection: sqlite3.Connection, topic_id: int, first: int, head: int, oldest: int) -> int:
    """The lowest sequence from `first` on whose event was not published before `oldest`; head + 1 if none.

    Sequences have no holes and times grow with them, so that a bisection finds it: in a log where the wall
    clock was set back it finds one such boundary.
    """

    def published_at(sequence: int) -> int:
        row = connection.execute(_PUBLISHED_AT, (topic_id, sequence)).fetchone()
        # Trimmed since: as old as can be.
        return 0 if row is None else int(row[0])

    return first + bisect_left(range(first, head + 1), oldest, key=published_at)
