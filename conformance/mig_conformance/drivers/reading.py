"""Waiting for a while for what is read: a read that takes longer goes on, and the next wait gets it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

from mig_conformance.flaws import FlawError, SuiteError

T = TypeVar("T")


class Reading(Generic[T]):
    """`read` gives the next thing; there is one call of it at a time, none that nobody asked for."""

    def __init__(self, read: Callable[[], Coroutine[Any, Any, T]], *, what: str, patience_s: float) -> None:
        self._read = read
        self._what = what
        self._patience_s = patience_s
        self._task: asyncio.Task[T] | None = None

    async def next(self) -> T:
        """The next thing. Raises FlawError when it does not come in time, and whatever `read` raises."""
        found = await self.within(self._patience_s)
        if found is None:
            raise FlawError(f"no further {self._what} within {self._patience_s:g} seconds")
        return found

    async def within(self, seconds: float) -> T | None:
        """What comes within so many seconds, or None."""
        if self._task is None:
            self._task = asyncio.create_task(self._read())
        done, _ = await asyncio.wait([self._task], timeout=seconds)
        if not done:
            return None
        task, self._task = self._task, None
        return task.result()

    async def stop(self) -> None:
        """Drops what is half read."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError, SuiteError):
                await self._task
