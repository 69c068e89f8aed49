"""PUBLISH and SUBSCRIBE: ordered, resumable, per tenant, gaps told (protocol section 2)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    ConnectionKind,
    ConnectionQuery,
    GapNotice,
    MigErrorCode,
    PublishAck,
    PublishRequest,
    RequestHeader,
    StreamFrame,
    SubscribeRequest,
)
from migd.core.limits import Limits
from migd.core.subscription import Subscription
from migd.stores.retention import Retention
from support.gateway_under_test import GatewayUnderTest, calling, settle

TOPIC = "orders.created"


async def publish(
    under_test: GatewayUnderTest,
    payload: dict[str, Any],
    tenant: str = "acme",
    topic: str = TOPIC,
    **header: Any,
) -> PublishAck:
    request = PublishRequest(topic=topic, payload=payload, header=RequestHeader(**header))
    return await under_test.gateway.publish(calling(tenant), request)


async def subscribe(
    under_test: GatewayUnderTest, cursor: str | None = None, tenant: str = "acme", **fields: Any
) -> Subscription:
    if cursor is not None:
        fields["resume_cursor"] = cursor
    return await under_test.gateway.subscribe(
        calling(tenant), SubscribeRequest(topic=TOPIC, **fields), ConnectionKind.sse_subscribe
    )


async def events(subscription: Subscription) -> list[dict[str, Any]]:
    """The next batch as a subscriber reads it."""
    batch = await subscription.next()
    assert batch is not None
    assert not isinstance(batch, GapNotice)
    return [json.loads(event.json(replay=event.sequence <= subscription.head)) for event in batch]


async def unheard(_: StreamFrame) -> None:
    """Where frames go that no test looks at."""


async def test_sequences_start_at_one_and_grow_without_a_hole_per_topic() -> None:
    async with GatewayUnderTest() as under_test:
        acks = [await publish(under_test, {"n": n}) for n in range(3)]
        other = await publish(under_test, {}, topic="orders.paid")
        assert [ack.sequence for ack in acks] == [1, 2, 3]
        assert all(ack.accepted for ack in acks)
        assert len({ack.event_id for ack in acks}) == 3
        assert other.sequence == 1


async def test_without_a_cursor_only_what_comes_from_now_on() -> None:
    async with GatewayUnderTest() as under_test:
        await publish(under_test, {"n": 1})
        subscription = await subscribe(under_test)
        await publish(under_test, {"n": 2})
        (event,) = await events(subscription)
        assert (event["sequence"], event["payload"], event["replay"]) == (2, {"n": 2}, False)
        assert event["header"]["tenant_id"] == "acme"


async def test_a_cursor_replays_what_is_retained_and_goes_live_without_a_seam() -> None:
    async with GatewayUnderTest() as under_test:
        for n in range(1, 6):
            await publish(under_test, {"n": n})
        subscription = await subscribe(under_test, "2", max_inflight=2)
        first = await events(subscription)
        await publish(under_test, {"n": 6})
        rest = await events(subscription)
        seen = [(event["sequence"], event["replay"]) for event in first + rest]
        assert seen == [(3, True), (4, True), (5, True), (6, False)]


async def test_a_cursor_past_the_end_skips_nothing_that_is_published_later() -> None:
    async with GatewayUnderTest() as under_test:
        await publish(under_test, {"n": 1})
        subscription = await subscribe(under_test, "900")
        await publish(under_test, {"n": 2})
        assert [(event["sequence"], event["replay"]) for event in await events(subscription)] == [(2, False)]


async def test_a_reader_that_is_behind_gives_the_others_a_turn_between_batches() -> None:
    async with GatewayUnderTest() as under_test:
        for n in range(50):
            await publish(under_test, {"n": n})
        subscription = await subscribe(under_test, "0", max_inflight=1)
        order: list[str] = []

        async def read() -> None:
            for _ in range(50):
                await subscription.next()
                order.append("read")

        async def work() -> None:
            for _ in range(50):
                order.append("work")
                await asyncio.sleep(0)

        await asyncio.gather(read(), work())
        assert order[:10].count("work") == 5


async def test_a_reader_asleep_is_woken_by_a_publish() -> None:
    async with GatewayUnderTest() as under_test:
        subscription = await subscribe(under_test)
        waiting = asyncio.create_task(events(subscription))
        await settle()
        assert not waiting.done()
        await publish(under_test, {"n": 1})
        assert [event["sequence"] for event in await waiting] == [1]


async def test_a_tenant_sees_its_own_events_only() -> None:
    async with GatewayUnderTest(limits=Limits(sse_keepalive_s=5)) as under_test:
        subscription = await subscribe(under_test, "0", tenant="umbrella")
        await publish(under_test, {"secret": 1}, tenant="acme")
        waiting = asyncio.create_task(subscription.next())
        await settle()
        under_test.clock.advance(6)
        assert await waiting is None


async def test_what_retention_has_passed_is_told_as_a_gap() -> None:
    async with GatewayUnderTest(retention=Retention(events=3)) as under_test:
        for n in range(10):
            await publish(under_test, {"n": n})
        subscription = await subscribe(under_test, "4")
        gap = await subscription.next()
        assert isinstance(gap, GapNotice)
        assert (gap.from_sequence, gap.to_sequence) == (5, 7)
        assert [event["sequence"] for event in await events(subscription)] == [8, 9, 10]


async def test_a_slow_live_reader_that_retention_overtakes_is_told_too() -> None:
    async with GatewayUnderTest(retention=Retention(events=2)) as under_test:
        subscription = await subscribe(under_test)
        for n in range(5):
            await publish(under_test, {"n": n})
        gap = await subscription.next()
        assert isinstance(gap, GapNotice)
        assert (gap.from_sequence, gap.to_sequence) == (1, 3)


async def test_events_that_age_took_away_entirely_are_a_gap_up_to_the_end() -> None:
    async with GatewayUnderTest(retention=Retention(age_s=60)) as under_test:
        await publish(under_test, {"n": 1})
        under_test.clock.advance(61)
        subscription = await subscribe(under_test, "0")
        gap = await subscription.next()
        assert isinstance(gap, GapNotice)
        assert (gap.from_sequence, gap.to_sequence) == (1, 1)


async def test_a_repeated_idempotency_key_gives_the_first_ack_and_no_second_event() -> None:
    async with GatewayUnderTest() as under_test:
        first = await publish(under_test, {"n": 1}, idempotency_key="k")
        again = await publish(under_test, {"n": 1}, idempotency_key="k")
        assert (again.event_id, again.sequence) == (first.event_id, first.sequence)
        assert (again.header.meta or {})["mig.idempotent_replay"] is True
        assert (await publish(under_test, {"n": 2})).sequence == 2


async def test_what_the_gateway_knows_of_a_publisher_is_not_given_to_subscribers() -> None:
    async with GatewayUnderTest() as under_test:
        subscription = await subscribe(under_test)
        await publish(under_test, {}, meta={"shop": "north", "idg.spoof": 1})
        (event,) = await events(subscription)
        assert event["header"]["meta"] == {"shop": "north"}


async def test_a_subscription_is_listed_while_it_is_open_and_never_twice_closed() -> None:
    async with GatewayUnderTest() as under_test:
        subscription = await subscribe(under_test, consumer_id="billing")
        (entry,) = under_test.gateway.list_connections(ConnectionQuery()).connections
        assert (entry.kind.value, entry.tenant_id) == ("sse_subscribe", "acme")
        assert entry.meta == {"topic": TOPIC, "consumer_id": "billing"}
        subscription.close()
        subscription.close()
        assert under_test.gateway.list_connections(ConnectionQuery()).summary.total == 0
        with pytest.raises(StopAsyncIteration):
            await subscription.next()
        assert under_test.clock.pending == 0


async def test_an_idle_reader_leaves_no_timer_behind() -> None:
    async with GatewayUnderTest() as under_test:
        subscription = await subscribe(under_test)
        waiting = asyncio.create_task(_next_or_end(subscription))
        await settle()
        assert under_test.clock.pending == 1
        subscription.close()
        assert await waiting == "ended"
        assert under_test.clock.pending == 0


async def test_draining_ends_every_subscription() -> None:
    async with GatewayUnderTest() as under_test:
        subscription = await subscribe(under_test)
        waiting = asyncio.create_task(_next_or_end(subscription))
        await settle()
        await under_test.gateway.drain(1)
        assert await waiting == "ended"


async def test_open_streams_of_a_tenant_are_limited() -> None:
    async with GatewayUnderTest(limits=Limits(max_connections_per_tenant=1)) as under_test:
        first = await subscribe(under_test)
        with pytest.raises(MigFault) as caught:
            await subscribe(under_test)
        assert caught.value.code is MigErrorCode.MIG_RATE_LIMITED
        await subscribe(under_test, tenant="umbrella")
        first.close()
        await subscribe(under_test)


async def test_open_streams_of_all_tenants_are_limited_whatever_they_call_themselves() -> None:
    async with GatewayUnderTest(limits=Limits(max_connections=2)) as under_test:
        first = await subscribe(under_test, tenant="a")
        under_test.gateway.open_session(calling("b"), unheard, ConnectionKind.ws_stream)
        with pytest.raises(MigFault) as caught:
            await subscribe(under_test, tenant="c")
        assert (caught.value.code, caught.value.retry_after_s) == (MigErrorCode.MIG_BACKPRESSURE, 5.0)
        first.close()
        await subscribe(under_test, tenant="c")


async def _next_or_end(subscription: Subscription) -> object:
    try:
        return await subscription.next()
    except StopAsyncIteration:
        return "ended"
