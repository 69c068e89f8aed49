"""Where the store lies, and how its file is opened."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from migd.stores.sqlite.errors import StoreError, StoreFolderError, storage_failure

DATABASE = "migd.sqlite3"
LOCK = "migd.lock"

Synchronous = Literal["normal", "full"]
"""normal: a commit survives the end of the process, not of the machine's power. full: both."""

_BUSY_MS = 5_000
_CACHE_KIB = 2 * 1024
_WAL_BYTES = 64 * 1024 * 1024


def prepare(data_dir: Path) -> Path:
    """Create the folder and the file where they are missing, both for their owner's eyes only.

    Raises StoreFolderError when they can not be written.
    """
    path = data_dir / DATABASE
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its own files beside this one the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreFolderError(f"{path} can not be written: {error.strerror}") from error
    return path


def open_for_writing(path: Path, synchronous: Synchronous) -> sqlite3.Connection:
    """The one connection that writes. Transactions are begun and ended by hand."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that sees what is committed and can change nothing."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    return connection


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """SQLite's errors as a StoreError about that file."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{path} can not be used: {storage_failure(error) or error}") from error
