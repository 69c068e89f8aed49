"""SSE fan-out: one topic, a hundred subscribers, every event to each of them and in order."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import cast

import uvloop
from tools.bench import processes
from tools.bench.http_load import Load, drive, request_bytes
from tools.bench.publishing import publish_requests
from tools.bench.report import Figure

SUBSCRIBERS = 100
_HEAD_END = b"\r\n\r\n"
_ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Turn:
    deliveries_per_s: float
    cpu_us: float


def measure(*, quick: bool) -> Iterator[Figure]:
    """Deliveries per second, with publishers that never wait for subscribers and with one at a time."""
    for name, in_flight, least in (
        ("SSE fan-out, 32 publishes in flight", 32, 100_000.0),
        ("SSE fan-out, 1 publish in flight", 1, None),
    ):
        turns = [_turn(events=500 if quick else 3000, in_flight=in_flight) for _ in range(1 if quick else 5)]
        yield Figure(
            name=name,
            value=median(turn.deliveries_per_s for turn in turns),
            unit="events/s",
            least=least,
            note=(
                f"{SUBSCRIBERS} subscribers, each had every event in order; processor time per delivery "
                f"{median(turn.cpu_us for turn in turns):.2f} us"
            ),
        )


class Subscriber(asyncio.BufferedProtocol):
    """One SSE connection. While the clock runs it only counts; what came is looked at afterwards."""

    def __init__(self, room: int) -> None:
        self.opened = asyncio.Event()
        self.complete = asyncio.Event()
        self._wanted = 0
        self._buffer = bytearray(room)
        self._view = memoryview(self._buffer)
        self._filled = 0
        self._events = 0
        self._transport: asyncio.Transport | None = None

    def subscribe(self, request: bytes, wanted: int) -> None:
        """Ask for the stream; `complete` is set when so many events have come."""
        self._wanted = wanted
        if self._transport is not None:
            self._transport.write(request)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        return self._view[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        # An event ends with an empty line; no other line ending in the stream is a bare line feed twice over.
        since = max(0, self._filled - 1)
        self._filled += nbytes
        self._events += self._buffer.count(b"\n\n", since, self._filled)
        if not self.opened.is_set() and self._buffer.find(_HEAD_END, 0, self._filled) >= 0:
            self.opened.set()
        if self._events >= self._wanted:
            self.complete.set()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def sequences(self) -> list[int]:
        """The ids of the events, as they came."""
        return [int(found) for found in _ID.findall(_dechunked(bytes(self._view[: self._filled])))]


def _turn(*, events: int, in_flight: int) -> _Turn:
    # A server of its own for each turn: sequences start at 1, and no log is full.
    with processes.migd(MIGD_RETENTION_EVENTS="1000000", MIGD_RETENTION_BYTES="1000000000") as server:
        before = server.cpu_s
        seconds = uvloop.run(_deliver(server.port, events, in_flight))
        deliveries = events * SUBSCRIBERS
        return _Turn(deliveries / seconds, (server.cpu_s - before) / deliveries * 1e6)


async def _deliver(port: int, events: int, in_flight: int) -> float:
    subscribers = [await subscribed(port, "bench.events", events) for _ in range(SUBSCRIBERS)]
    began = time.perf_counter()
    publishing: asyncio.Task[Load] = asyncio.create_task(
        drive(port, publish_requests("bench.events"), connections=in_flight, count=events)
    )
    for subscriber in subscribers:
        await subscriber.complete.wait()
    took = time.perf_counter() - began
    await publishing
    for subscriber in subscribers:
        subscriber.close()
        if subscriber.sequences() != list(range(1, events + 1)):
            raise RuntimeError("a subscriber did not get every event once and in order")
    return took


async def subscribed(port: int, topic: str, events: int, room_per_event: int = 1024) -> Subscriber:
    """A subscriber whose stream has begun."""
    loop = asyncio.get_running_loop()
    room = 65_536 + events * room_per_event
    _, subscriber = await loop.create_connection(lambda: Subscriber(room), "127.0.0.1", port)
    subscriber.subscribe(request_bytes("GET", f"/mig/v0.1/subscribe/{topic}", x_tenant_id="acme"), events)
    await subscriber.opened.wait()
    return subscriber


def _dechunked(answer: bytes) -> bytes:
    """The body of a response in chunks, as far as it is there."""
    at = answer.index(_HEAD_END) + len(_HEAD_END)
    parts = []
    while (end := answer.find(b"\r\n", at)) >= 0:
        size = int(answer[at:end], 16)
        parts.append(answer[end + 2 : end + 2 + size])
        at = end + 2 + size + 2
    return b"".join(parts)
