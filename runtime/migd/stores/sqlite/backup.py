"""A copy of the store while it is in use, and the way back."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from migd.stores.sqlite.errors import StoreError
from migd.stores.sqlite.files import DATABASE, LOCK, explained, open_for_reading
from migd.stores.sqlite.lock import StoreLock
from migd.stores.sqlite.schema import check


def backup(data_dir: Path, target: Path, *, force: bool = False) -> None:
    """Write all that is committed now to `target`, one file; a gateway may go on writing meanwhile.

    Raises StoreError when there is no store, or when `target` exists and is not to be overwritten by `force`.
    """
    path = data_dir / DATABASE
    if not path.exists():
        raise StoreError(f"there is no store in {data_dir}")
    _refuse_existing(target, force)
    with _replacing(target) as copy:
        _copy(path, copy)


def restore(source: Path, data_dir: Path, *, force: bool = False) -> None:
    """Make the backup `source` the store of `data_dir`.

    Raises StoreError while a gateway has that store, when there is one that is not to be overwritten by
    `force`, and when `source` is not a sound backup that this migd can read.
    """
    if not source.is_file():
        raise StoreError(f"there is no file {source}")
    path = data_dir / DATABASE
    with _owning(data_dir):
        _refuse_existing(path, force)
        with _replacing(path) as copy:
            _copy(source, copy)
            _begin_new_log(copy)
            # Of the store that goes: SQLite would take them for the new one's.
            for leftover in ("-wal", "-shm"):
                path.with_name(DATABASE + leftover).unlink(missing_ok=True)


def _begin_new_log(copy: Path) -> None:
    """What is appended from now on has sequences that other gateways may have seen with other events."""
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'mirror'").fetchone():
            connection.execute("DELETE FROM mirror")


def _copy(source: Path, target: Path) -> None:
    with explained(source), closing(open_for_reading(source)) as reading:
        if check(reading, source) == 0:
            raise StoreError(f"{source} is empty")
        with closing(sqlite3.connect(target, isolation_level=None)) as writing:
            # In one step, and so from one moment: in steps it would begin anew whenever the gateway commits.
            reading.backup(writing, pages=-1)
            writing.execute("PRAGMA journal_mode = delete")
            verdict = writing.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise StoreError(f"{source} is corrupt: {verdict.splitlines()[-1]}")


def _refuse_existing(path: Path, force: bool) -> None:
    if path.exists() and not force:
        raise StoreError(f"{path} exists already; --force overwrites it")


@contextmanager
def _owning(data_dir: Path) -> Iterator[None]:
    lock = StoreLock(data_dir / LOCK)
    with _written(data_dir):
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock.take()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A new file for its owner's eyes, which takes the place of `path` when all has gone well."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with _written(path):
            os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        yield part
        with _written(path):
            _sync(part)
            part.replace(path)
            _sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path} can not be written: {error.strerror}") from error


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
