"""What goes wrong with the file, in words that an operator can act on."""

from __future__ import annotations

import sqlite3

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode

_PRIMARY = 0xFF
"""The primary result code is the low byte of an extended one (https://sqlite.org/rescode.html)."""

_STORAGE = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk does not read or write",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only",
    sqlite3.SQLITE_PERM: "permission is denied",
    sqlite3.SQLITE_CANTOPEN: "the file can not be opened",
    sqlite3.SQLITE_CORRUPT: "the file is corrupt: restore a backup",
    sqlite3.SQLITE_NOTADB: "the file is not a SQLite database",
    sqlite3.SQLITE_BUSY: "the file is locked by another process",
    sqlite3.SQLITE_LOCKED: "the file is locked",
    sqlite3.SQLITE_PROTOCOL: "the file is locked by another process",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
    sqlite3.SQLITE_INTERRUPT: "the work was interrupted",
}


class StoreError(Exception):
    """The store can not be opened, backed up or restored. Its text is one line: which file, and why."""


class StoreFolderError(StoreError):
    """The folder is not there for this process: another one has it, or it can not be written."""


def storage_failure(error: BaseException) -> str | None:
    """Why the file can not be used; None when the error is not the file's but the statement's."""
    if not isinstance(error, sqlite3.Error):
        return None
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else _STORAGE.get(code & _PRIMARY)


def unavailable(reason: str) -> MigFault:
    """What a caller is told while the file can not be used."""
    return MigFault(MigErrorCode.MIG_UNAVAILABLE, f"the store can not serve: {reason}")
