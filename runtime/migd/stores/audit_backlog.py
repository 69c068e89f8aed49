"""Audit records on their way to their home, and what becomes of them while it takes none."""

from __future__ import annotations

import logging

from migd.core.audit import AuditEntry

MOST_HELD = 65_536
"""The most records that wait for a home that takes none: some 30 MB."""

_log = logging.getLogger("migd.audit")


class AuditBacklog:
    """Holds records until they are written, `most` at the most. What comes on top is lost, counted and told.

    The newest are given up, not the oldest: whoever makes the gateway refuse a great many requests must not
    push out what was recorded before. The log is told when trouble begins, when the first record is lost, and
    how many were when it is over; a full disk is not helped by a flood of log lines.
    """

    def __init__(self, home: str, most: int = MOST_HELD) -> None:
        self._home = home
        self._most = most
        self._held: list[AuditEntry] = []
        self._lost_before = 0
        self.lost = 0
        self.failure: str | None = None

    def __len__(self) -> int:
        return len(self._held)

    def add(self, entry: AuditEntry) -> int:
        """How many are held now."""
        held = self._held
        number = len(held)
        if number < self._most:
            held.append(entry)
            return number + 1
        self._lose(1)
        return number

    def take(self, most: int | None = None) -> list[AuditEntry]:
        """The oldest that are held, which are the caller's until they are written or given back."""
        batch, self._held = self._held, []
        if most is not None and len(batch) > most:
            self._held = batch[most:]
            del batch[most:]
        return batch

    def give_back(self, batch: list[AuditEntry], reason: str) -> None:
        """They could not be written. They are held on, before all others."""
        self._held = batch + self._held
        if self.failure is None:
            _log.error("audit records can not be written and are held", extra=self._facts(reason))
        self.failure = reason
        excess = len(self._held) - self._most
        if excess > 0:
            del self._held[-excess:]
            self._lose(excess)

    def written(self) -> None:
        """What was taken is where it should be."""
        if self.failure is not None:
            lost, self._lost_before = self.lost - self._lost_before, self.lost
            self.failure = None
            _log.warning("audit records are written again; %d were lost", lost, extra=self._facts(""))

    def abandon(self, batch: list[AuditEntry], reason: str) -> None:
        """They can not be written at all, and it is no use to try again."""
        if batch:
            self.lost += len(batch)
            _log.error(
                "%d audit records can not be written and are lost", len(batch), extra=self._facts(reason)
            )

    def _lose(self, number: int) -> None:
        if self.lost == self._lost_before:
            _log.error("as many audit records are held as may be: newer ones are lost", extra=self._facts(""))
        self.lost += number

    def _facts(self, reason: str) -> dict[str, str]:
        return {"path": self._home, "reason": reason}
