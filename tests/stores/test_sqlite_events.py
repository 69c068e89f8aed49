"""The event log on disk: from memory or from the file a reader is given the same, and old rows go."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mig_protocol.errors import MigFault
from migd.core.ports import BATCH_BYTES
from migd.stores.retention import Retention
from support.manual_clock import ManualClock
from support.sqlite_stores import Draft, opened, publish, query, sequences


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def test_publishers_at_once_are_given_every_sequence_once(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock) as store:
        given = await asyncio.gather(*(publish(store, f"e{number}") for number in range(300)))
        assert sorted(given) == list(range(1, 301))
        assert await sequences(store) == list(range(1, 301))


@pytest.mark.parametrize("tail_bytes", [0, 20_000, 16_000_000])
async def test_a_reader_is_given_the_same_from_memory_and_from_the_file(
    tmp_path: Path, clock: ManualClock, tail_bytes: int
) -> None:
    async with opened(tmp_path, clock, tail_bytes=tail_bytes) as store:
        for number in range(1, 101):
            await publish(store, f"e{number}", size=100)
            await store.events.append("acme", "c.d", Draft(f"other{number}"), None)
        position, read = 0, []
        while events := await store.events.read("acme", "a.b", position, 7):
            position = events[-1].sequence
            read += [event.event_id for event in events]
    assert read == [f"e{number}" for number in range(1, 101)]


async def test_readers_of_the_newest_events_share_them(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock) as store:
        event, _ = await store.events.append("acme", "a.b", Draft("e"), None)
        first, second = [await store.events.read("acme", "a.b", 0, 10) for _ in range(2)]
        assert first[0] is second[0] is event


@pytest.mark.parametrize("tail_bytes", [0, 16_000_000])
async def test_a_batch_has_a_bound_in_bytes_from_memory_and_from_the_file(
    tmp_path: Path, clock: ManualClock, tail_bytes: int
) -> None:
    async with opened(tmp_path, clock, tail_bytes=tail_bytes) as store:
        for number in range(6):
            await publish(store, f"e{number}", size=BATCH_BYTES // 2)
        await publish(store, "large", size=2 * BATCH_BYTES)
        batches = [await store.events.read("acme", "a.b", after, 100) for after in (0, 5, 6)]
    assert [[event.sequence for event in batch] for batch in batches] == [[1, 2], [6, 7], [7]]


async def test_a_log_goes_on_where_it_ended(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock) as store:
        assert [await publish(store, name, key=name) for name in "abc"] == [1, 2, 3]
    async with opened(tmp_path, clock) as store:
        assert await store.events.head("acme", "a.b") == 3
        assert await sequences(store, 1) == [2, 3]
        assert await publish(store, "again", key="b") == 2
        assert await publish(store, "d") == 4
        (event,) = await store.events.read("acme", "a.b", 1, 1)
        assert event.body == b'{"sequence":2,"event_id":"b","replay":false}'


async def test_sequences_go_on_after_everything_has_been_trimmed(tmp_path: Path, clock: ManualClock) -> None:
    kept = Retention(age_s=60)
    async with opened(tmp_path, clock, kept) as store:
        await publish(store, "a")
        clock.advance(61)
        assert await sequences(store) == []
    async with opened(tmp_path, clock, kept) as store:
        assert await sequences(store) == []
        assert await publish(store, "b", at=clock.now()) == 2
        assert await sequences(store) == [2]


async def test_the_file_holds_little_more_than_what_is_retained(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock, Retention(events=100)) as store:
        for number in range(1000):
            await publish(store, f"e{number}", key=f"k{number}")
            if number % 100 == 99:
                rows = query(tmp_path, "SELECT count(*) FROM events")[0][0]
                assert min(number + 1, 100) <= rows <= 164
                assert len(await sequences(store)) == min(number + 1, 100)


async def test_retention_by_bytes_is_exact_while_topics_take_turns(
    tmp_path: Path, clock: ManualClock
) -> None:
    size = len(Draft("e", 100).encode(100))
    async with opened(tmp_path, clock, Retention(bytes=10 * size)) as store:
        for _ in range(100):
            await asyncio.gather(
                publish(store, "e", size=100), store.events.append("acme", "c.d", Draft("e", 100), None)
            )
        # Sequences of two digits make smaller bodies; the last ten have two, but for the hundredth.
        assert await sequences(store) == list(range(91, 101))


async def test_housekeeping_deletes_what_is_too_old_in_every_topic(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock, Retention(age_s=60), upkeep_s=5) as store:
        for number in range(600):
            await store.events.append("acme", f"t.{number % 300}", Draft("old"), None)
        for _ in range(2500):
            await publish(store, "old")
        clock.advance(61)
        await publish(store, "new", at=clock.now())
        while query(tmp_path, "SELECT count(*) FROM events") != [(1,)]:
            clock.advance(5)
            # Any commit that is asked for after the housekeeping's comes after it.
            await store.quotas.set_limit("acme", 1)
        assert await sequences(store) == [2501]
        assert await store.events.head("acme", "t.0") == 2


async def test_leavings_of_an_earlier_run_are_deleted(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock, Retention(events=10)) as store:
        for number in range(30):
            await publish(store, f"e{number}")
    assert query(tmp_path, "SELECT count(*) FROM events") == [(30,)]
    async with opened(tmp_path, clock, Retention(events=10)) as store:
        assert await sequences(store) == list(range(21, 31))
        clock.advance(5)
        while query(tmp_path, "SELECT count(*) FROM events") != [(10,)]:
            await store.quotas.set_limit("acme", 1)


async def test_housekeeping_leaves_what_is_appended_at_the_same_time(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock, Retention(age_s=60), tail_bytes=0, upkeep_s=61) as store:
        for _ in range(5):
            await publish(store, "old")
        clock.advance(60)
        publishing = [asyncio.ensure_future(publish(store, "new", at=clock.now())) for _ in range(5)]
        await asyncio.sleep(0)
        clock.advance(1)
        await asyncio.gather(*publishing)
        await store.quotas.set_limit("acme", 1)
        assert query(tmp_path, "SELECT first, head FROM topics") == [(6, 10)]
        assert await sequences(store) == [6, 7, 8, 9, 10]


async def test_an_event_larger_than_retention_has_its_place_and_is_gone(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock, Retention(bytes=1000)) as store:
        assert await publish(store, "large", size=2000) == 1
        assert await sequences(store) == []
        assert await publish(store, "small") == 2
        assert await sequences(store) == [2]


async def test_a_smaller_retention_holds_from_the_next_append_on(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock) as store:
        for number in range(500):
            await publish(store, f"e{number}")
    async with opened(tmp_path, clock, Retention(events=10)) as store:
        await publish(store, "one more")
        assert await sequences(store) == list(range(492, 502))


async def test_a_key_is_forgotten_with_an_event_that_grew_too_old(tmp_path: Path, clock: ManualClock) -> None:
    # Without housekeeping, so that the row is still there.
    async with opened(tmp_path, clock, Retention(age_s=60), upkeep_s=1e9) as store:
        assert await publish(store, "first", key="k") == 1
        clock.advance(61)
        assert await publish(store, "second", key="k", at=clock.now()) == 2
        assert await publish(store, "third", key="k", at=clock.now()) == 2


async def test_a_key_that_is_used_by_many_at_once_has_one_event(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock) as store:
        given = await asyncio.gather(*(publish(store, f"e{number}", key="k") for number in range(20)))
        assert given == [1] * 20
        assert await store.events.head("acme", "a.b") == 1


async def test_topics_and_bytes_are_limited_in_all_over_restarts(tmp_path: Path, clock: ManualClock) -> None:
    kept = Retention(total_topics=1, total_bytes=200)
    async with opened(tmp_path, clock, kept) as store:
        await publish(store, "a", size=100)
    async with opened(tmp_path, clock, kept) as store:
        with pytest.raises(MigFault, match="topics"):
            await store.events.append("umbrella", "c.d", Draft("e"), None)
        with pytest.raises(MigFault, match="bytes"):
            await publish(store, "b", size=100)
        assert await publish(store, "c") == 2
