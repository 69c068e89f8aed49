"""NATS may lose messages, and may be slow: what a gateway has missed it has from the origin's log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

from support.gateways_on_nats import acquainted, gateway, numbers, publish, until_mirror
from support.nats_proxy import NatsProxy, lossy_way_to
from support.nats_servers import NatsServer
from support.running_migd import LocalMigd, local_migd
from support.sse import EventReader, subscribed
from support.until import until


class Lossy(NamedTuple):
    """A gateway that publishes, another that may miss what it sends, the way to that one, and its reader."""

    publishing: LocalMigd
    missing: LocalMigd
    way: NatsProxy
    reader: EventReader


@asynccontextmanager
async def one_behind_a_lossy_way(
    server: NatsServer, topic: str = "a.b", **environ: str
) -> AsyncIterator[Lossy]:
    """Without the binding, which gets some of the messages as well and passes them over."""
    environ["MIGD_ENABLE_NATS_BINDING"] = "false"
    async with (
        lossy_way_to(server.port) as way,
        gateway(server, **environ) as publishing,
        local_migd(MIGD_NATS_URL=way.url, **environ) as missing,
        subscribed(missing.http, topic) as reader,
    ):
        await acquainted([publishing, missing])
        yield Lossy(publishing, missing, way, reader)


def nothing(subject: str, content: bytes) -> bool:  # noqa: ARG001 - a Loses
    return False


def events(subject: str, content: bytes, number: int | None = None) -> bool:
    """All events, or that one."""
    payload = b'"payload":{' if number is None else b'"payload":{"number":%d}' % number
    return ".events." in subject and payload in content


async def test_a_message_that_was_lost_is_fetched_before_the_next_one_is_given(
    nats_server: NatsServer,
) -> None:
    async with one_behind_a_lossy_way(nats_server) as (publishing, missing, way, reader):
        way.loses = partial(events, number=3)
        for number in range(8):
            await publish(publishing, number)
        assert await numbers(reader, 8) == list(range(8))
        assert way.lost == 1
        await until_mirror(missing, fetched=1, missing=0)


async def test_the_first_event_of_a_topic_that_was_lost_is_fetched(nats_server: NatsServer) -> None:
    async with one_behind_a_lossy_way(nats_server, "first.one") as (publishing, missing, way, reader):
        await until_joined(publishing, missing)
        way.loses = partial(events, number=1)
        await publish(publishing, 1, topic="first.one")
        await publish(publishing, 2, topic="first.one")
        assert await numbers(reader, 2) == [1, 2]
        assert way.lost == 1


async def test_a_loss_at_the_end_is_found_without_another_event(nats_server: NatsServer) -> None:
    async with one_behind_a_lossy_way(nats_server) as (publishing, missing, way, reader):
        await until_joined(publishing, missing)
        way.loses = events
        for number in range(5):
            await publish(publishing, number)
        assert await numbers(reader, 5) == list(range(5))
        assert way.lost == 5


async def test_a_long_hole_is_fetched_page_by_page_while_publishing_goes_on(nats_server: NatsServer) -> None:
    async with one_behind_a_lossy_way(nats_server) as (publishing, _missing, way, reader):
        await publish(publishing, 0)
        way.loses = events
        for number in range(1, 700):
            await publish(publishing, number)
        way.loses = nothing
        for number in range(700, 720):
            await publish(publishing, number)
        assert await numbers(reader, 720) == list(range(720))


async def test_what_can_not_be_fetched_now_is_fetched_later_and_nothing_is_skipped(
    nats_server: NatsServer,
) -> None:
    async with one_behind_a_lossy_way(nats_server) as (publishing, missing, way, reader):
        await publish(publishing, 0)
        way.loses = lambda subject, content: b'"events":[' in content or events(subject, content, 1)
        for number in range(1, 4):
            await publish(publishing, number)
        await until_mirror(missing, missing=1)
        way.loses = nothing
        assert await numbers(reader, 4) == list(range(4))


async def test_what_the_origin_no_longer_retains_is_counted_and_the_rest_is_taken(
    nats_server: NatsServer,
) -> None:
    async with one_behind_a_lossy_way(nats_server, MIGD_RETENTION_EVENTS="5") as (
        publishing,
        missing,
        way,
        reader,
    ):
        await publish(publishing, 0)
        way.loses = lambda *what: events(*what) and not partial(events, number=9)(*what)
        for number in range(1, 10):
            await publish(publishing, number)
        assert await numbers(reader, 6) == [0, 5, 6, 7, 8, 9]
        await until_mirror(missing, lost=1, missing=0)


async def test_what_was_acknowledged_elsewhere_before_a_publish_began_comes_before_it(
    nats_server: NatsServer,
) -> None:
    async with one_behind_a_lossy_way(nats_server) as (publishing, slow, way, reader):
        way.hold()
        await publish(publishing, 1)
        second = asyncio.create_task(publish(slow, 2))
        await until(lambda: way.held and way.held[-1].endswith(".fence"))
        assert not second.done()
        way.release()
        await second
        assert await numbers(reader, 2) == [1, 2]


async def test_a_publish_does_not_wait_long_for_a_nats_that_does_not_answer(nats_server: NatsServer) -> None:
    async with one_behind_a_lossy_way(nats_server) as (_publishing, slow, way, reader):
        way.hold()
        assert (await publish(slow, 1))["accepted"] is True
        assert await numbers(reader, 1) == [1]
        way.release()


async def until_joined(publishing: LocalMigd, missing: LocalMigd) -> None:
    """From here on the one owes itself everything that the other publishes: what it has taken proves it."""
    await publish(publishing, 0, topic="joined.now")
    await until_mirror(missing, received=1)
