"""A SQLite store for a test: on a real file, small where a bound is to be met."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import datetime
from pathlib import Path
from typing import Any

from migd.stores.retention import Retention
from migd.stores.sqlite import SqliteStore
from support.manual_clock import EPOCH, ManualClock


class Draft:
    """An event as small as it can be, or as large as a test wants."""

    def __init__(self, event_id: str, size: int = 0, at: datetime = EPOCH) -> None:
        self.event_id = event_id
        self.published_at = at
        self._pad = "x" * size

    def encode(self, sequence: int) -> bytes:
        return f'{{"sequence":{sequence},"event_id":"{self.event_id}{self._pad}","replay":false}}'.encode()


@asynccontextmanager
async def opened(
    folder: Path, clock: ManualClock, retention: Retention | None = None, **options: Any
) -> AsyncIterator[SqliteStore]:
    """The store of that folder, closed in order at the end of the block."""
    store = SqliteStore(folder, clock, retention, **options)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def publish(
    store: SqliteStore, event_id: str, *, key: str | None = None, size: int = 0, at: datetime = EPOCH
) -> int:
    """The sequence that the event was given in topic a.b of tenant acme."""
    event, _ = await store.events.append("acme", "a.b", Draft(event_id, size, at), key)
    return event.sequence


async def sequences(store: SqliteStore, after: int = 0) -> list[int]:
    """All that are retained after the cursor, batch by batch."""
    read: list[int] = []
    while batch := await store.events.read("acme", "a.b", after, 1000):
        read += [event.sequence for event in batch]
        after = read[-1]
    return read


def query(folder: Path, statement: str) -> list[tuple[Any, ...]]:
    """What the file says, whoever has it open."""
    with closing(sqlite3.connect(f"file:{folder}/migd.sqlite3?mode=ro", uri=True)) as connection:
        return connection.execute(statement).fetchall()
