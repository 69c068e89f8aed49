"""Publishers and subscribers in any order: ordered, unique, resumable, each tenant's own, every gap told.

The model is a plain list of events for each tenant. What a subscriber was given, gaps included, must be
exactly the run of sequences from its cursor on, or from where its name left off; over sqlite also after
restarts and crashes.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from mig_protocol.messages import (
    ConnectionKind,
    GapNotice,
    PublishRequest,
    RequestHeader,
    SubscribeRequest,
)
from migd.core.ports import ConsumerName, Store, StoredEvent
from migd.core.subscription import Subscription
from migd.stores.memory import MemoryStore
from migd.stores.retention import Retention
from migd.stores.sqlite import SqliteStore
from support.gateway_under_test import GatewayUnderTest, calling, settle
from support.manual_clock import ManualClock

RETAINED = 6
AGE_S = 60
RETENTION = Retention(events=RETAINED, age_s=AGE_S)
TENANTS = st.sampled_from(["acme", "umbrella"])
VALUES = st.integers(0, 99)
CURSORS = st.none() | st.integers(0, 12)
BATCHES = st.integers(0, 3)


@dataclass(slots=True)
class Name:
    """A named consumer: what it has taken, and the least of it that is sure to survive a crash."""

    taken: int
    sure: int
    crashed: bool = False


@dataclass(slots=True)
class Reader:
    """A subscription and what it must be given next."""

    tenant: str
    consumer_id: str
    subscription: Subscription
    position: int
    head: int


class EventsMachine(RuleBasedStateMachine):
    readers: Bundle[Reader] = Bundle("readers")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = ManualClock()
        self.logs: dict[str, list[tuple[int, float]]] = {"acme": [], "umbrella": []}
        self.keys: dict[tuple[str, str], int] = {}
        self.names: dict[tuple[str, str], Name] = {}
        self.open: list[Reader] = []

    def store(self) -> Store:
        return MemoryStore(self.clock, RETENTION)

    @initialize()
    def start(self) -> None:
        self.under_test = GatewayUnderTest(clock=self.clock, store=self.store())
        self._await(self.under_test.__aenter__())

    def teardown(self) -> None:
        self._await(self.under_test.__aexit__())
        self.loop.close()

    @rule(tenant=TENANTS, value=VALUES, count=st.integers(1, 4))
    def publish(self, tenant: str, value: int, count: int) -> None:
        for _ in range(count):
            ack = self._await(self._publish(tenant, value))
            self._published(tenant, value)
            assert ack.sequence == len(self.logs[tenant])

    @rule(tenant=TENANTS, value=VALUES, key=st.sampled_from(["k1", "k2"]))
    def publish_once(self, tenant: str, value: int, key: str) -> None:
        known = self.keys.get((tenant, key), 0)
        retained = known >= self._first_retained(tenant) and known
        ack = self._await(self._publish(tenant, value, idempotency_key=key))
        if retained:
            assert ack.sequence == known
            return
        self._published(tenant, value)
        self.keys[tenant, key] = len(self.logs[tenant])
        assert ack.sequence == len(self.logs[tenant])

    @rule(seconds=st.sampled_from([1, 20, 50]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(target=readers, tenant=TENANTS, cursor=CURSORS, batch=BATCHES)
    def subscribe(self, tenant: str, cursor: int | None, batch: int) -> Reader:
        return self._new_reader(tenant, "", cursor, batch)

    @rule(
        target=readers, tenant=TENANTS, consumer_id=st.sampled_from(["c", "d"]), cursor=CURSORS, batch=BATCHES
    )
    def subscribe_by_name(self, tenant: str, consumer_id: str, cursor: int | None, batch: int) -> Reader:
        return self._new_reader(tenant, consumer_id, cursor, batch)

    @rule(reader=readers)
    def read(self, reader: Reader) -> None:
        if reader.position < len(self.logs[reader.tenant]):
            self._asked(reader)
            given = self._await(self._next(reader))
            self._given(reader, given, self._first_retained(reader.tenant))

    @rule(reader=readers, value=VALUES, count=st.integers(1, 9))
    def read_while_others_publish(self, reader: Reader, value: int, count: int) -> None:
        self._asked(reader)

        async def both() -> Any:
            publishing = [self._publish(reader.tenant, value) for _ in range(count)]
            return (await asyncio.gather(self._next(reader), *publishing))[0]

        given = self._await(both())
        for _ in range(count):
            self._published(reader.tenant, value)
        if isinstance(given, GapNotice):
            # Retention went on while it was read.
            assert given.from_sequence == reader.position + 1
            assert given.from_sequence <= given.to_sequence < self._first_retained(reader.tenant)
            reader.position = given.to_sequence
        else:
            self._given(reader, given, 0)

    @rule(reader=readers)
    def resume(self, reader: Reader) -> None:
        """Drop the connection and come back with the cursor of what was read."""
        reader.subscription.close()
        self._come(reader, reader.position, 0)

    @rule(reader=readers, takes=st.booleans())
    def return_by_name(self, reader: Reader, takes: bool) -> None:
        """Drop the connection, with what was given last on its way or taken, and come back by name."""
        if takes and reader.position == len(self.logs[reader.tenant]):
            self._asked(reader)
            self._await(self._ask_in_vain(reader.subscription))
        reader.subscription.close()
        self._come(reader, None, 0)

    @invariant()
    def logs_are_bounded(self) -> None:
        for tenant in self.logs:
            kept = self._await(self.under_test.store.events.read(tenant, "t.t", 0, 1000))
            assert len(kept) <= RETAINED

    # -- the model ---------------------------------------------------------------------------------

    def _new_reader(self, tenant: str, consumer_id: str, cursor: int | None, batch: int) -> Reader:
        reader = Reader(tenant, consumer_id, None, 0, 0)  # type: ignore[arg-type]
        self._come(reader, cursor, batch)
        self.open.append(reader)
        return reader

    def _come(self, reader: Reader, cursor: int | None, batch: int) -> None:
        request = SubscribeRequest(topic="t.t", max_inflight=batch)
        if reader.consumer_id:
            request.consumer_id = reader.consumer_id
        if cursor is not None:
            request.resume_cursor = str(cursor)
        subscribing = self.under_test.gateway.subscribe(
            calling(reader.tenant), request, ConnectionKind.sse_subscribe
        )
        reader.subscription = self._await(subscribing)
        head = len(self.logs[reader.tenant])
        reader.head = head
        reader.position = head if cursor is None else min(cursor, head)
        if reader.consumer_id:
            reader.position = self._named(reader, cursor)

    def _named(self, reader: Reader, cursor: int | None) -> int:
        name = self.names.get((reader.tenant, reader.consumer_id))
        if name is None or cursor is not None:
            name = self.names[reader.tenant, reader.consumer_id] = Name(reader.position, reader.position)
            return reader.position
        if name.crashed:
            kept = ConsumerName(reader.tenant, "t.t", reader.consumer_id)
            position = self._await(self.under_test.store.consumers.resume(kept, -1))
            assert name.sure <= position <= name.taken
            name.taken, name.crashed = position, False
        name.sure = name.taken
        return name.taken

    def _asked(self, reader: Reader) -> None:
        """The transport asks for more, and so has taken what it was given before."""
        if reader.consumer_id:
            name = self.names[reader.tenant, reader.consumer_id]
            name.taken = max(name.taken, reader.position)

    def _given(self, reader: Reader, batch: Any, first_retained: int) -> None:
        if reader.position + 1 < first_retained:
            assert isinstance(batch, GapNotice)
            assert (batch.from_sequence, batch.to_sequence) == (reader.position + 1, first_retained - 1)
            reader.position = batch.to_sequence
            return
        assert batch
        assert not isinstance(batch, GapNotice)
        for stored in batch:
            self._in_order(reader, stored)

    def _in_order(self, reader: Reader, stored: StoredEvent) -> None:
        event = json.loads(stored.json(replay=stored.sequence <= reader.subscription.head))
        reader.position += 1
        assert event["sequence"] == reader.position
        assert event["payload"] == {"value": self.logs[reader.tenant][reader.position - 1][0]}
        assert event["replay"] is (reader.position <= reader.head)

    def _first_retained(self, tenant: str) -> int:
        log = self.logs[tenant]
        oldest = self.clock.monotonic() - AGE_S
        young = sum(at >= oldest for _, at in log)
        return len(log) - min(young, RETAINED) + 1

    def _published(self, tenant: str, value: int) -> None:
        self.logs[tenant].append((value, self.clock.monotonic()))

    async def _publish(self, tenant: str, value: int, **header: Any) -> Any:
        request = PublishRequest(topic="t.t", payload={"value": value}, header=RequestHeader(**header))
        return await self.under_test.gateway.publish(calling(tenant), request)

    async def _next(self, reader: Reader) -> Any:
        # The bound is for a reader that is owed something and waits: a failure, and not a test that hangs.
        async with asyncio.timeout(2):
            return await reader.subscription.next()

    async def _ask_in_vain(self, subscription: Subscription) -> None:
        asking = asyncio.ensure_future(subscription.next())
        await settle()
        asking.cancel()
        await asyncio.wait([asking])

    def _await(self, awaitable: Any) -> Any:
        return self.loop.run_until_complete(awaitable)


class SqliteEventsMachine(EventsMachine):
    """The same over a file, which outlives the gateway."""

    def __init__(self) -> None:
        super().__init__()
        self.place = TemporaryDirectory(prefix="migd-events-")
        self.folder = Path(self.place.name) / "0"

    def store(self) -> Store:
        return SqliteStore(self.folder, self.clock, RETENTION, tail_bytes=2_000)

    def teardown(self) -> None:
        super().teardown()
        self.place.cleanup()

    @rule()
    def restart(self) -> None:
        self._await(self.under_test.__aexit__())
        self._come_back()

    @rule()
    def crash(self) -> None:
        """The file as a kill would leave it at this moment, and what is in the process gone."""
        fresh = self.folder.with_name(str(int(self.folder.name) + 1))
        shutil.copytree(self.folder, fresh)
        self._await(self.under_test.__aexit__())
        (fresh / "migd.lock").unlink()
        self.folder = fresh
        for name in self.names.values():
            name.crashed = True
        self._come_back()

    def _come_back(self) -> None:
        self.start()
        for reader in self.open:
            self._come(reader, None if reader.consumer_id else reader.position, 0)


TestEvents = EventsMachine.TestCase
TestEvents.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestSqliteEvents = SqliteEventsMachine.TestCase
TestSqliteEvents.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
