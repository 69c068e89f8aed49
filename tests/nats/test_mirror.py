"""Several gateways on one NATS are as one to their subscribers (protocol section 6, MIG-MIR)."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest

from support.gateways_on_nats import (
    gateways,
    numbers,
    publish,
    readers,
    until_mirror,
    wire,
)
from support.nats_servers import NatsServer
from support.sse import subscribed
from support.tokens import JWT_MODE, bearer
from support.until import until


@pytest.mark.parametrize("number", [2, 3])
async def test_one_publish_on_any_gateway_reaches_every_subscriber_of_each_once_and_in_order(
    nats_server: NatsServer, number: int
) -> None:
    tenant = f"order{number}"
    async with (
        gateways(nats_server, number) as running,
        readers(running, tenant=tenant) as reading,
        wire(nats_server, f"mig.v0_1.{tenant}.events.>") as seen,
    ):
        for value in range(30):
            await publish(running[value % number], value, tenant=tenant)
        for reader in reading:
            assert await numbers(reader, 30) == list(range(30))
        # One more each, and nothing in between: nobody has had anything twice.
        await publish(running[0], 30, tenant=tenant)
        for reader in reading:
            assert await numbers(reader, 1) == [30]
        assert await seen.numbers() == list(range(31))
        assert len(seen.messages) == 31


async def test_publishes_at_the_same_time_over_every_binding_reach_everybody_once(
    nats_server: NatsServer,
) -> None:
    async with (
        gateways(nats_server, 3) as running,
        readers(running, tenant="busy") as reading,
        wire(nats_server, "mig.v0_1.busy.events.>") as seen,
    ):

        async def over_nats(value: int) -> None:
            body = json.dumps({"payload": {"number": value}}).encode()
            answer = await seen.client.request("mig.v0_1.busy.events.a.b", body, timeout=20)
            assert json.loads(answer.data)["accepted"] is True

        await asyncio.gather(
            *(publish(running[value % 3], value, tenant="busy") for value in range(90)),
            *(over_nats(value) for value in range(90, 120)),
        )
        for reader in reading:
            assert sorted(await numbers(reader, 120)) == list(range(120))
        assert sorted(await seen.numbers()) == list(range(120))
        assert len(seen.messages) == 120 + 30


async def test_a_mirrored_event_names_its_origin_and_copies_its_header(nats_server: NatsServer) -> None:
    async with gateways(nats_server, 2) as running, wire(nats_server, "mig.v0_1.named.events.>") as seen:
        hello = await running[0].post("/mig/v0.1/hello", {}, x_tenant_id="named")
        ack = await publish(running[0], 1, tenant="named", session_id="s-1", message_id="m-1")
        await until(lambda: seen.mirrored)
    (message,) = seen.mirrored
    event = json.loads(message.data)
    assert message.subject == "mig.v0_1.named.events.a.b"
    assert message.headers is not None
    assert message.headers["mig-origin"] == hello.json["server_id"]
    assert message.headers["Nats-Msg-Id"] == ack["event_id"] == event["event_id"]
    copied = {"mig_version": "0.1", "message_id": "m-1", "tenant_id": "named", "session_id": "s-1"}
    assert {name: message.headers.get(name) for name in copied} == copied
    assert (event["sequence"], event["replay"], event["payload"]) == (ack["sequence"], False, {"number": 1})
    assert "idg.principal_subject" not in event["header"].get("meta", {})


async def test_a_repeated_idempotency_key_is_mirrored_once(nats_server: NatsServer) -> None:
    async with (
        gateways(nats_server, 2) as running,
        readers(running, tenant="keys") as reading,
        wire(nats_server, "mig.v0_1.keys.events.>") as seen,
    ):
        first = await publish(running[0], 1, tenant="keys", idempotency_key="k")
        again = await publish(running[0], 1, tenant="keys", idempotency_key="k")
        await publish(running[0], 2, tenant="keys")
        assert again["event_id"] == first["event_id"]
        for reader in reading:
            assert await numbers(reader, 2) == [1, 2]
        assert await seen.numbers() == [1, 2]


async def test_tenants_do_not_see_each_others_events_on_any_gateway(nats_server: NatsServer) -> None:
    async with (
        gateways(nats_server, 2) as running,
        readers(running, tenant="one") as ones,
        readers(running, tenant="other") as others,
    ):
        for value in range(6):
            await publish(running[value % 2], value, tenant="one" if value < 3 else "other")
        for reader in ones:
            assert await numbers(reader, 3) == [0, 1, 2]
        for reader in others:
            assert await numbers(reader, 3) == [3, 4, 5]


async def test_a_mirror_needs_no_token_where_callers_do(nats_server: NatsServer) -> None:
    authorization = bearer("jwt")
    async with (
        gateways(nats_server, 2, **JWT_MODE) as running,
        subscribed(running[1].http, "a.b", tenant="jwt", authorization=authorization) as reader,
    ):
        answer = await running[0].post(
            "/mig/v0.1/publish/a.b", {"payload": {"number": 7}}, authorization=authorization
        )
        assert answer.status == 200
        assert await numbers(reader, 1) == [7]


def foreign_event(value: int, event_id: str, tenant: str = "foreign", **changes: object) -> bytes:
    """An EventMessage as another implementation's gateway might send it."""
    header = {
        "mig_version": "0.1",
        "message_id": "m",
        "timestamp": "2026-01-15T09:30:00Z",
        "tenant_id": tenant,
    }
    event = {
        "header": header,
        "topic": "a.b",
        "event_id": event_id,
        "sequence": 900,
        "payload": {"number": value},
        "published_at": datetime.now(UTC).isoformat(),
        "replay": False,
    }
    return json.dumps(event | changes).encode()


