"""What was acknowledged is there afterwards: after a close, and after a kill in the middle of the work."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mig_protocol.messages import (
    BindingType,
    CapabilityDescriptor,
    GatewayRecord,
    InvocationMode,
    Org,
    Tenant,
)
from migd.core.mirroring import Origin, Outgoing
from migd.core.ports import IdempotencyRecord
from migd.stores.retention import Retention
from support.audit_trail import ids_of, lines_of, record, verified
from support.manual_clock import ManualClock
from support.sqlite_stores import Draft, opened, publish, query, sequences

WORKER = Path(__file__).parent.parent / "support" / "sqlite_worker.py"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def test_a_closed_store_has_everything_when_it_is_opened_again(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock) as store:
        await publish(store, "first")
        await publish(store, "second", key="k")
        await store.idempotency.put("acme", "cap", "k", IdempotencyRecord(b"digest", {"answer": 1}), 60)
        await store.tombstones.put("acme", "m", "why", 60)
        descriptor = CapabilityDescriptor(id="a.b", version="1.0.0", modes=[InvocationMode.unary])
        await store.catalog.put_capability(descriptor)
        await store.catalog.put_schema("schema://a", {"title": "a"})
        await store.quotas.set_limit("acme", 5)
        assert [await store.quotas.debit("acme") for _ in range(2)] == [True, True]
        for _ in range(3):
            store.usage.count("acme", "cap")
        store.audit.append(record("1"))
        audited = await lines_of(store.audit)
        await store.directory.put_org(Org(id="o", name="o"))
        await store.directory.put_tenant(Tenant(id="t", name="t", org_id="o"))
        await store.directory.put_gateway(
            GatewayRecord(id="g", tenant_id="t", region="eu", binding=BindingType.http)
        )
    async with opened(tmp_path, clock) as store:
        assert await sequences(store) == [1, 2]
        assert await store.idempotency.get("acme", "cap", "k") == IdempotencyRecord(b"digest", {"answer": 1})
        assert store.tombstones.reason("acme", "m") == "why"
        assert await store.catalog.capabilities() == [descriptor]
        assert await store.catalog.schemas() == {"schema://a": {"title": "a"}}
        assert (store.quotas.limit("acme"), store.quotas.used("acme")) == (5, 2)
        assert [await store.quotas.debit("acme") for _ in range(4)] == [True, True, True, False]
        assert await store.usage.by_tenant() == {"acme": 3}
        assert len(audited) == 1
        assert await lines_of(store.audit) == audited
        assert not await store.directory.put_org(Org(id="o", name="another"))
        assert await store.directory.has_tenant("t")


async def test_windows_are_not_lengthened_by_a_restart_and_expired_rows_go(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock) as store:
        for number in range(600):
            await store.idempotency.put("acme", "cap", f"k{number}", IdempotencyRecord(b"", {}), 60)
            await store.tombstones.put("acme", f"m{number}", "", 60)
        await store.idempotency.put("acme", "cap", "long", IdempotencyRecord(b"", {}), 3600)
        await store.tombstones.put("acme", "long", "", 3600)
    clock.advance(40)
    async with opened(tmp_path, clock) as store:
        assert await store.idempotency.get("acme", "cap", "k0") is not None
        assert store.tombstones.reason("acme", "m0") == ""
        clock.advance(21)
        assert await store.idempotency.get("acme", "cap", "k0") is None
        assert store.tombstones.reason("acme", "m0") is None
        for table in ("idempotency", "tombstones"):
            while query(tmp_path, f"SELECT count(*) FROM {table}") != [(1,)]:
                await store.quotas.set_limit("acme", 1)
        assert await store.idempotency.get("acme", "cap", "long") is not None


async def test_bounds_on_records_hold_over_restarts(tmp_path: Path, clock: ManualClock) -> None:
    kept = Retention(idempotency_records=3, tombstones=3)
    for run in range(3):
        async with opened(tmp_path, clock, kept) as store:
            for number in range(2):
                name = f"{run}-{number}"
                await store.idempotency.put("acme", "cap", name, IdempotencyRecord(b"", {}), 60)
                await store.tombstones.put("acme", name, "", 60)
    for table in ("idempotency", "tombstones"):
        assert query(tmp_path, f"SELECT count(*) FROM {table}") == [(3,)]
    async with opened(tmp_path, clock, kept) as store:
        assert await store.idempotency.get("acme", "cap", "1-0") is None
        assert await store.idempotency.get("acme", "cap", "1-1") is not None
        assert store.tombstones.reason("acme", "1-1") == ""


@pytest.mark.parametrize("acknowledged", [1, 150, 1500])
async def test_what_was_acknowledged_survives_a_kill(
    tmp_path: Path, clock: ManualClock, acknowledged: int
) -> None:
    acks = killed_after(tmp_path, acknowledged)
    published = {ack["sequence"]: ack["event_id"] for ack in acks if ack["kind"] == "event"}
    async with opened(tmp_path, clock) as store:
        events = await store.events.read("acme", "a.b", 0, 100_000)
        # Some were committed whose acknowledgement was not read any more: none before them is missing.
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert len({event.event_id for event in events}) == len(events)
        assert published.items() <= {event.sequence: event.event_id for event in events}.items()
        for event in events[-20:]:
            assert await publish(store, "again", key=f"key-{event.event_id}") == event.sequence
        debited = sum(ack["kind"] == "debit" for ack in acks)
        assert debited <= store.quotas.used("acme") <= 1000
        for ack in acks:
            if ack["kind"] == "answer":
                assert await store.idempotency.get("acme", "cap", ack["key"]) == IdempotencyRecord(
                    b"digest", {"answer": ack["key"]}
                )
        audited = await ids_of(store.audit)
        assert audited == [str(number) for number in range(1, len(audited) + 1)]
        # It goes on where it was, and it is still one chain.
        store.audit.append(record("after"))
        chained = await lines_of(store.audit)
        assert f", 1 to {len(audited) + 1}, " in verified(chained)
        assert query(tmp_path, "PRAGMA integrity_check") == [("ok",)]


async def test_a_quota_is_not_overspent_by_kill_after_kill(tmp_path: Path, clock: ManualClock) -> None:
    given = 0
    for _ in range(4):
        given += sum(ack["kind"] == "debit" for ack in killed_after(tmp_path, 600))
    async with opened(tmp_path, clock) as store:
        while await store.quotas.debit("acme"):
            given += 1
    assert given <= 1000


def killed_after(folder: Path, acknowledged: int) -> list[dict[str, Any]]:
    """Let a process work on the store, kill it after so many acknowledgements, and give all that it said."""
    worker = subprocess.Popen([sys.executable, str(WORKER), str(folder)], stdout=subprocess.PIPE, text=True)
    with worker:
        assert worker.stdout is not None
        said = [worker.stdout.readline() for _ in range(acknowledged)]
        worker.kill()
        said += worker.stdout.readlines()
    # The last line may be torn by the kill: nobody was told.
    return [json.loads(line) for line in said if line.endswith("\n")]


async def test_what_was_mirrored_and_taken_is_known_after_a_restart(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock) as store:
        log = store.mirror.log
        await publish(store, "before the first mirroring")
        await store.mirror.begin()
        await publish(store, "owed")
        await store.events.take("acme", "a.b", Draft("theirs"), Origin("there", 4, 0))
        await store.mirror.skip("there", [], join=True)
    async with opened(tmp_path, clock) as store:
        await store.mirror.begin()
        assert store.mirror.log == log
        assert list(await store.mirror.outgoing(0, 9, owed=True)) == [Outgoing(1, "acme", "a.b", 2, 1)]
        assert (await store.events.take("acme", "a.b", Draft("theirs"), Origin("there", 4, 0))).event is None
        assert (await store.events.take("acme", "c.d", Draft("late"), Origin("there", 6, 5))).last == 0
        events = await store.events.read("acme", "a.b", 0, 9)
        assert [(event.log, event.previous) for event in events] == [(None, 0), (None, 1), ("there", 0)]


async def test_an_event_that_was_not_committed_is_not_regarded_as_taken(
    tmp_path: Path, clock: ManualClock
) -> None:
    async with opened(tmp_path, clock) as store:
        await store.events.take("acme", "a.b", Draft("first"), Origin("there", 1, 0))
        with closing(sqlite3.connect(tmp_path / "migd.sqlite3")) as other:
            other.execute("CREATE TRIGGER no BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no'); END")
            with pytest.raises(sqlite3.IntegrityError):
                await store.events.take("acme", "a.b", Draft("second"), Origin("there", 2, 1))
            other.execute("DROP TRIGGER no")
        assert await store.mirror.last_taken("there", "acme", "a.b") == 1
        taken = await store.events.take("acme", "a.b", Draft("second"), Origin("there", 2, 1))
        assert taken.event is not None
        assert taken.event.sequence == 2
