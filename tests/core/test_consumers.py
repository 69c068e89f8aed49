"""Named consumers: `consumer_id` resumes where it left off (protocol section 2, SUBSCRIBE)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    ConnectionKind,
    ConnectionQuery,
    GapNotice,
    MigErrorCode,
    PublishRequest,
    SubscribeRequest,
)
from migd.core.limits import Limits
from migd.core.subscription import Subscription
from migd.stores.retention import Retention
from support.gateway_under_test import GatewayUnderTest, calling, settle

TOPIC = "orders.created"


async def publish(under_test: GatewayUnderTest, count: int = 1, tenant: str = "acme") -> None:
    for _ in range(count):
        await under_test.gateway.publish(calling(tenant), PublishRequest(topic=TOPIC, payload={}))


async def named(
    under_test: GatewayUnderTest, cursor: str | None = None, tenant: str = "acme", **fields: Any
) -> Subscription:
    request = SubscribeRequest(topic=TOPIC, **{"consumer_id": "billing", **fields})
    if cursor is not None:
        request.resume_cursor = cursor
    return await under_test.gateway.subscribe(calling(tenant), request, ConnectionKind.sse_subscribe)


async def given(subscription: Subscription) -> list[tuple[int, bool]]:
    """The sequences of the next batch, and whether each is a replayed one."""
    batch = await subscription.next()
    assert batch is not None
    assert not isinstance(batch, GapNotice)
    return [(event.sequence, event.sequence <= subscription.head) for event in batch]


async def taken(subscription: Subscription) -> None:
    """The transport has taken the last batch and asks for the next one, which is not there."""
    asking = asyncio.ensure_future(subscription.next())
    await settle()
    assert not asking.done()
    subscription.close()
    with pytest.raises(StopAsyncIteration):
        await asking


async def test_a_new_name_begins_now_and_what_it_misses_while_away_is_there_when_it_returns() -> None:
    async with GatewayUnderTest() as under_test:
        await publish(under_test, 2)
        (await named(under_test)).close()
        await publish(under_test, 2)
        again = await named(under_test)
        assert await given(again) == [(3, True), (4, True)]
        await publish(under_test)
        assert await given(again) == [(5, False)]


async def test_what_the_transport_has_taken_is_not_given_again_and_what_it_has_not_is() -> None:
    async with GatewayUnderTest() as under_test:
        first = await named(under_test, max_inflight=2)
        await publish(under_test, 4)
        assert await given(first) == [(1, False), (2, False)]
        assert await given(first) == [(3, False), (4, False)]
        first.close()
        second = await named(under_test)
        assert await given(second) == [(3, True), (4, True)]
        await taken(second)
        third = await named(under_test)
        await publish(under_test)
        assert await given(third) == [(5, False)]


async def test_a_cursor_wins_and_moves_the_name() -> None:
    async with GatewayUnderTest() as under_test:
        await publish(under_test, 5)
        (await named(under_test)).close()
        back = await named(under_test, "1", max_inflight=2)
        assert await given(back) == [(2, True), (3, True)]
        back.close()
        assert (await given(await named(under_test)))[0] == (2, True)
        (await named(under_test, "900")).close()
        await publish(under_test)
        assert await given(await named(under_test)) == [(6, True)]


async def test_two_of_one_name_each_get_everything_and_the_slower_takes_nothing_back() -> None:
    async with GatewayUnderTest() as under_test:
        fast, slow = await named(under_test), await named(under_test, max_inflight=1)
        await publish(under_test, 3)
        assert [sequence for sequence, _ in await given(fast)] == [1, 2, 3]
        await taken(fast)
        assert [(await given(slow))[0][0] for _ in range(3)] == [1, 2, 3]
        slow.close()
        await publish(under_test)
        assert await given(await named(under_test)) == [(4, True)]


async def test_a_name_is_its_tenants_own() -> None:
    async with GatewayUnderTest() as under_test:
        (await named(under_test)).close()
        await publish(under_test, 2)
        await publish(under_test, 3, tenant="umbrella")
        other = await named(under_test, tenant="umbrella")
        await publish(under_test, 1, tenant="umbrella")
        assert await given(other) == [(4, False)]


async def test_what_retention_has_passed_while_it_was_away_is_told_as_a_gap() -> None:
    async with GatewayUnderTest(retention=Retention(events=2)) as under_test:
        await publish(under_test)
        (await named(under_test)).close()
        await publish(under_test, 5)
        again = await named(under_test)
        gap = await again.next()
        assert isinstance(gap, GapNotice)
        assert (gap.from_sequence, gap.to_sequence) == (2, 4)
        assert await given(again) == [(5, True), (6, True)]


async def test_names_are_limited_and_a_refused_one_opens_nothing() -> None:
    async with GatewayUnderTest(retention=Retention(consumers=1)) as under_test:
        await named(under_test)
        with pytest.raises(MigFault, match="named consumers") as caught:
            await named(under_test, consumer_id="second")
        assert caught.value.code is MigErrorCode.MIG_RATE_LIMITED
        assert caught.value.header is not None
        assert under_test.gateway.list_connections(ConnectionQuery()).summary.total == 1
        await named(under_test)


async def test_a_quiet_subscription_is_a_sign_of_life() -> None:
    async with GatewayUnderTest(
        limits=Limits(sse_keepalive_s=15), retention=Retention(consumer_window_s=60)
    ) as under_test:
        quiet = await named(under_test)
        for _ in range(8):
            waiting = asyncio.ensure_future(quiet.next())
            await settle()
            under_test.clock.advance(15)
            assert await waiting is None
        quiet.close()
        await publish(under_test)
        assert await given(await named(under_test)) == [(1, True)]