async def test_an_event_of_a_gateway_that_says_only_its_origin_is_taken_once(nats_server: NatsServer) -> None:
    async with (
        gateways(nats_server, 2) as running,
        readers(running, tenant="foreign") as reading,
        wire(nats_server, "mig.v0_1.foreign.events.>") as seen,
    ):
        for value in (1, 1, 2):
            headers = {"mig-origin": "elsewhere", "Nats-Msg-Id": f"e-{value}"}
            body = foreign_event(value, f"e-{value}")
            await seen.client.publish("mig.v0_1.foreign.events.a.b", body, headers=headers)
        for reader in reading:
            assert await numbers(reader, 2) == [1, 2]
        await until_mirror(running[0], received=2, repeated=1)
        await until(lambda: len(seen.messages) == 3)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{", {}),
        (foreign_event(1, "e-1", tenant="another"), {}),
        (foreign_event(1, "e-1", topic="c.d"), {}),
        (foreign_event(1, "e-1", sequence=-1), {}),
        (foreign_event(1, "e-1", published_at="2026-01-15T09:30:00"), {}),
        (foreign_event(1, "e-2"), {}),
        (foreign_event(1, "e-1"), {"mig-log": "l", "mig-previous": "900"}),
        (foreign_event(1, "e-1"), {"mig-log": "l", "mig-previous": "-1"}),
        (foreign_event(1, "e-1"), {"mig-log": "l"}),
    ],
)
async def test_what_is_no_event_is_counted_and_dropped(
    nats_server: NatsServer, body: bytes, headers: dict[str, str]
) -> None:
    async with (
        gateways(nats_server, 1) as running,
        readers(running, tenant="foreign") as (reader,),
        wire(nats_server, "mig.v0_1.foreign.events.>") as seen,
    ):
        await publish(running[0], 1, tenant="foreign")
        # It was said on the connection on which the gateway had subscribed before.
        await until(lambda: seen.mirrored)
        named = {"mig-origin": "elsewhere", "Nats-Msg-Id": "e-1", **headers}
        await seen.client.publish("mig.v0_1.foreign.events.a.b", body, headers=named)
        await until_mirror(running[0], malformed=1)
        await publish(running[0], 2, tenant="foreign")
        assert await numbers(reader, 2) == [1, 2]
