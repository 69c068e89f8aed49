"""A backup is the store at one moment, taken while it is in use; restoring it gives that moment back."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from migd.stores.sqlite import StoreError
from migd.stores.sqlite.backup import backup, restore
from support.manual_clock import ManualClock
from support.sqlite_stores import opened, publish, sequences


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def made(folder: Path, clock: ManualClock, events: int) -> Path:
    async with opened(folder, clock) as store:
        for number in range(events):
            await publish(store, f"e{number}")
    return folder


async def test_a_backup_has_what_was_acknowledged_before_it_and_no_half_of_what_came_meanwhile(
    tmp_path: Path, clock: ManualClock
) -> None:
    copy, again = tmp_path / "copy", tmp_path / "again"
    async with opened(tmp_path / "data", clock) as store:
        for number in range(200):
            await publish(store, f"e{number}", size=1000)
        taking = asyncio.create_task(asyncio.to_thread(backup, tmp_path / "data", copy))
        while not taking.done():
            await publish(store, "meanwhile")
        await taking
        last = await publish(store, "afterwards")
    restore(copy, again)
    async with opened(again, clock) as restored:
        kept = await sequences(restored)
        assert kept == list(range(1, len(kept) + 1))
        assert 200 <= len(kept) < last
        assert await publish(restored, "goes on") == len(kept) + 1


async def test_a_backup_is_one_file_for_its_owner_only(tmp_path: Path, clock: ManualClock) -> None:
    await made(tmp_path / "data", clock, 1)
    (tmp_path / "out").mkdir()
    backup(tmp_path / "data", tmp_path / "out" / "copy")
    restore(tmp_path / "out" / "copy", tmp_path / "again")
    (copy,) = (tmp_path / "out").iterdir()
    assert copy.stat().st_mode & 0o777 == 0o600


async def test_a_backup_overwrites_nothing_unless_it_is_told_to(tmp_path: Path, clock: ManualClock) -> None:
    data = await made(tmp_path / "data", clock, 1)
    copy = tmp_path / "copy"
    copy.write_text("precious")
    with pytest.raises(StoreError, match="exists already"):
        backup(data, copy)
    assert copy.read_text() == "precious"
    backup(data, copy, force=True)
    restore(copy, tmp_path / "again")


async def test_a_restore_waits_for_no_gateway_and_overwrites_nothing_unless_it_is_told_to(
    tmp_path: Path, clock: ManualClock
) -> None:
    copy = tmp_path / "copy"
    backup(await made(tmp_path / "data", clock, 2), copy)
    async with opened(tmp_path / "data", clock) as store:
        assert await publish(store, "newer") == 3
        with pytest.raises(StoreError, match="in use by another migd"):
            restore(copy, tmp_path / "data", force=True)
    with pytest.raises(StoreError, match="exists already"):
        restore(copy, tmp_path / "data")
    async with opened(tmp_path / "data", clock) as store:
        assert await sequences(store) == [1, 2, 3]
    restore(copy, tmp_path / "data", force=True)
    async with opened(tmp_path / "data", clock) as store:
        assert await sequences(store) == [1, 2]


async def test_a_restore_leaves_nothing_of_a_store_that_was_killed(
    tmp_path: Path, clock: ManualClock
) -> None:
    copy = tmp_path / "copy"
    data = await made(tmp_path / "data", clock, 2)
    backup(data, copy)
    async with opened(data, clock) as store:
        await publish(store, "newer")
        log = (data / "migd.sqlite3-wal").read_bytes()
    (data / "migd.sqlite3-wal").write_bytes(log)
    restore(copy, data, force=True)
    async with opened(data, clock) as store:
        assert await sequences(store) == [1, 2]


async def test_what_is_no_backup_is_refused_and_changes_nothing(tmp_path: Path, clock: ManualClock) -> None:
    data = await made(tmp_path / "data", clock, 1)
    with closing(sqlite3.connect(tmp_path / "other")) as connection:
        connection.execute("CREATE TABLE t (a)")
    with closing(sqlite3.connect(tmp_path / "newer")) as connection:
        connection.executescript("PRAGMA user_version = 99; PRAGMA application_id = 0x4D494744;")
        connection.execute("CREATE TABLE t (a)")
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("no database" * 1000)
    backup(data, tmp_path / "torn")
    torn = bytearray((tmp_path / "torn").read_bytes())
    torn[len(torn) // 2 :] = b"\xff" * (len(torn) - len(torn) // 2)
    (tmp_path / "torn").write_bytes(torn)
    for name, said in (
        ("missing", "there is no file"),
        ("other", "not one of migd's"),
        ("newer", "newer migd"),
        ("empty", "is empty"),
        ("text", "not a SQLite database"),
        ("torn", "corrupt"),
    ):
        with pytest.raises(StoreError, match=said) as caught:
            restore(tmp_path / name, data, force=True)
        assert "\n" not in str(caught.value)
    assert not list(data.glob(".*"))
    async with opened(data, clock) as store:
        assert await sequences(store) == [1]


def test_there_must_be_a_store_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store"):
        backup(tmp_path / "nowhere", tmp_path / "copy")


async def test_a_place_that_can_not_be_written_is_named(tmp_path: Path, clock: ManualClock) -> None:
    data = await made(tmp_path / "data", clock, 1)
    with pytest.raises(StoreError, match="nowhere/copy can not be written: No such file or directory"):
        backup(data, tmp_path / "nowhere" / "copy")


async def test_a_restored_store_has_another_log_since_what_follows_may_differ(
    tmp_path: Path, clock: ManualClock
) -> None:
    data = await made(tmp_path / "data", clock, 1)
    backup(data, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "again")
    logs = set()
    for folder in (data, data, tmp_path / "again"):
        async with opened(folder, clock) as store:
            logs.add(store.mirror.log)
    assert len(logs) == 2
