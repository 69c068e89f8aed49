"""The file: who may have it, which versions of it are read, and what is said when it can not be used."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from migd.stores.sqlite import SqliteStore, StoreError
from migd.stores.sqlite.schema import MIGRATIONS, migrate
from support.audit_trail import lines_of, verified
from support.audit_trail import record as audit_record
from support.manual_clock import EPOCH, ManualClock
from support.sqlite_stores import opened, publish, query, sequences

VERSIONS = Path(__file__).parent / "sqlite_versions"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def refusal(folder: Path) -> str:
    with pytest.raises(StoreError) as caught:
        await SqliteStore(folder, ManualClock()).open()
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def test_the_folder_and_its_files_are_for_their_owner_only(tmp_path: Path, clock: ManualClock) -> None:
    folder = tmp_path / "not" / "there"
    async with opened(folder, clock) as store:
        await publish(store, "e")
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()} == {
            "migd.lock": 0o600,
            "migd.sqlite3": 0o600,
            "migd.sqlite3-wal": 0o600,
            "migd.sqlite3-shm": 0o600,
        }


async def test_two_gateways_do_not_share_a_store(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock) as store:
        assert f"{tmp_path} is in use by another migd (process {os.getpid()})" == await refusal(tmp_path)
        assert await publish(store, "still there") == 1
    async with opened(tmp_path, clock) as store:
        assert await sequences(store) == [1]


async def test_a_store_that_did_not_open_is_not_held(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "migd.sqlite3").write_bytes(b"this is no database" * 500)
    assert "is not a SQLite database" in await refusal(tmp_path)
    (tmp_path / "migd.sqlite3").unlink()
    async with opened(tmp_path, clock):
        pass


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda c: c.execute("PRAGMA user_version = 99"), "from a newer migd (format 99"),
        (lambda c: c.execute("PRAGMA application_id = 1"), "not one of migd's"),
    ],
)
async def test_a_file_of_another_program_or_a_newer_migd_is_left_alone(
    tmp_path: Path, clock: ManualClock, spoil: Callable[[sqlite3.Connection], object], said: str
) -> None:
    async with opened(tmp_path, clock) as store:
        await publish(store, "e")
    with closing(sqlite3.connect(tmp_path / "migd.sqlite3")) as connection:
        spoil(connection)
    before = (tmp_path / "migd.sqlite3").read_bytes()
    assert said in await refusal(tmp_path)
    assert (tmp_path / "migd.sqlite3").read_bytes() == before


async def test_a_corrupt_file_is_named(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock) as store:
        await publish(store, "e")
    path = tmp_path / "migd.sqlite3"
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    assert f"{path} can not be used: the file is corrupt: restore a backup" == await refusal(tmp_path)


async def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert "data/migd.sqlite3 can not be written" in await refusal(tmp_path / "data")


def test_a_read_only_file_is_named() -> None:
    """As a user who is not root, whom no mode of a file stops."""
    program = (
        "import asyncio, os, sys\n"
        "from pathlib import Path\n"
        "from migd.core.clock import SystemClock\n"
        "from migd.stores.sqlite import SqliteStore\n"
        "folder = Path(sys.argv[1])\n"
        "async def main():\n"
        "    store = SqliteStore(folder, SystemClock())\n"
        "    await store.open()\n"
        "    await store.close()\n"
        "asyncio.run(main())\n"
        "(folder / 'migd.sqlite3').chmod(0o400)\n"
        "if os.geteuid() == 0:\n"
        "    os.chmod(folder.parent, 0o755)\n"
        "    for file in (folder, *folder.iterdir()):\n"
        "        os.chown(file, 65534, 65534)\n"
        "    os.setuid(65534)\n"
        "try:\n"
        "    asyncio.run(main())\n"
        "except Exception as error:\n"
        "    print(f'{type(error).__name__}: {error}')\n"
    )
    # Not in pytest's own place, which other users can not look into.
    with TemporaryDirectory(prefix="migd-read-only-") as place:
        folder = Path(place) / "data"
        said = subprocess.run(
            [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True
        )
    assert said.stdout == f"StoreError: {folder}/migd.sqlite3 can not be written: Permission denied\n"


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
async def test_a_file_of_every_version_is_read_with_all_that_is_in_it(
    tmp_path: Path, clock: ManualClock, version: int
) -> None:
    with closing(sqlite3.connect(tmp_path / "migd.sqlite3")) as connection:
        connection.executescript((VERSIONS / f"{version}.sql").read_text())
    async with opened(tmp_path, clock) as store:
        assert query(tmp_path, "PRAGMA user_version") == [(len(MIGRATIONS),)]
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
        assert [json.loads(line)["message_id"] for line in lines] == ["1", "2"]
        store.audit.append(audit_record("3"))
        assert verified(await lines_of(store.audit)).startswith("3 records, 1 to 3, ")
        assert await store.directory.has_org("o")
        assert await store.directory.has_tenant("t")
        if version >= 3:
            assert store.mirror.log == "this-log"
            assert await store.mirror.mirrored("acme", "a.b") == 1
            assert await store.mirror.knows("that-log")
            assert await store.mirror.last_taken("that-log", "acme", "c.d") == 7


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
