"""Catching up: one subscriber a million events behind, and what the live ones notice of it."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import uvloop
from tools.bench import processes
from tools.bench.http_load import request_bytes
from tools.bench.processes import Server
from tools.bench.publishing import publish_requests
from tools.bench.report import Figure

from migd.core.clock import SystemClock
from migd.stores.retention import Retention
from migd.stores.sqlite import SqliteStore

_BODY = (
    b'{"header":{"mig_version":"0.1","message_id":"00000000-0000-4000-8000-000000000000","tenant_id":"acme"},'
    b'"topic":"bench.backlog","payload":{"order":7,"state":"shipped","note":"The quick brown fox jumps"},'
    b'"sequence":%d,"replay":false}'
)
_KEPT = {"MIGD_RETENTION_EVENTS": "10000000", "MIGD_RETENTION_BYTES": "10000000000"}
_EVERY_S = 0.005
_MARK = b"\nevent: mig-event\n"


class _Draft:
    def __init__(self, clock: SystemClock) -> None:
        self.event_id = clock.new_id()
        self.published_at = clock.now()

    def encode(self, sequence: int) -> bytes:
        return _BODY % sequence


@dataclass(frozen=True, slots=True)
class _Run:
    seconds: float
    most_added: int
    alone: list[float]
    meanwhile: list[float]


def measure(*, quick: bool) -> Iterator[Figure]:
    """Events per second, beside reading the rows and no more; memory at its highest; live latency."""
    events = 100_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="migd-bench-") as folder:
        asyncio.run(_fill(Path(folder), events))
        floor = events / _bare_read(Path(folder))
        with processes.migd(MIGD_DATA_DIR=folder, **_KEPT) as server:
            run = uvloop.run(_catch_up(server, events))
    yield Figure(
        name=f"catch-up of {events:,} events",
        value=events / run.seconds,
        unit="events/s",
        floor=floor,
        note="floor: the same rows read from the file and dropped",
    )
    yield Figure(name="memory added by catching up", value=run.most_added / 1e6, unit="MB", most=20.0)
    yield Figure(
        name="live latency meanwhile, p50",
        value=_percentile(run.meanwhile, 50) * 1e3,
        unit="ms",
        note=(
            f"p99 {_percentile(run.meanwhile, 99) * 1e3:.2f} ms; without it p50 "
            f"{_percentile(run.alone, 50) * 1e3:.2f}, p99 {_percentile(run.alone, 99) * 1e3:.2f} ms; from "
            f"publish to delivery, {len(run.meanwhile)} events"
        ),
    )


async def _fill(folder: Path, events: int) -> None:
    clock = SystemClock()
    store = SqliteStore(folder, clock, Retention(events=events, bytes=1 << 40, total_bytes=1 << 40))
    await store.open()
    for _ in range(events // 5000):
        drafts = [_Draft(clock) for _ in range(5000)]
        await asyncio.gather(*(store.events.append("acme", "bench.backlog", draft, None) for draft in drafts))
    await store.close()


def _bare_read(folder: Path) -> float:
    """Seconds."""
    with closing(sqlite3.connect(folder / "migd.sqlite3")) as connection:
        began = time.perf_counter()
        for _ in connection.execute("SELECT sequence, event_id, published_at, body FROM events"):
            pass
        return time.perf_counter() - began


async def _catch_up(server: Server, events: int) -> _Run:
    live = await _Live.opened(server.port)
    alone = [await live.delivery() for _ in range(200)]
    before = most = server.rss
    backlog = await _connected(server.port, _Backlog(events))
    began = time.perf_counter()
    backlog.send(_subscription("bench.backlog?resume_cursor=0"))
    meanwhile = []
    while not backlog.complete.is_set():
        meanwhile.append(await live.delivery())
        most = max(most, server.rss)
        with suppress(TimeoutError):
            await asyncio.wait_for(backlog.complete.wait(), _EVERY_S)
    seconds = backlog.ended - began
    if backlog.last != b"id: %d" % events:
        raise RuntimeError("the subscriber did not get every event in order")
    return _Run(seconds, most - before, alone, meanwhile)


class _Peer(asyncio.Protocol):
    _transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, data: bytes) -> None:
        self._transport.write(data)


P = TypeVar("P", bound=_Peer)


class _Backlog(_Peer):
    """Counts events, and keeps the id of the last."""

    def __init__(self, wanted: int) -> None:
        self.complete = asyncio.Event()
        self.ended = 0.0
        self.last = b""
        self._wanted = wanted
        self._seen = 0
        self._tail = b""

    def data_received(self, data: bytes) -> None:
        # A mark may come in two pieces; the tail is shorter than one, so that none is counted twice.
        data = self._tail + data
        self._seen += data.count(_MARK)
        self._tail = data[1 - len(_MARK) :]
        if self._seen >= self._wanted and not self.complete.is_set():
            self.ended = time.perf_counter()
            at = data.rindex(b"id: ")
            self.last = data[at : data.index(b"\n", at)]
            self.complete.set()


class _Answers(_Peer):
    """What comes, whatever it is."""

    def __init__(self) -> None:
        self.came = asyncio.Event()

    def data_received(self, data: bytes) -> None:  # noqa: ARG002
        self.came.set()


class _Live:
    """A publisher and a subscriber of a topic of their own."""

    def __init__(self, publisher: _Answers, subscriber: _Answers) -> None:
        self._publisher = publisher
        self._subscriber = subscriber
        (self._request,) = publish_requests("bench.live")

    @classmethod
    async def opened(cls, port: int) -> _Live:
        publisher, subscriber = [await _connected(port, _Answers()) for _ in range(2)]
        subscriber.send(_subscription("bench.live"))
        await subscriber.came.wait()
        return cls(publisher, subscriber)

    async def delivery(self) -> float:
        """Seconds from a publish until its event is there."""
        self._publisher.came.clear()
        self._subscriber.came.clear()
        began = time.perf_counter()
        self._publisher.send(self._request)
        await self._subscriber.came.wait()
        took = time.perf_counter() - began
        await self._publisher.came.wait()
        return took


async def _connected(port: int, peer: P) -> P:
    await asyncio.get_running_loop().create_connection(lambda: peer, "127.0.0.1", port)
    return peer


def _subscription(target: str) -> bytes:
    return request_bytes("GET", f"/mig/v0.1/subscribe/{target}", x_tenant_id="acme")


def _percentile(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
