"""The file: who may have it, which versions of it are read, and what is said when it can not be used."""

from __future__ import annotations

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
from support.manual_clock import ManualClock
from support.sqlite_stores import opened, publish, sequences

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


async def test_a_file_names_its_gateway_once(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path / "a", clock) as first, opened(tmp_path / "b", clock) as other:
        name = first.server_id
        assert name != other.server_id
    async with opened(tmp_path / "a", clock) as again:
        assert again.server_id == name


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
    assert said.stdout == f"StoreFolderError: {folder}/migd.sqlite3 can not be written: Permission denied\n"
