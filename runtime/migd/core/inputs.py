"""The input side of a client or bidirectional stream: bounded, and saying so before it is full."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.provider import JsonObject


class Inputs:
    """What the client sent and the provider has not taken yet.

    At `limit` waiting items the sender is told "backpressure", at half of it again "resume". A sender that
    goes on to twice the limit all the same makes the stream fail with MIG_BACKPRESSURE: nothing is dropped
    silently, and nothing grows.
    """

    def __init__(self, *, limit: int, open: bool, signal: Callable[[str], Awaitable[None]]) -> None:
        self._limit = limit
        self._open = open
        self._signal = signal
        self._waiting: deque[JsonObject] = deque()
        self._changed = asyncio.Event()
        self._paused = False
        self._overrun = False

    @property
    def open(self) -> bool:
        """Whether more may come."""
        return self._open

    async def put(self, item: JsonObject) -> None:
        """Take one item; tells the sender to pause when that was the last one there is room for."""
        if len(self._waiting) >= 2 * self._limit:
            self._overrun = True
            self.close()
            return
        self._waiting.append(item)
        self._changed.set()
        if len(self._waiting) >= self._limit and not self._paused:
            self._paused = True
            await self._signal("backpressure")

    def close(self) -> None:
        """Nothing more will come."""
        self._open = False
        self._changed.set()

    async def items(self) -> AsyncIterator[JsonObject]:
        """Each item once, in order, until the input is closed. Raises MIG_BACKPRESSURE on overrun."""
        while True:
            while self._waiting:
                item = self._waiting.popleft()
                if self._paused and len(self._waiting) <= self._limit // 2:
                    self._paused = False
                    await self._signal("resume")
                yield item
            if self._overrun:
                raise MigFault(
                    MigErrorCode.MIG_BACKPRESSURE,
                    f"more than {2 * self._limit} input frames were waiting after backpressure was told",
                )
            if not self._open:
                return
            self._changed.clear()
            await self._changed.wait()
