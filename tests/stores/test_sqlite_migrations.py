"""A file of every version that ever was becomes one of today, with all that is in it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from migd.core.ports import ConsumerName
from migd.stores.sqlite import SqliteStore
from migd.stores.sqlite.schema import MIGRATIONS, Step, migrate
from support.audit_trail import lines_of, verified
from support.audit_trail import record as audit_record
from support.manual_clock import EPOCH, ManualClock
from support.sqlite_stores import opened, publish, query

VERSIONS = Path(__file__).parent / "sqlite_versions"
"""N.sql is what version N added, in the SQL and with the rows of its own time."""

RELEASED = (
    "debd6580720ac2d0337307591f7b4f50a2017afd4fcfe692ba247dc5bdca690e",
    "e96a83a604bea3fb460b5d853d74730ea7408ca744734034c85f0563c68201fa",
    "6c47dccc24a7b3cebfe75aa28d3d005e699e15ffd001af58cc56e2adc4e5c242",
    "3554ce1824d8fa259bb333b13d6ecfe1be9e43cb287ba061d5b313d257bac354",
    "9a309ff9d84778a4eb18750face48b888686116286fb2595152c6cbed9b49283",
)
"""SHA-256 of each step. A step is never edited: to change the tables, add a step, N.sql and its digest."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def digest(step: Step) -> str:
    parts = (part if isinstance(part, str) else part.__name__ for part in step)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def file_of_version(path: Path, version: int) -> None:
    """As a migd of that version has left it."""
    with closing(sqlite3.connect(path)) as connection:
        for number in range(1, version + 1):
            connection.executescript((VERSIONS / f"{number}.sql").read_text())


async def found_of_version_1(store: SqliteStore) -> None:
    events = await store.events.read("acme", "a.b", 0, 9)
    assert [(event.sequence, event.event_id, event.published_at) for event in events] == [
        (1, "first", EPOCH),
        (2, "second", EPOCH),
    ]
    assert await publish(store, "again", key="k") == 2
    record = await store.idempotency.get("acme", "cap", "k")
    assert record is not None
    assert (record.digest, record.payload) == (b"digest", {"answer": 1})
    assert store.tombstones.reason("acme", "m") == "why"
    assert [descriptor.id for descriptor in await store.catalog.capabilities()] == ["a.b"]
    assert await store.catalog.schemas() == {"schema://a": {"title": "a"}}
    assert (store.quotas.limit("acme"), store.quotas.used("acme")) == (5, 2)
    assert await store.usage.by_tenant() == {"acme": 3}
    lines = await lines_of(store.audit)
    assert [json.loads(line)["message_id"] for line in lines[:2]] == ["1", "2"]
    assert await store.directory.has_org("o")
    assert await store.directory.has_tenant("t")


async def found_of_version_2(store: SqliteStore) -> None:
    assert await store.consumers.resume(ConsumerName("acme", "a.b", "billing"), 9) == 1


async def found_of_version_3(store: SqliteStore) -> None:
    assert store.server_id == "migd-kept"


async def found_of_version_4(store: SqliteStore) -> None:
    before = len(await lines_of(store.audit))
    store.audit.append(audit_record("more"))
    assert verified(await lines_of(store.audit)).startswith(f"{before + 1} records, 1 to {before + 1}, ")


async def found_of_version_5(store: SqliteStore) -> None:
    assert store.mirror.log == "this-log"
    assert await store.mirror.mirrored("acme", "a.b") == 1
    assert await store.mirror.knows("that-log")
    assert await store.mirror.last_taken("that-log", "acme", "c.d") == 7


FOUND: tuple[Callable[[SqliteStore], Awaitable[None]], ...] = (
    found_of_version_1,
    found_of_version_2,
    found_of_version_3,
    found_of_version_4,
    found_of_version_5,
)


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
async def test_a_file_of_every_version_is_read_with_all_that_is_in_it(
    tmp_path: Path, clock: ManualClock, version: int
) -> None:
    file_of_version(tmp_path / "migd.sqlite3", version)
    assert query(tmp_path, "PRAGMA user_version") == [(version,)]
    for _ in range(2):
        async with opened(tmp_path, clock) as store:
            assert query(tmp_path, "PRAGMA user_version") == [(len(MIGRATIONS),)]
            for found in FOUND[:version]:
                await found(store)


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_a_file_of_every_version_has_the_tables_that_its_steps_make(tmp_path: Path, version: int) -> None:
    file_of_version(tmp_path / "kept", version)
    with closing(sqlite3.connect(tmp_path / "made", isolation_level=None)) as connection:
        migrate(connection, tmp_path / "made", MIGRATIONS[:version])
    tables = []
    for name in ("kept", "made"):
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
            tables.append({name: " ".join(sql.split()) for name, sql in rows})
    assert tables[0] == tables[1]


def test_no_step_that_was_released_is_edited() -> None:
    assert tuple(map(digest, MIGRATIONS)) == RELEASED


def test_steps_are_taken_once_each_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "db"
    steps = [("CREATE TABLE t (a)",), ("ALTER TABLE t ADD b", "INSERT INTO t VALUES (1, 2)")]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, steps[:1])
        connection.execute("INSERT INTO t VALUES (0)")
        for _ in range(2):
            migrate(connection, path, steps)
            assert connection.execute("SELECT * FROM t").fetchall() == [(0, None), (1, 2)]
            assert connection.execute("PRAGMA user_version").fetchone() == (2,)


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "db"
    good = ("CREATE TABLE t (a)",)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, [good])
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, path, [good, ("INSERT INTO t VALUES (1)", "CREATE TABLE t (b)")])
        assert connection.execute("SELECT * FROM t").fetchall() == []
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        migrate(connection, path, [good, ("CREATE TABLE u (b)",)])
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
