"""The places of consumers in the file: a new name at once, what was taken soon after, never too far."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mig_protocol.messages import ConnectionKind, PublishRequest, SubscribeRequest
from migd.core.ports import ConsumerName
from migd.stores.retention import Retention
from migd.stores.sqlite import SqliteStore
from support.gateway_under_test import GatewayUnderTest, calling, settle
from support.manual_clock import ManualClock
from support.sqlite_stores import opened, query

BILLING = ConsumerName("acme", "a.b", "billing")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def written(folder: Path) -> list[tuple[str, int]]:
    rows = query(folder, "SELECT consumer_id, position FROM consumers ORDER BY consumer_id")
    return [(row[0], row[1]) for row in rows]


async def committed(store: SqliteStore) -> None:
    """Everything that was submitted before is in the file."""
    await store.quotas.set_limit("acme", 1)


async def test_a_name_and_a_move_are_in_the_file_before_they_are_answered(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock) as store:
        await store.consumers.resume(BILLING, 4)
        assert written(tmp_path) == [("billing", 4)]
        await store.consumers.move(BILLING, 2)
        assert written(tmp_path) == [("billing", 2)]


async def test_a_name_that_comes_twice_at_once_is_in_the_file_before_either_is_answered(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock) as store:

        async def come() -> list[tuple[str, int]]:
            await store.consumers.resume(BILLING, 4)
            return written(tmp_path)

        assert list(await asyncio.gather(come(), come())) == [[("billing", 4)]] * 2


async def test_what_was_taken_is_written_once_after_the_delay(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock, flush_s=1) as store:
        await store.consumers.resume(BILLING, 0)
        for position in range(1, 1000):
            store.consumers.taken(BILLING, position)
        await committed(store)
        assert written(tmp_path) == [("billing", 0)]
        clock.advance(1)
        await committed(store)
        assert written(tmp_path) == [("billing", 999)]


async def test_a_hurry_writes_at_once(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock, flush_s=1) as store:
        await store.consumers.resume(BILLING, 0)
        store.consumers.taken(BILLING, 5)
        store.consumers.hurry()
        await committed(store)
        assert written(tmp_path) == [("billing", 5)]


async def test_what_a_subscriber_has_taken_is_written_when_it_leaves(
    tmp_path: Path, clock: ManualClock
) -> None:
    store = SqliteStore(tmp_path, clock, flush_s=1)
    async with GatewayUnderTest(clock=clock, store=store) as under_test:
        request = SubscribeRequest(topic="a.b", consumer_id="billing")
        subscription = await under_test.gateway.subscribe(calling(), request, ConnectionKind.sse_subscribe)
        await under_test.gateway.publish(calling(), PublishRequest(topic="a.b", payload={}))
        await subscription.next()
        asking = asyncio.ensure_future(subscription.next())
        await settle()
        subscription.close()
        await asyncio.wait([asking])
        await committed(store)
        assert written(tmp_path) == [("billing", 1)]


async def test_places_outlive_a_close_and_windows_are_not_lengthened_by_it(
    tmp_path: Path, clock: ManualClock
) -> None:
    kept = Retention(consumer_window_s=60, consumers=2)
    async with opened(tmp_path, clock, kept) as store:
        await store.consumers.resume(BILLING, 1)
        store.consumers.taken(BILLING, 3)
    clock.advance(40)
    async with opened(tmp_path, clock, kept) as store:
        await store.consumers.resume(BILLING._replace(consumer_id="other"), 9)
    clock.advance(21)
    async with opened(tmp_path, clock, kept) as store:
        assert await store.consumers.resume(BILLING, 7) == 7
        assert await store.consumers.resume(BILLING._replace(consumer_id="other"), 10) == 9


async def test_a_consumer_that_takes_nothing_does_not_age_in_the_file(
    tmp_path: Path, clock: ManualClock
) -> None:
    kept = Retention(consumer_window_s=160)
    async with opened(tmp_path, clock, kept) as store:
        await store.consumers.resume(BILLING, 1)
        for _ in range(20):
            clock.advance(15)
            store.consumers.taken(BILLING, 1)
    clock.advance(140)
    async with opened(tmp_path, clock, kept) as store:
        assert await store.consumers.resume(BILLING, 7) == 1


async def test_rows_of_forgotten_names_are_deleted(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock, Retention(consumer_window_s=60)) as store:
        for number in range(20):
            await store.consumers.resume(BILLING._replace(consumer_id=f"c{number}"), 1)
        clock.advance(61)
        await store.consumers.resume(BILLING, 1)
    assert written(tmp_path) == [("billing", 1)]
