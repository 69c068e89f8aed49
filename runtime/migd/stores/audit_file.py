"""The audit trail as a file: one JSON line per record, appended (MIGD_AUDIT_LOG_PATH)."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from migd.core.audit import NO_LINE, AuditEntry, Chain, Head
from migd.core.clock import Clock, Timer
from migd.stores.audit_backlog import AuditBacklog
from migd.stores.audit_head import HeadFile
from migd.stores.audit_lines import AuditLines

_BLOCK = 4096
"""The most records in one write."""

_RETRY_S = 1.0
_HEAD_S = 1.0
_log = logging.getLogger("migd.audit")


class AuditFile:
    """Appends records, all those of one turn of the event loop in one write; it is the file's only writer.

    The chain goes on from the file's last line, or from the head that is kept beside it, in FILE.head,
    whichever is further: the file may have been moved away. FILE.head is at most a second old, and exact when
    the file is closed or reopened. What has no room is held up to a bound and tried again every second.
    Raises OSError when the file can not be opened, BlockingIOError when it is in use.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._backlog = AuditBacklog(str(path))
        self._due = False
        self._retry: Timer | None = None
        self._head_due: Timer | None = None
        self._lines = AuditLines(path)
        self._head = self._open_head() if self._lines.regular else None
        self._headless = False
        self._chain = Chain(self._end())

    @property
    def failure(self) -> str | None:
        return self._backlog.failure

    @property
    def lost(self) -> int:
        return self._backlog.lost

    def append(self, entry: AuditEntry) -> None:
        """Written before the event loop's next turn is over."""
        self._backlog.add(entry)
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def reopen(self) -> None:
        """Harmless when the file is still where it was. One that can not be opened leaves all as it is."""
        if self._lines.is_at(self._path):
            return
        try:
            fresh = AuditLines(self._path)
        except OSError as error:
            _log.error("the audit file can not be reopened", extra=self._facts(error))
            return
        if self._backlog.failure is None:
            # What was recorded before the signal belongs into the old file.
            self._write_all()
        self._keep_head()
        self._lines.close()
        self._lines = fresh
        if fresh.head not in (NO_LINE, self._chain.head):
            _log.warning("the audit file has other lines already", extra={"path": str(self._path)})

    async def close(self) -> None:
        self._write_all()
        self._call_off()
        self._backlog.abandon(self._backlog.take(), self._backlog.failure or "")
        self._lines.close()
        self._keep_head()
        if self._head is not None:
            self._head.close()

    def _flush(self) -> None:
        """Keeps `_due` for as long as there is trouble: the timer tries again, and not every turn."""
        if self._retry is None:
            self._write_all()
        self._due = self._retry is not None

    def _call_off(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _try_again(self) -> None:
        self._retry = None
        self._flush()

    def _write_all(self) -> None:
        while len(self._backlog):
            batch = self._backlog.take(_BLOCK)
            before = self._chain.head
            try:
                self._lines.append(self._chain.seal_all([entry.text for entry in batch]))
            except OSError as error:
                self._chain.rewind(before)
                self._backlog.give_back(batch, error.strerror or str(error))
                self._call_off()
                self._retry = self._clock.call_at(self._clock.monotonic() + _RETRY_S, self._try_again)
                return
            self._backlog.written()
            if self._head is not None and self._head_due is None:
                self._head_due = self._clock.call_at(self._clock.monotonic() + _HEAD_S, self._keep_head)

    def _end(self) -> Head:
        """Where the chain goes on."""
        found = self._lines.head
        kept = NO_LINE if self._head is None else self._head.read()
        if kept.sequence == 0 or kept.sequence < found.sequence:
            return found
        if found.sequence and kept != found:
            _log.warning(
                "the audit file does not end with the record that was written last: it was changed",
                extra={"path": str(self._path)},
            )
        return kept

    def _open_head(self) -> HeadFile | None:
        path = self._path.with_name(f"{self._path.name}.head")
        try:
            return HeadFile(path)
        except OSError as error:
            _log.warning(
                "the head of the audit trail can not be kept: after a rotation, a restart begins a new chain",
                extra={"path": str(path), "reason": error.strerror},
            )
            return None

    def _keep_head(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None
        if self._head is None:
            return
        try:
            self._head.write(self._chain.head)
        except OSError as error:
            if not self._headless:
                _log.error("the head of the audit trail can not be written", extra=self._facts(error))
            self._headless = True
        else:
            self._headless = False

    def _facts(self, error: OSError) -> dict[str, str]:
        return {"path": str(self._path), "reason": error.strerror or str(error)}
