"""Places at which a test may have this process die, to see what is kept of what was promised."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NoReturn


class Failpoint(Enum):
    """The moments between which a promise is made and kept."""

    BEFORE_PERSIST = "before-persist"
    """A commit of the store is about to be made; nobody has been told of what is in it."""

    AFTER_PERSIST_BEFORE_ACK = "after-persist-before-ack"
    """A commit has been made; nobody has been told of what is in it."""

    AFTER_ACK_BEFORE_FAN_OUT = "after-ack-before-fan-out"
    """A subscriber is about to be given live events, of whose commit their publishers have been told."""

    MID_STREAM = "mid-stream"
    """A stream has had a frame, and not its terminal one."""


class Failpoints:
    """Told of every passing of every failpoint; `die` is called at the `nth` passing of `armed`."""

    __slots__ = ("_armed", "_die", "_left")

    def __init__(self, armed: Failpoint | None, nth: int, die: Callable[[], NoReturn]) -> None:
        self._armed = armed
        self._left = nth
        self._die = die

    def reach(self, failpoint: Failpoint) -> None:
        """One passing. A failpoint is passed in one thread only, always the same."""
        if failpoint is self._armed:
            self._left -= 1
            if self._left == 0:
                self._die()


def _never() -> NoReturn:
    raise AssertionError("no failpoint is armed")


UNARMED = Failpoints(None, 0, _never)
"""What every gateway has that is not being tested."""
