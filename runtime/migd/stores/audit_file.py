"""The audit trail as a file: one JSON line per invocation, appended (MIGD_AUDIT_LOG_PATH)."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import msgspec

from mig_protocol.messages import AuditRecord

_log = logging.getLogger("migd.audit")


class AuditFile:
    """Appends records, all those of one turn of the event loop in one write.

    The file is opened for appending and never truncated, so that several gateways may share it: a line
    is always whole. What is buffered is at most one turn's worth, and `close` writes it.
    Raises OSError when the file can not be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._encode = msgspec.json.Encoder().encode
        self._lines: list[bytes] = []
        self._failing = False
        self._torn = False
        # 0o600: who called what is not everyone's business.
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def append(self, record: AuditRecord) -> None:
        """Write the record before the event loop's next turn is over."""
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(self._encode(record))

    async def close(self) -> None:
        self._flush()
        os.close(self._file)

    def _flush(self) -> None:
        if not self._lines:
            return
        count = len(self._lines)
        self._lines.append(b"")
        block = b"\n".join(self._lines)
        self._lines.clear()
        try:
            self._write(block)
        except OSError as error:
            self._lost(count, error)
        else:
            self._failing = False

    def _write(self, block: bytes) -> None:
        # A disk that filled up in the middle of a line must not spoil the line that follows it.
        rest = b"\n" + block if self._torn else block
        while rest:
            written = os.write(self._file, rest)
            self._torn = rest[written - 1 : written] != b"\n"
            rest = rest[written:]

    def _lost(self, count: int, error: OSError) -> None:
        """Say so once, not once a turn: a full disk is not helped by a flood of log lines."""
        if not self._failing:
            _log.error(
                "audit records can not be written; at least %d are lost",
                count,
                extra={"path": str(self._path), "reason": error.strerror},
            )
        self._failing = True
