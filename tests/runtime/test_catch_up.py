"""Readers far behind, slow or stalled, on a real gateway with a sqlite store: they cost a bounded amount of
memory and hold nobody up (protocol section 2, SUBSCRIBE).
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from migd.core.clock import SystemClock
from migd.stores.retention import Retention
from migd.stores.sqlite import SqliteStore
from support.raw_http import RawConnection, connect
from support.running_migd import MigdProcess, running_migd
from support.sse import EventReader, subscribed

TOPIC = "a.b"
EVENTS = 40_000
BODY_BYTES = 1_000
MOST_GROWN = 12_000_000
"""Less than a third of what the events are; most of it is what the first requests of any kind cost."""


class Draft:
    def __init__(self, clock: SystemClock) -> None:
        self.event_id = clock.new_id()
        self.published_at = clock.now()

    def encode(self, sequence: int) -> bytes:
        return b'{"sequence":%d,"pad":"%s","replay":false}' % (sequence, b"x" * BODY_BYTES)


async def fill(folder: Path) -> None:
    clock = SystemClock()
    store = SqliteStore(folder, clock, Retention(events=1_000_000, bytes=1 << 30))
    await store.open()
    for _ in range(EVENTS // 1000):
        await asyncio.gather(*(store.events.append("acme", TOPIC, Draft(clock), None) for _ in range(1000)))
    await store.close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    asyncio.run(fill(folder))
    return folder


@pytest.fixture
def migd(filled: Path, tmp_path: Path) -> Iterator[MigdProcess]:
    """A gateway whose topic has EVENTS events."""
    folder = shutil.copytree(filled, tmp_path / "data")
    settings: dict[str, Any] = {
        "MIGD_STORE": "sqlite",
        "MIGD_DATA_DIR": str(folder),
        "MIGD_RETENTION_EVENTS": "1000000",
        "MIGD_RETENTION_BYTES": str(1 << 30),
    }
    with running_migd(**settings) as running:
        yield running


@asynccontextmanager
async def client(migd: MigdProcess) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(migd.url, headers={"X-Tenant-ID": "acme"}) as http:
        yield http


async def publish(http: aiohttp.ClientSession, topic: str = TOPIC) -> int:
    async with http.post(f"/mig/v0.1/publish/{topic}", json={"payload": {}}) as answer:
        ack = await answer.json()
        assert answer.status == 200, ack
        return int(ack["sequence"])


async def stalled(migd: MigdProcess, query: str) -> RawConnection:
    """A subscriber that reads the head of the answer and no more."""
    raw = await connect(migd.url, receive_buffer=65_536)
    raw.send(
        f"GET /mig/v0.1/subscribe/{TOPIC}?{query} HTTP/1.1\r\nHost: x\r\nX-Tenant-ID: acme\r\n\r\n".encode()
    )
    await raw.reader.readuntil(b"\r\n\r\n")
    return raw


def resident(migd: MigdProcess) -> int:
    return int(psutil.Process(migd.process.pid).memory_info().rss)


async def sequences(events: EventReader, last: int) -> list[int]:
    read: list[int] = []
    while not read or read[-1] < last:
        read.append(int((await events.next()).id))
    return read


async def test_a_subscriber_far_behind_catches_up_in_little_memory_while_others_are_live(
    migd: MigdProcess,
) -> None:
    async with client(migd) as http, subscribed(http, "live.one") as live:
        await publish(http, "live.one")
        await live.next()
        before = resident(migd)
        most, turns = before, 0
        async with subscribed(http, TOPIC, "?resume_cursor=0") as behind:
            last = EVENTS + 50
            catching_up = asyncio.create_task(sequences(behind, last))
            for _ in range(50):
                await publish(http)
                sequence = await publish(http, "live.one")
                assert int((await live.next()).id) == sequence
                most = max(most, resident(migd))
                turns += not catching_up.done()
            assert await catching_up == list(range(1, last + 1))
    assert most - before < MOST_GROWN
    # The live ones were served between its batches, and not when it had come to its end.
    assert turns > 10


async def test_readers_that_stop_reading_cost_a_bounded_amount_and_hold_nobody_up(migd: MigdProcess) -> None:
    async with client(migd) as http, subscribed(http, TOPIC) as live:
        await publish(http)
        await live.next()
        before = resident(migd)
        readers = [await stalled(migd, "resume_cursor=0") for _ in range(20)]
        readers += [await stalled(migd, "resume_cursor=0&max_inflight=1") for _ in range(20)]
        for _ in range(100):
            sequence = await publish(http)
            assert int((await live.next()).id) == sequence
        grown = resident(migd) - before
        for reader in readers:
            reader.abort()
    # Each has its sockets' buffers, which are the kernel's, and here the one that the server could not hand
    # over: two batches.
    assert grown < len(readers) * 400_000


async def test_a_named_reader_that_is_cut_off_goes_on_after_what_its_connection_had_taken(
    migd: MigdProcess,
) -> None:
    async with client(migd) as http:
        await publish(http)
        raw = await stalled(migd, "consumer_id=c&resume_cursor=0")
        while (line := await raw.reader.readline()) != b"id: 100\n":
            assert line
        raw.abort()
        async with subscribed(http, TOPIC, "?consumer_id=c") as again:
            first = await again.next()
    assert 101 <= int(first.id) < EVENTS // 2
    assert first.data["replay"] is True


async def test_a_name_goes_on_over_a_kill_of_the_gateway_and_skips_nothing(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"MIGD_STORE": "sqlite", "MIGD_DATA_DIR": str(tmp_path)}
    with running_migd(**settings) as first:
        async with client(first) as http:
            async with subscribed(http, TOPIC, "?consumer_id=c") as events:
                for _ in range(20):
                    await publish(http)
                taken = await sequences(events, 20)
            for _ in range(5):
                await publish(http)
            first.process.kill()
            first.wait()
    with running_migd(**settings) as second:
        async with client(second) as http, subscribed(http, TOPIC, "?consumer_id=c") as events:
            rest = await sequences(events, 25)
    assert taken == list(range(1, 21))
    # The last moments may be repeated: that is what a crash may do.
    assert rest == list(range(rest[0], 26))
    assert rest[0] <= 21
