"""What was published while NATS, or a gateway, was away is mirrored when it is back."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

from support.gateways_on_nats import (
    acquainted,
    gateway,
    gateways,
    numbers,
    publish,
    readers,
    until_mirror,
    wire,
)
from support.nats_servers import NatsServer
from support.running_migd import LocalMigd, MigdProcess, running_migd
from support.sse import subscribed
from support.until import until


def sqlite(folder: Path) -> dict[str, Any]:
    return {"MIGD_STORE": "sqlite", "MIGD_DATA_DIR": str(folder)}


async def test_what_was_published_while_nats_was_away_arrives_once_when_it_is_back(
    own_server: NatsServer,
) -> None:
    async with gateways(own_server, 2) as running, readers(running) as reading:
        await publish(running[0], 0)
        for reader in reading:
            assert await numbers(reader, 1) == [0]
        own_server.stop()
        for value in range(1, 11):
            await publish(running[value % 2], value)
        own_server.start()
        for reader in reading:
            assert sorted(await numbers(reader, 10)) == list(range(1, 11))
        await acquainted(running)
        await publish(running[0], 11)
        for reader in reading:
            assert await numbers(reader, 1) == [11]


async def test_events_of_one_gateway_keep_their_order_over_an_outage(own_server: NatsServer) -> None:
    async with gateways(own_server, 2) as running, readers(running) as reading:
        for value in range(60):
            if value == 20:
                own_server.stop()
            if value == 40:
                own_server.start()
            await publish(running[0], value)
        for reader in reading:
            assert await numbers(reader, 60) == list(range(60))


async def test_a_gateway_that_starts_without_nats_mirrors_when_it_comes(own_server: NatsServer) -> None:
    own_server.stop()
    async with gateway(own_server) as migd:
        await publish(migd, 1)
        own_server.start()
        async with wire(own_server) as seen:
            await publish(migd, 2)
            await until_mirror(migd, sent=2, owed=0)
            await until(lambda: len(seen.mirrored) >= 1)
            assert await seen.numbers() in ([1, 2], [2])


async def test_a_gateway_that_was_away_catches_up_with_all_that_the_others_retain(
    own_server: NatsServer, tmp_path: Path
) -> None:
    async with gateway(own_server, **sqlite(tmp_path / "a")) as first:
        async with gateway(own_server, **sqlite(tmp_path / "b")) as second:
            await acquainted([first, second])
            await publish(first, 0)
            await publish(second, 1)
        for value in range(2, 702):
            await publish(first, value)
        async with gateway(own_server, **sqlite(tmp_path / "b")) as second:
            await acquainted([first, second])
            async with subscribed(second.http, "a.b", "?resume_cursor=0") as reader:
                assert await numbers(reader, 702) == list(range(702))
                await publish(second, 702)
                assert await numbers(reader, 1) == [702]


async def test_a_new_gateway_takes_what_comes_from_then_on(own_server: NatsServer) -> None:
    async with gateway(own_server) as first:
        for value in range(3):
            await publish(first, value)
        await until_mirror(first, sent=3, owed=0)
        async with gateway(own_server) as second:
            await acquainted([first, second])
            await publish(first, 3)
            await publish(first, 4, topic="c.d")
            async with subscribed(second.http, "a.b", "?resume_cursor=0") as reader:
                assert await numbers(reader, 1) == [3]
            async with subscribed(second.http, "c.d", "?resume_cursor=0") as reader:
                assert await numbers(reader, 1) == [4]


async def test_a_gateway_that_has_lost_its_store_is_heard_again(own_server: NatsServer) -> None:
    async with gateway(own_server) as reading, subscribed(reading.http, "a.b") as reader:
        for run in range(2):
            async with gateway(own_server, MIGD_SERVER_ID="same") as publishing:
                await acquainted([reading, publishing])
                await publish(publishing, run)
                assert await numbers(reader, 1) == [run]
            await until_mirror(reading, peers=0)


async def test_an_event_that_a_killed_gateway_had_not_mirrored_is_mirrored_by_the_next(
    own_server: NatsServer, tmp_path: Path
) -> None:
    environ = {**sqlite(tmp_path / "killed"), "MIGD_NATS_URL": own_server.url}
    async with gateway(own_server) as other, subscribed(other.http, "a.b") as reader:
        with running_migd(**environ) as migd:
            await until_mirror(other, peers=1)
            await published_by(migd, 0)
            assert await numbers(reader, 1) == [0]
            own_server.stop()
            for value in range(1, 6):
                await published_by(migd, value)
            migd.send_signal(signal.SIGKILL)
            migd.wait()
        own_server.start()
        async with wire(own_server) as seen:
            with running_migd(**environ):
                assert await numbers(reader, 5) == [1, 2, 3, 4, 5]
                # Where it had not been written down that the first one was out, it goes out once more.
                assert [number for number in await seen.numbers() if number] == [1, 2, 3, 4, 5]


async def published_by(migd: MigdProcess, number: int) -> None:
    body = {"header": {"tenant_id": "acme"}, "payload": {"number": number}}
    async with (
        aiohttp.ClientSession(migd.url) as http,
        http.post("/mig/v0.1/publish/a.b", json=body) as answer,
    ):
        assert answer.status == 200, await answer.text()


async def test_restarting_nats_under_load_loses_nothing_that_was_acknowledged(
    own_server: NatsServer,
) -> None:
    acknowledged: list[list[int]] = [[], [], []]

    async def load(migd: LocalMigd, which: int) -> None:
        for value in range(which, 900, 3):
            await publish(migd, value)
            acknowledged[which].append(value)

    async def restart() -> None:
        for done in (60, 300):
            await until(lambda done=done: sum(map(len, acknowledged)) > done)  # type: ignore[misc]
            own_server.stop()
            await until(lambda done=done: sum(map(len, acknowledged)) > done + 60)  # type: ignore[misc]
            own_server.start()

    async with gateways(own_server, 3) as running, readers(running) as reading:
        loads = (load(migd, which) for which, migd in enumerate(running))
        await asyncio.gather(*loads, restart())
        for reader in reading:
            history = await numbers(reader, 900)
            assert Counter(history) == Counter(range(900))
            for which in range(3):
                assert [value for value in history if value % 3 == which] == acknowledged[which]


async def test_what_retention_took_before_it_was_mirrored_is_counted_and_the_rest_goes_on(
    own_server: NatsServer,
) -> None:
    async with (
        gateways(own_server, 2, MIGD_RETENTION_EVENTS="5") as running,
        subscribed(running[1].http, "a.b") as reader,
    ):
        own_server.stop()
        for value in range(12):
            await publish(running[0], value)
        own_server.start()
        assert await numbers(reader, 5) == [7, 8, 9, 10, 11]
        await until_mirror(running[0], lost=1)
