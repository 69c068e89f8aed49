"""The driver for NATS beside requests with one answer: shares of a group, all replies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from nats.aio.msg import Msg

from support.nats_gateway import nats_client, nats_migd
from support.nats_servers import NatsServer, running_nats
from support.suite_drivers import driving

HEARTBEAT = "mig.v0_1.acme.control.heartbeat"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with running_nats(tmp_path_factory.mktemp("nats")) as running:
        yield running


async def test_every_reply_to_a_request_is_given(server: NatsServer) -> None:
    async with driving("nats", nats=server.url) as (nats, _), nats_client(server) as client:

        async def twice(message: Msg) -> None:
            await client.publish(message.reply, b"1")
            await client.publish(message.reply, b"2")

        await client.subscribe("asked", cb=twice)
        await client.flush()
        replies = await nats.replies("asked", b"?", within_s=20)
        assert [reply.data for reply in replies] == [1, 2]


async def test_where_nobody_takes_a_request_there_is_no_reply(server: NatsServer) -> None:
    async with driving("nats", nats=server.url) as (nats, _):
        assert await nats.replies("nobody.hears", b"?", within_s=20) == []


async def test_a_member_of_the_group_has_its_share_of_the_requests(server: NatsServer) -> None:
    async with (
        nats_migd(server),
        driving("nats", nats=server.url) as (nats, _),
        nats.shared(HEARTBEAT, "mig-gateways") as ours,
    ):
        answered = 0
        while (request := await ours.quiet(0.01)) is None:
            answered += len(await nats.replies(HEARTBEAT, b"{}", within_s=0.05))
        assert request.reply
        assert (request.subject, request.data) == (HEARTBEAT, {})
        assert answered < 60


async def test_whatever_is_sent_on_subjects_is_given(server: NatsServer) -> None:
    async with driving("nats", nats=server.url) as (nats, _), nats.all("garden.>") as sent:
        await nats.send("garden.a.b", b'{"n": 1}', {"mig-origin": "me"})
        message = await sent.next()
        assert (message.subject, message.data, message.headers) == (
            "garden.a.b",
            {"n": 1},
            {"mig-origin": "me"},
        )
