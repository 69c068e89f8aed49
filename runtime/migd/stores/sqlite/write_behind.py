"""Writing soon what nobody waits for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar

from mig_protocol.errors import MigFault
from migd.core.clock import Clock, Timer
from migd.stores.sqlite.transaction import Transaction
from migd.stores.sqlite.writer import Writer

_log = logging.getLogger("migd.store")
B = TypeVar("B")


class WriteBehind(Generic[B]):
    """Takes a batch from its owner at most `delay_s` after the first thing in it, and writes it.

    `take` gives the owner's batch, None when there is nothing. One batch is on its way at a time, so that
    they are committed in order. One that could not be written is given back with `restore`, and tried again;
    `wrote` is told of one that was, `abandon` of one that never can be.
    """

    def __init__(
        self,
        writer: Writer,
        clock: Clock,
        delay_s: float,
        *,
        take: Callable[[], B | None],
        write: Callable[[B, Transaction], Any],
        restore: Callable[[B], None],
        wrote: Callable[[B], None] | None = None,
        abandon: Callable[[B], None] | None = None,
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._delay_s = delay_s
        self._take = take
        self._write = write
        self._restore = restore
        self._wrote = wrote
        self._abandon = abandon
        self._timer: Timer | None = None
        self._sending: asyncio.Future[Any] | None = None
        self._stopped = False
        self.waiting = False
        """Whether a batch is gathering: the owner calls `due` for the first thing after it was not."""

    def due(self) -> None:
        """There is something to write."""
        self.waiting = True
        if self._timer is None and not self._stopped:
            self._timer = self._clock.call_at(self._clock.monotonic() + self._delay_s, self._fire)

    def hurry(self) -> None:
        """There is enough to be worth a write."""
        if self._sending is None and not self._stopped:
            self._send()

    async def flush(self) -> None:
        """Returns when everything so far is committed. Raises MigFault MIG_UNAVAILABLE when it can not be."""
        while (sending := self._sending or self._send()) is not None:
            await asyncio.shield(sending)
            if sending is self._sending:
                # It was done already, so nothing was waited for: `_sent` runs only once the loop gets to it.
                await asyncio.sleep(0)

    async def close(self) -> None:
        """The last batch; what can not be written now is lost, and that is said."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            await self.flush()
        except MigFault as fault:
            _log.error("records that waited to be written are lost", extra={"reason": fault.message})

    def _fire(self) -> None:
        self._timer = None
        if self._sending is None:
            self._send()

    def _send(self) -> asyncio.Future[Any] | None:
        self.waiting = False
        batch = self._take()
        if batch is None:
            return None
        self._sending = self._writer.submit(partial(self._write, batch), bounded=False)
        self._sending.add_done_callback(partial(self._sent, batch))
        return self._sending

    def _sent(self, batch: B, sending: asyncio.Future[Any]) -> None:
        self._sending = None
        error = sending.exception()
        if isinstance(error, MigFault):
            self._restore(batch)
            self.waiting = True
        elif error is not None:
            _log.error("a batch of records can not be written and is lost", exc_info=error)
            if self._abandon is not None:
                self._abandon(batch)
        elif self._wrote is not None:
            self._wrote(batch)
        if self.waiting:
            self.due()
