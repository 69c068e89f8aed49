"""Group commit: what is acknowledged is committed, one failure is one caller's, a full disk is everyone's."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.stores.retention import Retention
from migd.stores.sqlite.writer import Writer
from support.audit_trail import ids_of, lines_of, record, verified
from support.full_disk import no_room
from support.manual_clock import ManualClock
from support.sqlite_stores import Draft, opened, publish, query, sequences


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class Unencodable(Draft):
    def encode(self, sequence: int) -> bytes:
        raise ValueError(sequence)


async def test_an_acknowledged_event_is_committed(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock) as store:
        for number in range(1, 4):
            await publish(store, f"e{number}")
            assert query(tmp_path, "SELECT count(*) FROM events") == [(number,)]


async def test_one_that_fails_leaves_no_hole_and_its_neighbours_alone(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock) as store:
        results = await asyncio.gather(
            publish(store, "a", key="k"),
            store.events.append("acme", "a.b", Unencodable("b"), None),
            publish(store, "c", key="k"),
            store.events.append("acme", "new.topic", Unencodable("d"), None),
            publish(store, "e"),
            store.quotas.set_limit("acme", 5),
            return_exceptions=True,
        )
        assert isinstance(results[1], ValueError)
        assert isinstance(results[3], ValueError)
        assert [results[0], results[2], results[4], results[5]] == [1, 1, 2, None]
        assert await sequences(store) == [1, 2]
        assert store.health() is None
        await store.events.append("acme", "new.topic", Draft("f"), None)
        assert await store.events.head("acme", "new.topic") == 1


async def test_one_that_is_refused_leaves_its_neighbours_alone(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock, Retention(topics=1)) as store:
        first, refused, second = await asyncio.gather(
            publish(store, "a"),
            store.events.append("acme", "c.d", Draft("b"), None),
            publish(store, "c"),
            return_exceptions=True,
        )
        assert (first, second) == (1, 2)
        assert isinstance(refused, MigFault)
        assert refused.code is MigErrorCode.MIG_RATE_LIMITED


async def test_a_full_disk_fails_all_that_it_can_not_keep_and_says_so_until_it_has_room(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock) as store:
        await store.quotas.set_limit("acme", 3)
        await publish(store, "kept")
        with no_room():
            results = await asyncio.gather(
                publish(store, "lost", key="k"),
                store.events.append("acme", "new.topic", Draft("lost"), None),
                store.quotas.debit("acme"),
                store.tombstones.put("acme", "m", "why", 60),
                return_exceptions=True,
            )
            assert [error.code for error in results if isinstance(error, MigFault)] == [
                MigErrorCode.MIG_UNAVAILABLE
            ] * 4
            # Each answers a request of its own.
            assert len({id(error) for error in results}) == 4
            assert store.health() == "the disk does not read or write"
            assert await sequences(store) == [1]
            assert store.quotas.used("acme") == 0
            assert store.tombstones.reason("acme", "m") is None
        assert await publish(store, "after", key="k") == 2
        assert store.health() is None
        assert [await store.quotas.debit("acme") for _ in range(4)] == [True, True, True, False]
        assert [event.event_id for event in await store.events.read("acme", "a.b", 0, 9)] == ["kept", "after"]
        assert await store.events.head("acme", "new.topic") == 0
        await store.events.append("acme", "another.topic", Draft("after"), None)
    async with opened(tmp_path, clock) as store:
        await store.events.append("acme", "new.topic", Draft("later"), None)
        for topic in ("new.topic", "another.topic"):
            assert [event.sequence for event in await store.events.read("acme", topic, 0, 9)] == [1]


async def test_a_store_that_is_sent_no_work_finds_out_that_the_disk_has_room(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock, upkeep_s=5) as store:
        with no_room():
            with pytest.raises(MigFault):
                await publish(store, "lost")
            clock.advance(5)
            for _ in range(50):
                await store.directory.has_org("any")
                assert store.health() is not None
        while store.health() is not None:
            clock.advance(5)
            await store.directory.has_org("any")


async def test_usage_and_audit_wait_for_a_disk_that_fails(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock) as store:
        await publish(store, "a")
        with no_room():
            store.audit.append(record("1"))
            store.usage.count("acme", "cap")
            clock.advance(0.1)
            # While the first is on its way.
            store.audit.append(record("2"))
            with pytest.raises(MigFault):
                await store.audit.head()
            assert "does not read or write" in (store.audit.failure or "")
        assert await ids_of(store.audit) == ["1", "2"]
        assert (store.audit.failure, store.audit.lost) == (None, 0)
    async with opened(tmp_path, clock) as store:
        assert await store.usage.by_tenant() == {"acme": 1}
        assert verified(await lines_of(store.audit)).startswith("2 records, 1 to 2, ")


async def test_the_audit_trail_can_be_read_in_the_turn_in_which_its_records_were_committed(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock) as store:

        async def published_then_read() -> int:
            await publish(store, "e1")
            return (await store.audit.head()).sequence

        store.audit.append(record("1"))
        # One commit for both: who published is woken first, before the trail has heard of its own part.
        found, head = await asyncio.gather(published_then_read(), store.audit.head())
        assert (found, head.sequence) == (1, 1)


async def test_audit_records_that_can_never_be_written_are_counted_as_lost_and_hold_up_no_others(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock) as store:
        store.audit.append(replace(record("unwritable"), text="no bytes"))
        with pytest.raises(TypeError):
            await store.audit.head()
        assert store.audit.lost == 1
        store.audit.append(record("after"))
        assert verified(await lines_of(store.audit)).startswith("1 record, 1 to 1, ")


async def test_more_than_may_wait_is_refused_as_backpressure(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock, most_waiting=10) as store:
        results = await asyncio.gather(
            *(publish(store, f"e{number}") for number in range(15)), return_exceptions=True
        )
        refused = [error for error in results if isinstance(error, MigFault)]
        assert [error.code for error in refused] == [MigErrorCode.MIG_BACKPRESSURE] * 5
        assert await publish(store, "later") == 11


async def test_a_publisher_that_leaves_does_not_take_its_event_with_it(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock) as store:
        leaving = asyncio.ensure_future(publish(store, "a"))
        await asyncio.sleep(0)
        leaving.cancel()
        while await store.events.head("acme", "a.b") == 0:
            await store.directory.has_org("any")
        assert await sequences(store) == [1]
        assert await publish(store, "b") == 2


async def test_what_was_submitted_before_the_end_is_committed() -> None:
    writer = Writer(10)
    writer.start(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False))
    submitted = writer.submit(lambda transaction: transaction.connection.execute("SELECT 1").fetchone())
    await writer.stop()
    assert submitted.result() == (1,)


async def test_a_quota_is_exact_when_all_want_it_at_once(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock) as store:
        await store.quotas.set_limit("acme", 100)
        taken = await asyncio.gather(*(store.quotas.debit("acme") for _ in range(300)))
        assert sum(taken) == 100
        assert store.quotas.used("acme") == 100
        assert query(tmp_path, "SELECT used FROM quotas") == [(100,)]


async def test_usage_and_audit_are_written_within_the_time_that_they_may_take(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock, flush_s=0.1) as store:
        for number in range(5):
            store.usage.count("acme", "cap")
            store.audit.append(record(str(number)))
        clock.advance(0.1)
        # Commits are in the order in which they were asked for.
        await store.quotas.set_limit("acme", 1)
        assert query(tmp_path, "SELECT tenant_id, capability, invocations FROM usage") == [("acme", "cap", 5)]
        assert query(tmp_path, "SELECT first, records FROM audit") == [(1, 5)]


async def test_audit_keeps_what_its_bound_says_over_many_rows_and_restarts(
    tmp_path: Path, clock: ManualClock
) -> None:
    for run in range(3):
        async with opened(tmp_path, clock, Retention(audit_records=1500)) as store:
            for number in range(1100):
                store.audit.append(record(f"{run}-{number}"))
            store.audit.append(record(f"{run}-lone-surrogate-\ud800"))
            lines = await lines_of(store.audit)
            exported = [json.loads(line)["message_id"] for line in lines]
            assert len(exported) == min(1101 * (run + 1), 1500)
            assert f" to {1101 * (run + 1)}" in verified(lines)
            assert exported[-2:] == [f"{run}-1099", f"{run}-lone-surrogate-\ufffd"]
    assert query(tmp_path, "SELECT sum(records) FROM audit")[0][0] < 1500 + 1024


async def test_a_store_that_is_not_open_refuses(tmp_path: Path, clock: ManualClock) -> None:
    async with opened(tmp_path, clock) as store:
        pass
    with pytest.raises(MigFault, match="not open"):
        await publish(store, "late")
    with pytest.raises(MigFault, match="not open"):
        await store.directory.has_org("o")


def test_the_simulated_full_disk_is_over(tmp_path: Path) -> None:
    with no_room(), pytest.raises(OSError, match="large"):
        os.write(os.open(tmp_path / "f", os.O_CREAT | os.O_WRONLY), b"x")
    (tmp_path / "g").write_bytes(b"x")
