"""Housekeeping: what has expired goes, a little at a time and between other work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

from mig_protocol.errors import MigFault
from migd.core.clock import Clock, Timer
from migd.stores.sqlite.event_rows import microseconds
from migd.stores.sqlite.transaction import Transaction
from migd.stores.sqlite.writer import Writer

_PROBE = """INSERT INTO probe (id, written_at) VALUES (1, ?)
    ON CONFLICT (id) DO UPDATE SET written_at = excluded.written_at"""

_log = logging.getLogger("migd.store")

Chore = Callable[[Transaction], bool]
"""One small step; True when another should follow at once."""


class Upkeep:
    """Does every chore in turn, every `every_s` seconds.

    While the file fails it writes a row instead: a gateway that is not ready is sent no work, and would never
    find out that the disk has room again.
    """

    def __init__(self, writer: Writer, clock: Clock, every_s: float, chores: Sequence[Chore]) -> None:
        self._writer = writer
        self._clock = clock
        self._every_s = every_s
        self._chores = chores
        self._timer: Timer | None = None

    def start(self) -> None:
        self._timer = self._clock.call_at(self._clock.monotonic() + self._every_s, self._round)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _round(self) -> None:
        if self._writer.health() is None:
            self._do(0)
        else:
            self._writer.submit(self._probe, bounded=False).add_done_callback(self._probed)

    def _do(self, number: int) -> None:
        if number == len(self._chores):
            self.start()
            return
        step = self._writer.submit(self._chores[number], bounded=False)
        step.add_done_callback(partial(self._done, number))

    def _done(self, number: int, step: asyncio.Future[bool]) -> None:
        if self._timer is None:
            return
        error = step.exception()
        if error is None:
            self._do(number if step.result() else number + 1)
            return
        if not isinstance(error, MigFault):
            _log.error("housekeeping of the store failed", exc_info=error)
        self.start()

    def _probe(self, transaction: Transaction) -> None:
        transaction.connection.execute(_PROBE, (microseconds(self._clock.now()),))

    def _probed(self, step: asyncio.Future[None]) -> None:
        # How it went is what the writer's health says now.
        step.exception()
        if self._timer is not None:
            self.start()
