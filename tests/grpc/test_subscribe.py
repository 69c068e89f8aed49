"""Subscribe: replay, resume, gaps, readers that do not read (protocol section 2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from grpc import aio
from mig_protocol.pb import mig_pb2 as pb
from support.grpc_client import GrpcClient, connected, error_in, grpc_migd, message_header, plain, trailing
from support.running_migd import LocalMigd
from support.sse import subscribed
from support.tokens import JWT_MODE, bearer

TOPIC = "garden.sensors"


@pytest.fixture
async def served() -> AsyncIterator[tuple[LocalMigd, GrpcClient]]:
    async with grpc_migd() as both:
        yield both


async def publish(client: GrpcClient, *numbers: int) -> None:
    for number in numbers:
        await client.publish(TOPIC, {"n": number})


async def take(events: Any, count: int) -> list[Any]:
    return [await events.read() for _ in range(count)]


def seen(events: list[Any]) -> list[tuple[int, bool]]:
    return [(event.sequence, event.replay) for event in events]


async def test_without_a_cursor_only_what_comes_after_is_given(
    served: tuple[LocalMigd, GrpcClient],
) -> None:
    _, client = served
    await publish(client, 1)
    events = await client.subscribe(TOPIC)
    await publish(client, 2, 3)

    assert seen(await take(events, 2)) == [(2, False), (3, False)]


async def test_a_cursor_replays_then_goes_on_live_without_hole_or_repeat(
    served: tuple[LocalMigd, GrpcClient],
) -> None:
    _, client = served
    await publish(client, *range(1, 601))
    events = await client.subscribe(TOPIC, resume_cursor="1")
    await publish(client, 601, 602)
    found = await take(events, 601)

    assert seen(found) == [(n, n <= 600) for n in range(2, 603)]
    assert [int(event.payload["n"]) for event in found] == list(range(2, 603))


async def test_an_event_is_the_one_that_the_publisher_was_told_of(
    served: tuple[LocalMigd, GrpcClient],
) -> None:
    _, client = served
    events = await client.subscribe(TOPIC)
    ack = await client.publish(TOPIC, {"soil": "dry"}, session_id="s-1", meta={"mine": 1})
    event = await events.read()

    assert (event.event_id, event.sequence, event.topic) == (ack.event_id, ack.sequence, TOPIC)
    assert (plain(event.payload), plain(event.header.meta)) == ({"soil": "dry"}, {"mine": 1})
    assert (event.header.session_id, event.header.tenant_id) == ("s-1", "acme")
    assert event.published_at.seconds > 0


async def test_http_and_grpc_readers_see_the_same_events(served: tuple[LocalMigd, GrpcClient]) -> None:
    migd, client = served
    events = await client.subscribe(TOPIC)
    async with subscribed(migd.http, TOPIC) as over_http:
        await publish(client, 1)
        await migd.post(f"/mig/v0.1/publish/{TOPIC}", {"payload": {"n": 2}}, x_tenant_id="acme")
        ours, theirs = await take(events, 2), await over_http.take(2)

    assert [(event.sequence, event.event_id, plain(event.payload)) for event in ours] == [
        (event.data["sequence"], event.data["event_id"], event.data["payload"]) for event in theirs
    ]


async def test_a_gap_is_told_in_the_first_event_after_it() -> None:
    async with grpc_migd(MIGD_RETENTION_EVENTS="3") as (_, client):
        await publish(client, *range(1, 11))
        events = await client.subscribe(TOPIC, resume_cursor="2")
        first, second = await take(events, 2)

        assert (first.sequence, second.sequence) == (8, 9)
        assert plain(first.header.meta) == {"mig.gap": {"from_sequence": 3, "to_sequence": 7}}
        assert not second.header.HasField("meta")


async def test_a_reader_that_retention_overtakes_is_told_where() -> None:
    async with grpc_migd(MIGD_RETENTION_EVENTS="20") as (_, client):
        events = await client.subscribe(TOPIC, max_inflight=1)
        for number in range(400):
            await client.publish(TOPIC, {"n": number, "text": "x" * 100_000})
        found = await until_sequence(events, 400)

    expected = 1
    gaps = 0
    for event in found:
        gap = plain(event.header.meta).get("mig.gap")
        if gap is not None:
            assert gap["from_sequence"] == expected
            expected = int(gap["to_sequence"]) + 1
            gaps += 1
        assert event.sequence == expected
        expected += 1
    assert gaps


async def test_a_publisher_can_not_make_up_a_gap(served: tuple[LocalMigd, GrpcClient]) -> None:
    _, client = served
    events = await client.subscribe(TOPIC)
    await client.publish(TOPIC, meta={"mig.gap": {"from_sequence": 1, "to_sequence": 9}, "mine": 1})

    assert plain((await events.read()).header.meta) == {"mine": 1}


async def test_a_reader_that_does_not_read_costs_the_server_no_more_than_a_bound() -> None:
    """40 MB wait for a reader that has read one event: what is not yet read is not yet sent."""
    async with grpc_migd() as (migd, client), connected(migd) as slow:
        events = await slow.subscribe(TOPIC, max_inflight=1)
        first = None
        for number in range(400):
            await client.publish(TOPIC, {"n": number, "text": "x" * 100_000})
            first = first or await events.read()
        delivered = await delivered_events(migd)
        rest = await until_sequence(events, 400)

    assert delivered < 300
    assert [event.sequence for event in [first, *rest]] == list(range(1, 401))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"topic": "plain"}, "MIG_INVALID_REQUEST"),
        ({"topic": ""}, "MIG_INVALID_REQUEST"),
        ({"topic": "a.*"}, "MIG_INVALID_REQUEST"),
        ({"topic": TOPIC, "resume_cursor": "-1"}, "MIG_INVALID_REQUEST"),
        ({"topic": TOPIC, "resume_cursor": "next"}, "MIG_INVALID_REQUEST"),
        ({"topic": TOPIC, "header": message_header(tenant_id="globex")}, "MIG_FORBIDDEN"),
        ({"topic": TOPIC, "header": message_header(mig_version="9")}, "MIG_VERSION_MISMATCH"),
    ],
)
async def test_what_is_wrong_with_a_subscription_is_refused_at_once(
    served: tuple[LocalMigd, GrpcClient], fields: dict[str, Any], code: str
) -> None:
    _, client = served
    events = await client.subscribe(**fields)
    with pytest.raises(aio.AioRpcError) as raised:
        await events.read()

    assert pb.MigErrorCode.Name(error_in(raised.value).code) == code


async def test_a_subscription_needs_the_token_that_any_call_needs() -> None:
    async with grpc_migd(**JWT_MODE) as (migd, client):
        with pytest.raises(aio.AioRpcError) as raised:
            await (await client.subscribe(TOPIC)).read()
        async with connected(migd, None, authorization=bearer()) as alice:
            events = await alice.subscribe(TOPIC)
            await alice.publish(TOPIC)
            assert (await events.read()).header.tenant_id == "acme"

    assert pb.MigErrorCode.Name(error_in(raised.value).code) == "MIG_UNAUTHORIZED"


async def test_a_subscription_is_listed_and_forgotten_when_the_reader_leaves(
    served: tuple[LocalMigd, GrpcClient],
) -> None:
    migd, client = served
    events = await client.subscribe(TOPIC, consumer_id="gardener")
    (entry,) = (await migd.get("/admin/v0.1/connections?kind=event_subscribe")).json["connections"]
    events.cancel()

    assert entry["meta"] == {"topic": TOPIC, "consumer_id": "gardener"}
    assert (entry["protocol"], entry["tenant_id"]) == ("grpc", "acme")
    while (await migd.get("/admin/v0.1/connections")).json["summary"]["total"]:
        pass


async def test_a_tenant_has_its_limit_of_subscriptions() -> None:
    async with grpc_migd(MIGD_MAX_CONNECTIONS_PER_TENANT="1") as (_, client):
        first = await client.subscribe(TOPIC)
        with pytest.raises(aio.AioRpcError) as raised:
            await (await client.subscribe(TOPIC)).read()
        first.cancel()

    assert pb.MigErrorCode.Name(error_in(raised.value).code) == "MIG_RATE_LIMITED"
    assert trailing(raised.value)["retry-after"] == "5"


async def until_sequence(events: Any, last: int) -> list[Any]:
    found = [await events.read()]
    while found[-1].sequence < last:
        found.append(await events.read())
    return found


async def delivered_events(migd: LocalMigd) -> int:
    for line in (await migd.get("/metrics")).raw.decode().splitlines():
        if line.startswith("mig_gateway_events_delivered_total"):
            return int(float(line.rpartition(" ")[2]))
    raise AssertionError("no such metric")
