"""A file of audit lines that one process appends to: whole lines, whatever else goes on."""

from __future__ import annotations

import fcntl
import logging
import os
import stat
from pathlib import Path

import msgspec

from migd.core.audit import NO_LINE, Head, hash_of

_TAIL = 64 * 1024
_log = logging.getLogger("migd.audit")


class _Sealed(msgspec.Struct):
    sequence: int = 0


class AuditLines:
    """The file is opened for appending, and its last line looked at; nothing but a torn end is ever cut off.

    Raises OSError when it can not be opened, BlockingIOError when another process has it. Where the path is
    no regular file (a pipe, a terminal) there is nothing to look at and nothing to own.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # 0o600: who called what is not everyone's business.
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.regular = stat.S_ISREG(os.fstat(self._file).st_mode)
        self.head = NO_LINE
        """Of the last line that was there when the file was opened; sequence 0 where that is in no chain."""
        self._excess = 0
        try:
            if self.regular:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.head = self._mended()
        except BaseException:
            os.close(self._file)
            raise

    def is_at(self, path: Path) -> bool:
        """Whether this is the file that a newcomer would find there."""
        try:
            found, own = os.stat(path), os.fstat(self._file)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)

    def append(self, block: bytes) -> None:
        """All of the block is in the file when this returns, and none of it when it raises OSError."""
        if self._excess:
            self._cut_excess()
        written = 0
        try:
            while written < len(block):
                written += os.write(self._file, block[written:])
        except OSError:
            self._excess = written if self.regular else 0
            self._cut_excess()
            raise

    def close(self) -> None:
        os.close(self._file)

    def _cut_excess(self) -> None:
        """What a disk that filled up has left of a block must not spoil the lines that follow."""
        if self._excess:
            os.ftruncate(self._file, max(0, os.fstat(self._file).st_size - self._excess))
            self._excess = 0

    def _mended(self) -> Head:
        """The head of the last whole line, after a torn one behind it was completed or cut off."""
        size = os.fstat(self._file).st_size
        last, torn = self._tail(size)
        if torn and _sequence(torn):
            # Only its newline is missing.
            os.write(self._file, b"\n")
            last = torn
        elif torn:
            os.ftruncate(self._file, size - len(torn))
            _log.warning("%d bytes of a torn line were cut off", len(torn), extra={"path": str(self._path)})
        return Head(_sequence(last), hash_of(last)) if last else NO_LINE

    def _tail(self, size: int) -> tuple[bytes, bytes]:
        """The last whole line and what follows it, without newlines; either may be empty."""
        length = _TAIL
        while True:
            tail = os.pread(self._file, length, max(0, size - length))
            if length >= size or tail.count(b"\n") > 1:
                whole, _, torn = tail.rpartition(b"\n")
                return whole.rpartition(b"\n")[2], torn
            length *= 2


def _sequence(line: bytes) -> int:
    """The place of the record in its chain; 0 where the line is no record of a chain."""
    try:
        return msgspec.json.decode(line, type=_Sealed).sequence
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 0
