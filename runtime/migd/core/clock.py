"""Time and identity, passed in so that the core can be tested without waiting."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

_ENTROPY_BYTES = 4096


class Timer(Protocol):
    """A callback that is due later, and can be called off."""

    def cancel(self) -> None:
        """Call it off; harmless when it has already run."""


class Clock(Protocol):
    """Where the core gets the time, new ids, and a call back at a later moment."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go backwards; what deadlines are measured in."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Run `callback` once `monotonic()` has reached `when`."""

    def new_id(self) -> str:
        """A UUID (RFC 9562, version 4) in its text form."""


class SystemClock:
    """The machine's clocks and the running event loop's timers."""

    def __init__(self) -> None:
        self._entropy = b""
        self._used = 0

    # Asked several times for each invocation, so without a call of our own around them.
    now = staticmethod(partial(datetime.now, UTC))
    monotonic = staticmethod(time.monotonic)

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        # The loop's own clock is not promised to be time.monotonic(): convert through a delay.
        return asyncio.get_running_loop().call_later(max(0.0, when - time.monotonic()), callback)

    def new_id(self) -> str:
        # As uuid.uuid4(), with the system's entropy fetched for many ids at a time: an id is made for nearly
        # every request, and the system call is most of its cost.
        start = self._used
        if start == len(self._entropy):
            self._entropy = os.urandom(_ENTROPY_BYTES)
            start = 0
        self._used = start + 16
        digits = self._entropy[start : start + 16].hex()
        variant = "89ab"[int(digits[16], 16) & 3]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
