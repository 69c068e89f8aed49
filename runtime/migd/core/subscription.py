"""One reader of one topic: a position in the log, and a wake-up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NamedTuple

from mig_protocol.messages import GapNotice
from migd.core.clock import Clock, Timer
from migd.core.failpoints import Failpoint, Failpoints
from migd.core.ports import EventLog, StoredEvent
from migd.core.recorder import Recorder


class Lag(NamedTuple):
    """How many events the one that is furthest behind has not got yet, and how many readers are behind."""

    events: int
    readers: int


class Subscription:
    """Made by `Events.subscribe`; closed by whoever got it (it is an async context manager).

    `topic` is (tenant id, topic name). Events up to `head`, the log's end when the subscription began,
    are replayed ones; those after it are live. `taken` is told what the subscriber has got: at each call of
    `next` that is all that was given before, unless the call says otherwise.
    """

    def __init__(
        self,
        *,
        log: EventLog,
        topic: tuple[str, str],
        position: int,
        head: int,
        batch: int,
        keepalive_s: float,
        clock: Clock,
        recorder: Recorder,
        failpoints: Failpoints,
        taken: Callable[[int], None] | None,
        closed: Callable[[Subscription], None],
    ) -> None:
        self.topic = topic
        self.head = head
        self._log = log
        self._position = position
        self._batch = batch
        self._keepalive_s = keepalive_s
        self._clock = clock
        self._recorder = recorder
        self._failpoints = failpoints
        self._taken = taken
        self._closed = closed
        self._newest = head
        self._behind = False
        self._ended = False
        self._signalled = False
        self._waiter: asyncio.Future[bool] | None = None
        self._timer: Timer | None = None
        self._active = clock.monotonic()

    async def next(self, *, got: bool = True) -> Sequence[StoredEvent] | GapNotice | None:
        """What comes after the position, which moves past it: events in order without a hole, or the gap
        that retention has torn, or None when nothing came for the keep-alive time.

        `got` is false where what was given before has not reached the subscriber yet. Raises
        StopAsyncIteration once ended.
        """
        if self._taken is not None and got:
            self._taken(self._position)
        if self._behind:
            # A log in memory and a client that keeps up would let this reader wait for nothing, and nobody
            # else have a turn.
            await asyncio.sleep(0)
        while not self._ended:
            self._signalled = False
            # The end first: what is then missing up to it is gone, and not merely not yet written.
            head = self._newest = await self._log.head(*self.topic)
            events = (
                await self._log.read(*self.topic, self._position, self._batch)
                if head > self._position
                else ()
            )
            if head > self._position:
                return self._advance(events, head)
            if not await self._wait():
                return None
        raise StopAsyncIteration

    @property
    def lag(self) -> int:
        """Events after the position, as far as the reader has been told of them."""
        return max(0, self._newest - self._position)

    def wake(self, newest: int = 0) -> None:
        """There may be something to read, up to the sequence `newest`."""
        self._newest = max(self._newest, newest)
        self._signalled = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(True)

    def end(self) -> None:
        """Let `next` raise StopAsyncIteration, now or when it is called."""
        self._ended = True
        self.wake()

    def close(self) -> None:
        """Forget the reader; a second time changes nothing."""
        self.end()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._closed(self)

    async def __aenter__(self) -> Subscription:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _advance(self, events: Sequence[StoredEvent], head: int) -> Sequence[StoredEvent] | GapNotice:
        expected = self._position + 1
        self._active = self._clock.monotonic()
        first = events[0].sequence if events else head + 1
        if first > expected:
            self._position = first - 1
            self._behind = self._position < head
            return GapNotice(from_sequence=expected, to_sequence=self._position)
        self._position = events[-1].sequence
        if self._position > self.head:
            self._failpoints.reach(Failpoint.AFTER_ACK_BEFORE_FAN_OUT)
        self._behind = self._position < head
        self._recorder.delivered(len(events))
        return events

    async def _wait(self) -> bool:
        """True when woken, False when idle for the keep-alive time."""
        if self._signalled:
            return True
        self._waiter = asyncio.get_running_loop().create_future()
        if self._timer is None:
            self._timer = self._clock.call_at(self._active + self._keepalive_s, self._idle)
        try:
            return await self._waiter
        finally:
            self._waiter = None

    def _idle(self) -> None:
        # One timer per reader, set again when it fires: setting one per event would cost more than the event.
        due = self._active + self._keepalive_s
        now = self._clock.monotonic()
        if now >= due:
            self._active = now
            due = now + self._keepalive_s
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(False)
        self._timer = self._clock.call_at(due, self._idle)
