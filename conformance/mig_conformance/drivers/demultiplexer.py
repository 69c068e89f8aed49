"""The frames of one connection, given out by the stream that they belong to. No input or output of its own.

A driver's reader is a loop of `await wanted()` and `deliver(frame)`, with `ended(error)` when it is over. So
nothing is read that nobody waits for, and a check that does not read is a slow reader to the server as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from mig_conformance.drivers.frames import up_to_the_end
from mig_conformance.drivers.port import JsonObject
from mig_conformance.flaws import ClosedError, FlawError, SuiteError

_MOST_KEPT = 100_000

T = TypeVar("T")


class Demultiplexer:
    """Frames in the order in which they came, each given once; every wait ends after `patience_s`."""

    def __init__(self, *, patience_s: float) -> None:
        self._patience_s = patience_s
        self._kept: list[JsonObject] = []
        self._error: SuiteError | None = None
        self._waiting = 0
        self._changed = asyncio.Event()

    def deliver(self, frame: JsonObject) -> None:
        """A frame that came. Raises FlawError when too many are there that nobody waits for."""
        if len(self._kept) >= _MOST_KEPT:
            raise FlawError(f"the server sent {_MOST_KEPT} frames on streams that nobody waits for")
        self._kept.append(frame)
        self._tell()

    def ended(self, error: SuiteError) -> None:
        """The connection is over: who waits is told so, once the frames that came are given."""
        self._error = self._error or error
        self._tell()

    async def wanted(self) -> None:
        """Until somebody waits for a frame that did not come yet, or for the end."""
        await asyncio.sleep(0)  # lets them take the frame that was delivered last
        while not self._waiting:
            await self._changed.wait()

    async def next(self, stream_id: str | None = None) -> JsonObject:
        """The next frame of that stream, None for any; those of other streams are kept.

        Raises the error that `ended` was told, or FlawError when nothing comes in time.
        """
        of = "" if stream_id is None else f" of the stream {stream_id}"
        return await self._found(lambda: self._taken(stream_id), f"no frame{of} came")

    async def until_end(self, stream_id: str) -> list[JsonObject]:
        """The frames of that stream that are left, up to the terminal one. Raises as `next` does."""
        return await up_to_the_end(lambda: self.next(stream_id))

    async def closed(self) -> int | str | None:
        """The code with which the connection was ended; frames that come before are dropped.

        Raises what `ended` was told where that is no ClosedError, and FlawError when it stays open.
        """
        error = await self._found(self._end, "the connection was not ended")
        if isinstance(error, ClosedError):
            return error.code
        raise error

    async def _found(self, look: Callable[[], T | None], missing: str) -> T:
        self._waiting += 1
        self._tell()
        try:
            async with asyncio.timeout(self._patience_s):
                while (found := look()) is None:
                    await self._changed.wait()
                return found
        except TimeoutError:
            raise FlawError(f"{missing} within {self._patience_s:g} seconds") from None
        finally:
            self._waiting -= 1

    def _taken(self, stream_id: str | None) -> JsonObject | None:
        for index, frame in enumerate(self._kept):
            if stream_id is None or frame.get("stream_id") == stream_id:
                return self._kept.pop(index)
        if self._error is not None:
            raise self._error
        return None

    def _end(self) -> SuiteError | None:
        self._kept.clear()
        return self._error

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
