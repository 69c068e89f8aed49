"""A gateway is killed under load, again and again; what its clients saw keeps every guarantee."""

from __future__ import annotations

import asyncio
import random
import signal
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from support.crash_load import PATIENCE_S, Client, Invoker, Publisher, Streamer, Subscriber, until_gone
from support.history import Event, History, Topic
from support.history_judge import judge
from support.lives import Lives
from support.running_migd import MigdProcess
from support.until import until

QUOTA = 200
# The same names for both: what is one tenant's must not be found under the other's.
TOPICS: tuple[Topic, ...] = (("acme", "shop.orders"), ("umbrella", "shop.orders"))


class Load:
    """Clients of every kind, of two tenants, of which one has a quota."""

    def __init__(self, folder: Path) -> None:
        self.lives = Lives(folder)
        self.history = history = History(quotas={"umbrella": QUOTA})
        self.subscribers = [Subscriber(history, topic, name) for topic in TOPICS for name in ("s", "t")]
        self.publishers = [
            Publisher(history, topic, name, keyed=name == "keyed")
            for topic in TOPICS
            for name in ("p", "q", "keyed")
        ]
        # Those that share a name share their keys, and come with each at the same time.
        self.invokers = [
            Invoker(history, tenant, name, keyed=name == "once")
            for tenant, _ in TOPICS
            for name in ("once", "once", "plain")
        ]
        streamers = [Streamer(history, tenant, "stream") for tenant, _ in TOPICS]
        self.clients: list[Client] = [*self.subscribers, *self.publishers, *self.invokers, *streamers]

    @property
    def progress(self) -> int:
        """How much has been acknowledged."""
        return sum(publisher.acknowledged for publisher in self.publishers) + len(self.history.answered)

    async def verdict(self) -> list[str]:
        """What is to be said of all lives so far, after one more in which all comes to its end."""
        async with self.lives.life() as (migd, http), asyncio.timeout(PATIENCE_S):
            for topic in TOPICS:
                await self._read_to_the_end(http, topic)
            for invoker in self.invokers:
                await invoker.ask_again(http)
            for tenant in self.history.quotas:
                # As much as it will give: what it gave twice shows when all is spent.
                await Invoker(self.history, tenant, "rest", keyed=False).live(http)
            self.history.broken_trails = await self.lives.broken_trails(http)
            assert migd.stop() == 0
        self.history.runs = self.lives.runs()
        return judge(self.history)

    async def _read_to_the_end(self, http: aiohttp.ClientSession, topic: Topic) -> None:
        last = 0
        for publisher in self.publishers:
            if publisher.topic == topic:
                last = max(last, await publisher.publish(http))
        self.history.replays[topic] = await replayed(http, topic, last)
        for subscriber in self.subscribers:
            if subscriber.topic == topic:
                await subscriber.read(http, until=last)


async def replayed(http: aiohttp.ClientSession, topic: Topic, last: int) -> list[Event]:
    """The topic from its beginning."""
    replaying = Subscriber(History(), topic, "replay")
    await replaying.read(http, until=last)
    return replaying.seen


@pytest.fixture
async def load(tmp_path: Path) -> Load:
    load = Load(tmp_path)
    for tenant, most in load.history.quotas.items():
        await load.lives.set_quota(tenant, most)
    return load


async def killed_at_random(migd: MigdProcess, load: Load, moments: random.Random) -> None:
    """SIGKILL after some more acknowledgements, whatever the gateway is doing then."""
    enough = load.progress + moments.randint(20, 300)
    await until(lambda: load.progress >= enough)
    migd.send_signal(signal.SIGKILL)


@pytest.mark.parametrize(
    "failpoint",
    ["before-persist", "after-persist-before-ack", "after-ack-before-fan-out", "mid-stream"],
)
async def test_a_gateway_that_dies_at_a_failpoint_has_kept_every_guarantee(
    load: Load, failpoint: str
) -> None:
    for nth in (1, 30, 200):
        async with load.lives.life(f"{failpoint}:{nth}") as (migd, http):
            await until_gone(http, load.clients)
            assert migd.wait() == -signal.SIGKILL
    assert await load.verdict() == []


async def test_a_gateway_that_is_killed_at_any_moment_has_kept_every_guarantee(load: Load) -> None:
    moments = random.Random(4)
    for _ in range(5):
        async with load.lives.life() as (migd, http):
            await asyncio.gather(until_gone(http, load.clients), killed_at_random(migd, load, moments))
    assert await load.verdict() == []


async def test_a_backup_under_load_has_all_that_was_acknowledged_before_it(
    load: Load, tmp_path: Path
) -> None:
    saved = str(tmp_path / "saved.sqlite3")
    async with load.lives.life() as (migd, http):
        living = asyncio.create_task(until_gone(http, load.clients))
        await until(lambda: load.progress >= 200)
        before = len(load.history.published)
        restored = History(published=[*load.history.published], answered=[*load.history.answered])
        await asyncio.to_thread(load.lives.command, "backup", saved)
        await until(lambda: load.progress >= 400)
        migd.send_signal(signal.SIGKILL)
        await living
    # Whether what was sent later is in it is left open, and nobody was told so.
    later = [replace(attempt, sequence=0) for attempt in load.history.published[before:]]
    restored.published += later
    elsewhere = Lives(tmp_path / "elsewhere")
    elsewhere.command("restore", saved)
    async with elsewhere.life() as (_, http):
        for topic in TOPICS:
            last = await Publisher(restored, topic, "restored", keyed=False).publish(http)
            restored.replays[topic] = await replayed(http, topic, last)
        for tenant in ("acme", "umbrella"):
            await Invoker(restored, tenant, "once", keyed=True).ask_again(http)
    restored.runs = load.lives.runs()
    assert judge(restored) == []
