"""What every adapter of the store port must do; an adapter joins by adding itself to `STORES`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    BindingType,
    CapabilityDescriptor,
    GatewayRecord,
    InvocationMode,
    MigErrorCode,
    Org,
    Tenant,
)
from migd.core.audit import NO_LINE, hash_of
from migd.core.mirroring import Head, Origin
from migd.core.ports import BATCH_BYTES, ConsumerName, IdempotencyRecord, Store, Taken
from migd.stores.memory import MemoryStore
from migd.stores.retention import Retention
from migd.stores.sqlite import SqliteStore
from support.audit_trail import ids_of, lines_of, record, verified
from support.manual_clock import EPOCH, ManualClock

SMALL = Retention(
    events=5,
    bytes=2_000,
    age_s=60,
    topics=2,
    consumers=2,
    total_consumers=3,
    consumer_window_s=600,
    audit_records=3,
    idempotency_records=3,
    tombstones=3,
    quotas=2,
    usage_rows=2,
    directory_entries=2,
)
STORES: dict[str, Callable[[ManualClock, Path], Store]] = {
    "memory": lambda clock, _: MemoryStore(clock, SMALL),
    "sqlite": lambda clock, folder: SqliteStore(folder / "data", clock, SMALL),
}

SPACIOUS: dict[str, Callable[[ManualClock, Path], Store]] = {
    "memory": lambda clock, _: MemoryStore(clock),
    "sqlite": lambda clock, folder: SqliteStore(folder / "spacious", clock),
}


class Draft:
    """An event as small as it can be, or as large as a test wants."""

    def __init__(self, event_id: str, size: int = 0, at: datetime = EPOCH) -> None:
        self.event_id = event_id
        self.published_at = at
        self._pad = "x" * size

    def encode(self, sequence: int) -> bytes:
        return f'{{"sequence":{sequence},"event_id":"{self.event_id}{self._pad}","replay":false}}'.encode()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=sorted(STORES))
async def store(request: pytest.FixtureRequest, clock: ManualClock, tmp_path: Path) -> AsyncIterator[Store]:
    opened = STORES[request.param](clock, tmp_path)
    await opened.open()
    yield opened
    await opened.close()


async def append(store: Store, count: int, tenant: str = "acme", topic: str = "a.b") -> None:
    for number in range(count):
        await store.events.append(tenant, topic, Draft(f"e{number}"), None)


async def sequences(
    store: Store, after: int, limit: int = 100, tenant: str = "acme", topic: str = "a.b"
) -> list[int]:
    return [event.sequence for event in await store.events.read(tenant, topic, after, limit)]


async def test_an_opened_store_is_healthy(store: Store) -> None:
    assert store.health() is None


async def test_sequences_are_contiguous_from_one_in_each_topic_of_each_tenant(store: Store) -> None:
    await append(store, 3)
    await append(store, 2, topic="c.d")
    await append(store, 1, tenant="umbrella")
    assert await sequences(store, 0) == [1, 2, 3]
    assert await sequences(store, 0, topic="c.d") == [1, 2]
    assert await sequences(store, 0, tenant="umbrella") == [1]
    assert await store.events.head("acme", "a.b") == 3
    assert await store.events.head("acme", "never.seen") == 0


async def test_a_read_starts_after_its_cursor_and_stops_at_its_limit(store: Store) -> None:
    await append(store, 5)
    assert await sequences(store, 2) == [3, 4, 5]
    assert await sequences(store, 1, limit=2) == [2, 3]
    assert await sequences(store, 5) == []
    assert await sequences(store, 99) == []


async def test_an_event_keeps_its_bytes_and_says_whether_it_is_replayed(store: Store) -> None:
    event, _ = await store.events.append("acme", "a.b", Draft("e"), None)
    (read,) = await store.events.read("acme", "a.b", 0, 1)
    assert (read.event_id, read.published_at, read.body) == ("e", EPOCH, event.body)
    assert read.json(replay=False) == b'{"sequence":1,"event_id":"e","replay":false}'
    assert read.json(replay=True) == b'{"sequence":1,"event_id":"e","replay":true}'


async def test_a_framing_is_built_once_for_all_readers(store: Store) -> None:
    built = []
    event, _ = await store.events.append("acme", "a.b", Draft("e"), None)

    def build(_: object, replay: bool) -> bytes:
        built.append(replay)
        return b"frame"

    for replay in (False, False, True, True):
        assert event.framed("test", replay, build) == b"frame"
    assert built == [False, True]


async def test_a_repeated_key_gives_the_first_event_of_that_topic(store: Store) -> None:
    first, repeated_first = await store.events.append("acme", "a.b", Draft("one"), "k")
    again, repeated_again = await store.events.append("acme", "a.b", Draft("two"), "k")
    other, repeated_other = await store.events.append("acme", "c.d", Draft("three"), "k")
    assert (again.event_id, again.sequence) == (first.event_id, first.sequence)
    assert (other.event_id, other.sequence) == ("three", 1)
    assert (repeated_first, repeated_again, repeated_other) == (False, True, False)
    assert await store.events.head("acme", "a.b") == 1


async def test_a_key_used_by_many_at_once_appends_one_event(store: Store) -> None:
    answers = await asyncio.gather(
        *(store.events.append("acme", "a.b", Draft(f"e{number}"), "k") for number in range(50))
    )
    assert len({(event.event_id, event.sequence) for event, _ in answers}) == 1
    assert [repeated for _, repeated in answers].count(False) == 1
    assert await sequences(store, 0) == [1]


async def test_a_read_ends_with_the_event_that_fills_a_batch(clock: ManualClock, tmp_path: Path) -> None:
    for store in (MemoryStore(clock), SqliteStore(tmp_path, clock)):
        await store.open()
        for size in (BATCH_BYTES // 2, BATCH_BYTES // 2, 0, 2 * BATCH_BYTES, 0):
            await store.events.append("acme", "a.b", Draft("e", size=size), None)
        assert [await sequences(store, after) for after in (0, 2, 4)] == [[1, 2], [3, 4], [5]]
        await store.close()


async def test_retention_keeps_the_newest_by_count(store: Store) -> None:
    await append(store, 8)
    assert await sequences(store, 0) == [4, 5, 6, 7, 8]
    assert await store.events.head("acme", "a.b") == 8


async def test_retention_keeps_the_newest_by_bytes(store: Store) -> None:
    for number in range(4):
        await store.events.append("acme", "a.b", Draft(f"e{number}", size=800), None)
    assert await sequences(store, 0) == [3, 4]


async def test_retention_drops_what_is_too_old_even_when_nothing_is_appended(
    store: Store, clock: ManualClock
) -> None:
    await append(store, 2)
    clock.advance(61)
    assert await sequences(store, 0) == []
    assert await store.events.head("acme", "a.b") == 2


async def test_a_key_is_forgotten_with_its_event(store: Store) -> None:
    await store.events.append("acme", "a.b", Draft("first"), "k")
    await append(store, 5)
    event, repeated = await store.events.append("acme", "a.b", Draft("later"), "k")
    assert (event.event_id, repeated) == ("later", False)


async def test_topics_of_a_tenant_are_limited(store: Store) -> None:
    await append(store, 1, topic="a.one")
    await append(store, 1, topic="a.two")
    with pytest.raises(MigFault) as caught:
        await append(store, 1, topic="a.three")
    assert caught.value.code is MigErrorCode.MIG_RATE_LIMITED
    await append(store, 1, tenant="umbrella", topic="a.three")


async def test_topics_and_bytes_are_limited_in_all(clock: ManualClock) -> None:
    full = MemoryStore(clock, Retention(total_topics=1, total_bytes=200))
    await append(full, 1, topic="a.one")
    with pytest.raises(MigFault, match="topics"):
        await append(full, 1, tenant="umbrella", topic="a.two")
    with pytest.raises(MigFault, match="bytes"):
        await full.events.append("acme", "a.one", Draft("e", size=200), None)
    await append(full, 1, topic="a.one")
    assert await sequences(full, 0, topic="a.one") == [1, 2]


async def take(
    store: Store, sequence: int, previous: int, *, log: str = "there", topic: str = "a.b"
) -> Taken:
    return await store.events.take("acme", topic, Draft(f"{log}-{sequence}"), Origin(log, sequence, previous))


async def test_an_event_of_another_log_is_taken_once_and_has_a_place_of_its_own(store: Store) -> None:
    await append(store, 2)
    taken = await take(store, 40, 0)
    assert taken.event is not None
    assert (taken.event.sequence, taken.event.event_id, taken.event.log) == (3, "there-40", "there")
    assert await take(store, 40, 0) == Taken(None, 40)
    assert await take(store, 39, 0) == Taken(None, 40)
    assert (await take(store, 44, 40)).last == 44
    assert await sequences(store, 0) == [1, 2, 3, 4]
    read = await store.events.read("acme", "a.b", 0, 9)
    assert [(event.log, event.previous) for event in read] == [
        (None, 0),
        (None, 1),
        ("there", 0),
        ("there", 0),
    ]


async def test_an_event_after_a_hole_is_not_taken_until_the_hole_is_filled_or_skipped(store: Store) -> None:
    await take(store, 1, 0)
    assert await take(store, 5, 3) == Taken(None, 1)
    assert (await take(store, 3, 1)).event is not None
    assert (await take(store, 5, 3)).event is not None
    await store.mirror.skip("there", [Head("acme", "a.b", 8)], join=False)
    assert (await take(store, 9, 7)).event is not None
    assert await store.mirror.last_taken("there", "acme", "a.b") == 9


async def test_logs_topics_and_events_without_a_sequence_do_not_hold_up_each_other(store: Store) -> None:
    for log, topic in (("there", "a.b"), ("elsewhere", "a.b"), ("there", "c.d")):
        assert (await take(store, 7, 0, log=log, topic=topic)).event is not None
    for _ in range(2):
        assert (await take(store, 0, 0)).event is not None
    assert await store.mirror.last_taken("there", "acme", "a.b") == 7


async def test_of_a_log_that_was_joined_nothing_is_missed(store: Store) -> None:
    assert not await store.mirror.knows("there")
    await store.mirror.skip("there", [Head("acme", "a.b", 5)], join=True)
    assert await store.mirror.knows("there")
    assert await take(store, 9, 7) == Taken(None, 5)
    assert await take(store, 9, 7, topic="c.d") == Taken(None, 0)
    assert (await take(store, 7, 5)).event is not None


async def test_what_is_refused_for_want_of_room_is_not_regarded_as_taken(store: Store) -> None:
    await append(store, 1, topic="a.one")
    await append(store, 1, topic="a.two")
    with pytest.raises(MigFault):
        await take(store, 1, 0, topic="a.three")
    assert await store.mirror.last_taken("there", "acme", "a.three") == 0


async def test_what_was_published_here_is_owed_until_it_is_mirrored(store: Store) -> None:
    assert store.mirror.log
    await append(store, 2)
    await take(store, 1, 0)
    await append(store, 1, topic="c.d")
    await append(store, 1)

    async def outgoing(*, owed: bool, after: int = 0, limit: int = 9) -> list[tuple[str, int, int]]:
        found = await store.mirror.outgoing(after, limit, owed=owed)
        assert [each.place for each in found] == sorted(each.place for each in found)
        return [(each.topic, each.own, each.mirrored) for each in found]

    assert await outgoing(owed=True) == [("a.b", 4, 0), ("c.d", 1, 0)]
    await store.mirror.put_mirrored([Head("acme", "a.b", 4)])
    assert await store.mirror.mirrored("acme", "a.b") == 4
    assert await outgoing(owed=True) == [("c.d", 1, 0)]
    assert await outgoing(owed=False, limit=1) == [("a.b", 4, 4)]
    (first,) = await store.mirror.outgoing(0, 1, owed=False)
    assert await outgoing(owed=False, after=first.place) == [("c.d", 1, 0)]


async def test_other_logs_are_limited_those_first_that_were_silent_longest(store: Store) -> None:
    await store.mirror.skip("first", [], join=True)
    await store.mirror.skip("second", [Head("acme", "a.b", 3)], join=True)
    for number in range(62):
        await store.mirror.skip(f"log-{number}", [], join=True)
    await take(store, 1, 0, log="first", topic="a.b")
    await store.mirror.skip("one too many", [], join=True)
    assert await store.mirror.knows("first")
    assert not await store.mirror.knows("second")
    assert await store.mirror.last_taken("second", "acme", "a.b") == 0


BILLING = ConsumerName("acme", "a.b", "billing")


async def test_a_new_consumer_is_kept_where_it_began_and_resumes_where_it_left_off(store: Store) -> None:
    assert await store.consumers.resume(BILLING, 4) == 4
    assert await store.consumers.resume(BILLING, 9) == 4
    store.consumers.taken(BILLING, 7)
    store.consumers.hurry()
    assert await store.consumers.resume(BILLING, 9) == 7


async def test_only_a_move_takes_a_consumer_back(store: Store, clock: ManualClock) -> None:
    await store.consumers.resume(BILLING, 4)
    for _ in range(3):
        store.consumers.taken(BILLING, 3)
        clock.advance(200)
    assert await store.consumers.resume(BILLING, 9) == 4
    await store.consumers.move(BILLING, 1)
    assert await store.consumers.resume(BILLING, 9) == 1
    await store.consumers.move(BILLING, 6)
    assert await store.consumers.resume(BILLING, 9) == 6


async def test_the_same_name_elsewhere_is_another_consumer(store: Store) -> None:
    await store.consumers.resume(BILLING, 4)
    assert await store.consumers.resume(BILLING._replace(tenant_id="umbrella"), 1) == 1
    assert await store.consumers.resume(BILLING._replace(topic="c.d"), 2) == 2
    assert await store.consumers.resume(BILLING, 9) == 4


async def test_consumers_are_limited_by_tenant_and_in_all(store: Store) -> None:
    for number in range(2):
        await store.consumers.resume(ConsumerName("acme", "a.b", f"c{number}"), 0)
    with pytest.raises(MigFault, match="tenant has its limit of 2") as caught:
        await store.consumers.resume(ConsumerName("acme", "c.d", "c2"), 0)
    assert caught.value.code is MigErrorCode.MIG_RATE_LIMITED
    await store.consumers.move(ConsumerName("umbrella", "a.b", "c"), 0)
    with pytest.raises(MigFault, match="gateway has its limit of 3"):
        await store.consumers.move(ConsumerName("other", "a.b", "c"), 0)
    assert await store.consumers.resume(ConsumerName("acme", "a.b", "c1"), 9) == 0


async def test_a_consumer_is_forgotten_a_window_after_its_last_sign_of_life(
    store: Store, clock: ManualClock
) -> None:
    quiet, busy = BILLING._replace(consumer_id="quiet"), BILLING._replace(consumer_id="busy")
    for name in (quiet, busy):
        await store.consumers.resume(name, 4)
    clock.advance(400)
    store.consumers.taken(busy, 4)
    clock.advance(400)
    assert await store.consumers.resume(busy, 9) == 4
    assert await store.consumers.resume(quiet, 9) == 9
    clock.advance(601)
    for number in range(2):
        await store.consumers.resume(BILLING._replace(consumer_id=f"new{number}"), 0)


async def test_a_consumer_that_is_heard_of_again_after_its_window_is_kept_again(
    store: Store, clock: ManualClock
) -> None:
    await store.consumers.resume(BILLING, 4)
    clock.advance(601)
    await store.consumers.resume(BILLING._replace(topic="c.d"), 0)
    store.consumers.taken(BILLING, 8)
    assert await store.consumers.resume(BILLING, 9) == 8


async def test_bytes_of_a_quiet_topic_are_free_again_when_its_events_are_too_old(clock: ManualClock) -> None:
    store = MemoryStore(clock, Retention(total_bytes=1_000, age_s=60))
    await store.events.append("acme", "quiet.one", Draft("e", size=800), None)
    with pytest.raises(MigFault, match="bytes"):
        await store.events.append("acme", "busy.one", Draft("e", size=800), None)
    clock.advance(61)
    for _ in range(2):
        await store.events.append("acme", "busy.one", Draft("e", at=clock.now()), None)
    await store.events.append("acme", "busy.one", Draft("e", size=800, at=clock.now()), None)


async def test_an_idempotency_record_lasts_for_its_window_and_is_its_tenants_own(
    store: Store, clock: ManualClock
) -> None:
    record = IdempotencyRecord(b"digest", {"answer": 1})
    await store.idempotency.put("acme", "cap", "k", record, 60)
    assert await store.idempotency.get("acme", "cap", "k") == record
    assert await store.idempotency.get("umbrella", "cap", "k") is None
    assert await store.idempotency.get("acme", "other", "k") is None
    clock.advance(61)
    assert await store.idempotency.get("acme", "cap", "k") is None


async def test_idempotency_records_are_limited_oldest_first(store: Store) -> None:
    for number in range(4):
        await store.idempotency.put("acme", "cap", f"k{number}", IdempotencyRecord(b"", {}), 60)
    assert await store.idempotency.get("acme", "cap", "k0") is None
    assert await store.idempotency.get("acme", "cap", "k3") is not None


async def test_a_tombstone_lasts_for_its_window_and_is_its_tenants_own(
    store: Store, clock: ManualClock
) -> None:
    await store.tombstones.put("acme", "m", "why", 60)
    assert store.tombstones.reason("acme", "m") == "why"
    assert store.tombstones.reason("umbrella", "m") is None
    clock.advance(61)
    assert store.tombstones.reason("acme", "m") is None


async def test_tombstones_are_limited_oldest_first(store: Store) -> None:
    for number in range(4):
        await store.tombstones.put("acme", f"m{number}", "why", 60)
    assert [store.tombstones.reason("acme", f"m{number}") for number in range(4)] == [None, *["why"] * 3]


async def test_registered_capabilities_and_schemas_are_given_back_the_latest_of_each(store: Store) -> None:
    for version in ("1.0.0", "2.0.0"):
        descriptor = CapabilityDescriptor(id="a.b", version=version, modes=[InvocationMode.unary])
        await store.catalog.put_capability(descriptor)
        await store.catalog.put_schema("schema://a", {"title": version})
    assert [d.version for d in await store.catalog.capabilities()] == ["2.0.0"]
    assert await store.catalog.schemas() == {"schema://a": {"title": "2.0.0"}}


async def test_a_quota_gives_exactly_as_many_as_it_says(store: Store) -> None:
    assert store.quotas.limit("acme") is None
    await store.quotas.set_limit("acme", 2)
    assert [await store.quotas.debit("acme") for _ in range(3)] == [True, True, False]
    assert (store.quotas.limit("acme"), store.quotas.used("acme")) == (2, 2)
    await store.quotas.set_limit("acme", 3)
    assert [await store.quotas.debit("acme") for _ in range(2)] == [True, False]


async def test_a_quota_is_exact_however_many_take_of_it_at_once(store: Store) -> None:
    await store.quotas.set_limit("acme", 20)
    taken = await asyncio.gather(*(store.quotas.debit("acme") for _ in range(50)))
    assert (sum(taken), store.quotas.used("acme")) == (20, 20)


async def test_a_debit_that_is_cancelled_has_taken_nothing(store: Store) -> None:
    await store.quotas.set_limit("acme", 30)
    debits = [asyncio.create_task(store.quotas.debit("acme")) for _ in range(40)]
    await asyncio.sleep(0)
    for debit in debits[::2]:
        debit.cancel()
    ended = await asyncio.gather(*debits, return_exceptions=True)
    await store.quotas.set_limit("acme", 100)
    assert store.quotas.used("acme") == ended.count(True)
    assert await store.quotas.debit("acme")


async def test_a_debit_without_a_quota_is_not_counted(store: Store) -> None:
    assert await store.quotas.debit("acme")
    await store.quotas.set_limit("acme", 1)
    assert store.quotas.used("acme") == 0


async def test_quotas_are_limited_in_number(store: Store) -> None:
    await store.quotas.set_limit("a", 1)
    await store.quotas.set_limit("b", 1)
    with pytest.raises(MigFault):
        await store.quotas.set_limit("c", 1)
    await store.quotas.set_limit("a", 5)


async def test_usage_adds_up_and_stays_bounded(store: Store) -> None:
    for tenant in ("a", "a", "b", "c", "d"):
        store.usage.count(tenant, "cap")
    by_tenant = await store.usage.by_tenant()
    assert by_tenant == {"_other": 2, "a": 2, "b": 1}
    assert await store.usage.by_capability() == {"cap": 5}


async def test_audit_records_are_given_in_order_filtered_and_bounded(store: Store) -> None:
    for number, tenant in enumerate(("umbrella", "acme", "acme", "umbrella")):
        store.audit.append(record(str(number), tenant_id=tenant))
    assert await ids_of(store.audit) == ["1", "2", "3"]
    assert await ids_of(store.audit, tenant_id="acme") == ["1", "2"]
    assert await ids_of(store.audit, after=3) == ["3"]
    assert await ids_of(store.audit, after=99) == []


async def test_every_filter_of_the_audit_trail_holds_at_once(clock: ManualClock, tmp_path: Path) -> None:
    for name, made in SPACIOUS.items():
        store = made(clock, tmp_path)
        await store.open()
        wanted: dict[str, Any] = {
            "tenant_id": "acme",
            "capability": 'odd "quoted" é',
            "outcome": "MIG_FORBIDDEN",
            "actor": "bob",
            "operation": "STREAM",
        }
        store.audit.append(record("wanted", at=EPOCH + timedelta(seconds=5), **wanted))
        for field in wanted:
            other = wanted | {
                field: "other",
                "capability": wanted["capability"] if field != "capability" else "x",
            }
            store.audit.append(record(f"other-{field}", at=EPOCH + timedelta(seconds=5), **other))
        # In a row of its own each, where records are kept in rows.
        await store.audit.head()
        store.audit.append(record("exact", at=EPOCH + timedelta(seconds=5), **wanted))
        await store.audit.head()
        store.audit.append(record("early", at=EPOCH + timedelta(seconds=4), **wanted))
        await store.audit.head()
        store.audit.append(record("late", at=EPOCH + timedelta(seconds=6), **wanted))
        window: dict[str, Any] = {
            "since": EPOCH + timedelta(seconds=5),
            "until": EPOCH + timedelta(seconds=6),
        }
        assert await ids_of(store.audit, **wanted, **window) == ["wanted", "exact"], name
        assert await ids_of(store.audit, **wanted) == ["wanted", "exact", "early", "late"], name
        await store.close()


async def test_the_audit_trail_is_one_chain_whose_head_is_told(store: Store) -> None:
    assert await store.audit.head() == NO_LINE
    kept: list[bytes] = []
    for number in range(5):
        store.audit.append(record(str(number)))
        head = await store.audit.head()
        kept += await lines_of(store.audit, after=number)
        assert head == (number + 1, hash_of(kept[-1]))
    assert verified(kept).startswith("5 records, 1 to 5, ")
    # What retention has left begins in the middle, and is a chain nevertheless.
    assert verified(await lines_of(store.audit)).startswith(f"3 records, 3 to 5 after {hash_of(kept[1])}, ")


async def test_the_directory_keeps_the_first_of_an_id_and_is_limited(store: Store) -> None:
    directory = store.directory
    assert await directory.put_org(Org(id="o", name="one"))
    assert not await directory.put_org(Org(id="o", name="two"))
    assert await directory.put_tenant(Tenant(id="t", name="t", org_id="o"))
    assert await directory.put_gateway(
        GatewayRecord(id="g", tenant_id="t", region="eu", binding=BindingType.http)
    )
    assert (await directory.has_org("o"), await directory.has_org("x")) == (True, False)
    assert (await directory.has_tenant("t"), await directory.has_tenant("x")) == (True, False)
    await directory.put_org(Org(id="p", name="p"))
    with pytest.raises(MigFault):
        await directory.put_org(Org(id="q", name="q"))
