"""How much of a log is given at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from migd.core.ports import BATCH_BYTES, StoredEvent


def batch(events: deque[StoredEvent], start: int, limit: int) -> Sequence[StoredEvent]:
    """From the place `start` on, at most `limit`, and no more once they have BATCH_BYTES in all."""
    given = []
    size = 0
    for index in range(start, min(start + limit, len(events))):
        event = events[index]
        given.append(event)
        size += len(event.body)
        if size >= BATCH_BYTES:
            break
    return given
