"""The head of an audit file's chain, kept beside it: where a restart goes on when the file was moved away."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from migd.core.audit import NO_LINE, Head

_LENGTH = 119
"""Every head fits, so that each overwrites all of the one before in a single write."""


class _Kept(msgspec.Struct):
    sequence: int
    hash: str


class HeadFile:
    """One line of JSON, `{"sequence": …, "hash": …}`, padded with spaces.

    It is written after the lines that it speaks of: a crash may leave it behind the file, never ahead.
    Raises OSError when it can not be opened.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def read(self) -> Head:
        """NO_LINE where there is none yet, or none that can be read."""
        try:
            kept = msgspec.json.decode(os.pread(self._file, _LENGTH + 1, 0), type=_Kept)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return NO_LINE
        return Head(kept.sequence, kept.hash)

    def write(self, head: Head) -> None:
        line = b'{"sequence":%d,"hash":"%b"}' % (head.sequence, head.hash.encode())
        os.pwrite(self._file, line.ljust(_LENGTH) + b"\n", 0)

    def close(self) -> None:
        os.close(self._file)
