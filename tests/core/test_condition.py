"""How a gateway says that it is: ready, conforming, how far behind; and that it says why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    ConformanceHealth,
    ConnectionKind,
    PublishRequest,
    RequestHeader,
    SubscribeRequest,
)
from migd.core.catalog import Capability
from migd.core.subscription import Lag
from migd.stores.sqlite import SqliteStore
from support.full_disk import no_room
from support.gateway_under_test import GatewayUnderTest, Scripted, calling, capability
from support.manual_clock import ManualClock

TOPIC = "orders.created"
ALL = ConformanceHealth(core=True, streaming=True, evented=True, full=True)
NONE = ConformanceHealth(core=False, streaming=False, evented=False, full=False)


async def publish(under_test: GatewayUnderTest, number: int = 1) -> None:
    for _ in range(number):
        request = PublishRequest(topic=TOPIC, payload={}, header=RequestHeader())
        await under_test.gateway.publish(calling("acme"), request)


async def test_a_reader_that_does_not_read_is_behind_by_what_it_has_not_got() -> None:
    async with GatewayUnderTest() as under_test:
        condition = under_test.gateway.condition
        await publish(under_test)
        slow, quick = [
            await under_test.gateway.subscribe(
                calling("acme"), SubscribeRequest(topic=TOPIC), ConnectionKind.sse_subscribe
            )
            for _ in range(2)
        ]
        assert condition.lag() == Lag(0, 0)

        await publish(under_test, 3)
        await quick.next()
        assert condition.lag() == Lag(3, 1)

        await slow.next()
        assert condition.lag() == Lag(0, 0)
        await publish(under_test)
        slow.close()
        quick.close()
        assert condition.lag() == Lag(0, 0)


async def test_a_reader_that_resumes_is_behind_by_what_is_to_be_replayed() -> None:
    async with GatewayUnderTest() as under_test:
        await publish(under_test, 5)
        resumed = SubscribeRequest(topic=TOPIC, resume_cursor="2")
        async with await under_test.gateway.subscribe(
            calling("acme"), resumed, ConnectionKind.sse_subscribe
        ) as reader:
            assert under_test.gateway.condition.lag() == Lag(3, 1)
            await reader.next()
            assert under_test.gateway.condition.lag() == Lag(0, 0)


async def test_a_provider_is_up_when_it_is_there_and_well() -> None:
    down = Scripted()
    down.down = "the model is loading"
    known: tuple[Capability, ...] = (
        capability(Scripted(), id="test.well"),
        capability(down, id="test.down"),
        capability(None, id="test.nothing"),
    )
    async with GatewayUnderTest(*known) as under_test:
        assert under_test.gateway.condition.providers() == {
            "test.well": True,
            "test.down": False,
            "test.nothing": False,
        }


async def test_a_gateway_that_goes_down_is_not_ready_and_serves_no_profile() -> None:
    async with GatewayUnderTest() as under_test:
        assert under_test.gateway.conformance_health() == ALL
        await under_test.gateway.drain(0)

        assert under_test.gateway.readiness().reasons == ["the gateway is going down"]
        assert under_test.gateway.conformance_health() == NONE
        assert under_test.gateway.liveness().reasons == []


async def test_an_audit_trail_that_must_be_written_and_can_not_be_is_a_reason() -> None:
    async with GatewayUnderTest(audit_on_failure="refuse") as under_test:
        under_test.audit.failure = "No space left on device"

        (reason,) = under_test.gateway.readiness().reasons
        assert reason == "the audit trail can not be written: No space left on device"
        assert under_test.gateway.conformance_health() == NONE


async def test_a_store_that_can_not_be_written_is_a_reason_and_takes_the_events_away(tmp_path: Path) -> None:
    clock = ManualClock()
    async with GatewayUnderTest(store=SqliteStore(tmp_path, clock), clock=clock) as under_test:
        with no_room(), pytest.raises(MigFault):
            await publish(under_test)

        (reason,) = under_test.gateway.readiness().reasons
        assert reason.startswith("store: ")
        assert under_test.gateway.conformance_health() == ConformanceHealth(
            core=True, streaming=True, evented=False, full=False
        )
        await publish(under_test)
        assert under_test.gateway.conformance_health() == ALL
