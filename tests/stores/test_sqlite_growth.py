"""The write-ahead log of the file: it is written over and over, and does not grow with what is written."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from migd.stores.retention import Retention
from migd.stores.sqlite import SqliteStore
from support.audit_trail import lines_of
from support.manual_clock import ManualClock
from support.sqlite_stores import opened, publish, sequences

KEPT = Retention(events=100)
MIB = 1024 * 1024


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def log_bytes(folder: Path) -> int:
    return (folder / "migd.sqlite3-wal").stat().st_size


async def fill(store: SqliteStore, mebibytes: int) -> None:
    """Publish so much, a mebibyte in each commit."""
    for _ in range(mebibytes):
        await asyncio.gather(*(publish(store, "e", size=MIB // 16) for _ in range(16)))


async def test_reading_all_the_while_does_not_keep_the_log_from_being_written_over(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock, KEPT, tail_bytes=MIB) as store:
        for _ in range(12):
            await asyncio.gather(fill(store, 3), sequences(store), lines_of(store.audit))
        assert log_bytes(tmp_path) < 16 * MIB


async def test_what_a_long_read_of_another_process_made_it_grow_is_given_back(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock, KEPT) as store:
        with closing(sqlite3.connect(tmp_path / "migd.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM events").fetchone()
            await fill(store, 80)
            assert log_bytes(tmp_path) > 80 * MIB
        await fill(store, 8)
        assert log_bytes(tmp_path) <= 64 * MIB
