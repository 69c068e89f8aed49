"""Stream frames over one connection, whatever carries them."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace

from equality.asked import JsonObject
from equality.outcome import Outcome
from equality.transport import as_outcome


class FrameConnection(ABC):
    """Gives every frame that comes to whoever waits for its stream."""

    def __init__(self) -> None:
        self._inboxes: dict[str, asyncio.Queue[JsonObject]] = {}
        self._latest: asyncio.Queue[JsonObject] = asyncio.Queue()
        self._refused: Outcome | None = None

    @abstractmethod
    async def send(self, frame: JsonObject | bytes) -> None:
        """Bytes are sent as they are."""

    @abstractmethod
    async def close(self) -> None: ...

    def deliver(self, frame: JsonObject) -> None:
        """A frame has come. That of a stream which the gateway has named belongs to the latest exchange."""
        self._inboxes.get(frame.get("stream_id", ""), self._latest).put_nowait(frame)

    def fail(self, outcome: Outcome) -> None:
        """The connection was refused: so is all that is asked on it."""
        self._refused = outcome
        for inbox in self._inboxes.values():
            inbox.put_nowait({})

    @property
    def failed(self) -> bool:
        """Whether it was refused."""
        return self._refused is not None

    async def exchange(self, stream_id: str, frames: Sequence[JsonObject | bytes]) -> Outcome:
        """Send the first of `frames`, the others once it has been answered; wait for the stream's last frame.

        Input that is sent to a stream which turns out to be refused would be taken for other streams.
        """
        inbox = self._latest = self._inboxes[stream_id] = asyncio.Queue()
        await self.send(frames[0])
        got = [await inbox.get()]
        unsent = list(frames[1:])
        while self._refused is None and not got[-1].get("end_stream"):
            while unsent:
                await self.send(unsent.pop(0))
            got.append(await inbox.get())
        del self._inboxes[stream_id]
        if self._refused is not None:
            return replace(self._refused, retry_after=None)
        return as_outcome(got)
