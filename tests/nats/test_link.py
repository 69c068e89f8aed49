"""The connection to NATS keeps itself up, and says why when it is not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from mig_protocol.errors import MigFault
from migd.bindings.nats.link import Connected, NatsConfig, NatsLink
from support.nats_servers import NatsServer
from support.until import until


@asynccontextmanager
async def linked(
    server: NatsServer, callbacks: Iterable[Connected] = (), **config: Any
) -> AsyncIterator[NatsLink]:
    """A link that has been started and is closed at the end."""
    link = NatsLink(NatsConfig(servers=(server.url,), name="test", **config))
    for callback in callbacks:
        link.on_connected(callback)
    await link.start()
    try:
        yield link
    finally:
        await link.close()


@asynccontextmanager
async def client_of(server: NatsServer) -> AsyncIterator[Client]:
    client = await nats.connect(server.url, reconnect_time_wait=0)
    try:
        yield client
    finally:
        await client.close()


async def test_it_starts_without_a_server_and_connects_when_there_is_one(own_server: NatsServer) -> None:
    own_server.stop()
    async with linked(own_server) as link:
        await until(lambda: "refused" in (link.health() or ""))
        assert not link.connected
        with pytest.raises(MigFault, match="not been reached"):
            _ = link.client
        own_server.start()
        await until(lambda: link.connected)
        assert link.health() is None


async def test_subscriptions_and_callbacks_are_there_again_after_a_restart(own_server: NatsServer) -> None:
    seen: list[bytes] = []
    order: list[str] = []

    async def receive(message: Msg) -> None:
        seen.append(message.data)

    async def first() -> None:
        order.append("first")

    async def second() -> None:
        order.append("second")

    async with linked(own_server, callbacks=(first, second)) as link:
        await link.subscribe("a.b", receive)
        await until(lambda: link.connected and len(order) == 2)
        own_server.stop()
        await until(lambda: not link.connected)
        own_server.start()
        await until(lambda: link.connected and len(order) == 4)
        async with client_of(own_server) as other:
            await other.publish("a.b", b"after")
            await until(lambda: seen)
    assert (seen, order) == ([b"after"], ["first", "second"] * 2)


async def test_a_connection_that_the_server_ends_for_good_is_made_anew(own_server: NatsServer) -> None:
    async def receive(message: Msg) -> None:
        await message.respond(b"here")

    async with linked(own_server) as link, client_of(own_server) as other:
        await link.subscribe("a.b", receive)
        await until(lambda: link.connected)
        before = link.client
        # A protocol violation, which the server answers with an error and nats-py with giving up.
        await before._send_command(b"PUB a.b 99999999\r\n")
        await before._flush_pending()
        await until(lambda: link.connected and link.client is not before)
        assert (await other.request("a.b", timeout=5)).data == b"here"


async def test_what_is_unsubscribed_is_on_no_later_connection(own_server: NatsServer) -> None:
    async def receive(message: Msg) -> None:
        await message.respond(b"here")

    async with linked(own_server) as link, client_of(own_server) as other:
        subscription = await link.subscribe("a.b", receive)
        await until(lambda: link.connected)
        assert (await other.request("a.b", timeout=5)).data == b"here"
        await link.unsubscribe(subscription)
        own_server.stop()
        await until(lambda: not link.connected)
        own_server.start()
        await until(lambda: link.connected and other.is_connected)
        with pytest.raises(nats.errors.NoRespondersError):
            await other.request("a.b", timeout=5)


async def test_the_log_says_once_why_there_is_no_connection(
    own_server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    own_server.stop()
    async with linked(own_server) as link:
        await until(lambda: link._failures > 2)
    told = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.reason for record in told] == [f"{own_server.url}: the connection is refused"]  # type: ignore[attr-defined]


async def test_closing_while_the_server_is_gone_ends_the_attempts(own_server: NatsServer) -> None:
    async with linked(own_server) as link:
        await until(lambda: link.connected)
        own_server.stop()
        await until(lambda: "refused" in (link.health() or ""))
        await link.close()
        client = link.client
        own_server.start()
        async with client_of(own_server) as other:
            await other.flush()
        assert client.is_closed
        assert "going down" in (link.health() or "")


async def test_closing_does_not_wait_for_a_server_that_does_not_answer(own_server: NatsServer) -> None:
    async with linked(own_server, drain_timeout_s=0.05) as link:
        await until(lambda: link.connected)
        own_server.signal(19)
        async with asyncio.timeout(30):
            await link.close()
    own_server.signal(18)
