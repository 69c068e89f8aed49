"""Which process has the store: one gateway at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from migd.stores.sqlite.errors import StoreFolderError


class StoreLock:
    """An exclusive lock on a file beside the database, gone with the process however it ends.

    Not on the database itself: closing any handle of a file lets go of the locks that SQLite holds on it
    (https://sqlite.org/howtocorrupt.html, 2.2).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def take(self) -> None:
        """Raises StoreFolderError when another gateway has it, naming its process id."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreFolderError(f"{self._path} can not be opened: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(file, 32).decode(errors="replace").strip()
            os.close(file)
            raise StoreFolderError(
                f"{self._path.parent} is in use by another migd (process {holder or 'unknown'})"
            ) from error
        os.truncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        self._file = file

    def release(self) -> None:
        """Harmless when it was never taken."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
