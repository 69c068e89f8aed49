"""Publishers and subscribers in any order: ordered, unique, resumable, each tenant's own, every gap told.

The model is a plain list of payloads for each tenant. What a subscriber was given, gaps included, must be
exactly the run of sequences from its cursor on.
"""

from __future__ import annotations

import asyncio
import json
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
from migd.core.subscription import Subscription
from migd.stores.retention import Retention
from support.gateway_under_test import GatewayUnderTest, calling

RETAINED = 6
TENANTS = st.sampled_from(["acme", "umbrella"])


class Reader:
    """A subscription and what it must be given next."""

    def __init__(self, tenant: str, subscription: Subscription, position: int, head: int) -> None:
        self.tenant = tenant
        self.subscription = subscription
        self.position = position
        self.head = head


class EventsMachine(RuleBasedStateMachine):
    readers: Bundle[Reader] = Bundle("readers")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.logs: dict[str, list[int]] = {"acme": [], "umbrella": []}
        self.keys: dict[tuple[str, str], int] = {}

    @initialize()
    def start(self) -> None:
        self.under_test = GatewayUnderTest(retention=Retention(events=RETAINED))
        self.loop.run_until_complete(self.under_test.__aenter__())

    def teardown(self) -> None:
        self.loop.close()

    @rule(tenant=TENANTS, value=st.integers(0, 99), count=st.integers(1, 4))
    def publish(self, tenant: str, value: int, count: int) -> None:
        for _ in range(count):
            ack = self._publish(tenant, value)
            self.logs[tenant].append(value)
            assert ack.sequence == len(self.logs[tenant])

    @rule(tenant=TENANTS, value=st.integers(0, 99), key=st.sampled_from(["k1", "k2"]))
    def publish_once(self, tenant: str, value: int, key: str) -> None:
        ack = self._publish(tenant, value, idempotency_key=key)
        known = self.keys.get((tenant, key), 0)
        if known > len(self.logs[tenant]) - RETAINED and known:
            assert ack.sequence == known
            return
        self.logs[tenant].append(value)
        self.keys[tenant, key] = len(self.logs[tenant])
        assert ack.sequence == len(self.logs[tenant])

    @rule(target=readers, tenant=TENANTS, cursor=st.none() | st.integers(0, 12), batch=st.integers(0, 3))
    def subscribe(self, tenant: str, cursor: int | None, batch: int) -> Reader:
        request = SubscribeRequest(topic="t.t", max_inflight=batch)
        if cursor is not None:
            request.resume_cursor = str(cursor)
        subscription = self._await(
            self.under_test.gateway.subscribe(calling(tenant), request, ConnectionKind.sse_subscribe)
        )
        head = len(self.logs[tenant])
        return Reader(tenant, subscription, head if cursor is None else min(cursor, head), head)

    @rule(reader=readers)
    def read(self, reader: Reader) -> None:
        log = self.logs[reader.tenant]
        if reader.position >= len(log):
            return
        first_retained = max(1, len(log) - RETAINED + 1)
        batch = self._await(reader.subscription.next())
        if reader.position + 1 < first_retained:
            assert isinstance(batch, GapNotice)
            assert (batch.from_sequence, batch.to_sequence) == (reader.position + 1, first_retained - 1)
            reader.position = batch.to_sequence
            return
        assert batch
        assert not isinstance(batch, GapNotice)
        for stored in batch:
            event = json.loads(stored.json(replay=stored.sequence <= reader.subscription.head))
            reader.position += 1
            assert event["sequence"] == reader.position
            assert event["payload"] == {"value": log[reader.position - 1]}
            assert event["replay"] is (reader.position <= reader.head)

    @rule(reader=readers)
    def resume(self, reader: Reader) -> None:
        """Drop the connection and come back with the cursor of what was read."""
        reader.subscription.close()
        request = SubscribeRequest(topic="t.t", resume_cursor=str(reader.position))
        reader.subscription = self._await(
            self.under_test.gateway.subscribe(calling(reader.tenant), request, ConnectionKind.sse_subscribe)
        )
        reader.head = len(self.logs[reader.tenant])

    @invariant()
    def logs_are_bounded(self) -> None:
        for tenant in self.logs:
            kept = self._await(self.under_test.store.events.read(tenant, "t.t", 0, 1000))
            assert len(kept) <= RETAINED

    def _publish(self, tenant: str, value: int, **header: Any) -> Any:
        request = PublishRequest(topic="t.t", payload={"value": value}, header=RequestHeader(**header))
        return self._await(self.under_test.gateway.publish(calling(tenant), request))

    def _await(self, awaitable: Any) -> Any:
        return self.loop.run_until_complete(awaitable)


TestEvents = EventsMachine.TestCase
TestEvents.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
