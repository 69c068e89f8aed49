"""An invocation ends once, for one reason, and what stops it stops its work (protocol section 2)."""

from __future__ import annotations

import asyncio

import pytest

from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    CancelRequest,
    CancelStatus,
    HeartbeatRequest,
    InvokeResponse,
    MigErrorCode,
    RequestHeader,
)
from migd.core.call import Call
from migd.core.invocation import TRANSITIONS, Event, State
from migd.core.limits import Limits
from support.gateway_under_test import GatewayUnderTest, calling, settle


async def cancel(
    under_test: GatewayUnderTest, target: str, call: Call | None = None, reason: str = ""
) -> CancelStatus:
    ack = await under_test.gateway.cancel(
        call or calling(), CancelRequest(target_message_id=target, reason=reason, header=RequestHeader())
    )
    assert ack.accepted is (ack.status is not CancelStatus.completed)
    return CancelStatus(ack.status)


async def running(under_test: GatewayUnderTest, **header: object) -> asyncio.Task[InvokeResponse]:
    under_test.provider.waits = True
    task = asyncio.create_task(under_test.invoke(**header))  # type: ignore[arg-type]
    await under_test.provider.started.wait()
    return task


def test_every_state_but_running_is_final() -> None:
    assert {state for state, _ in TRANSITIONS} == {State.RUNNING}
    assert {event for _, event in TRANSITIONS} == set(Event)


async def test_the_deadline_stops_the_work_and_is_a_retryable_timeout() -> None:
    async with GatewayUnderTest() as under_test:
        task = await running(under_test, deadline_ms=250)
        under_test.clock.advance(0.249)
        await settle()
        assert not task.done()
        under_test.clock.advance(0.002)
        with pytest.raises(MigFault) as caught:
            await task
        assert (caught.value.code, caught.value.retryable) == (MigErrorCode.MIG_TIMEOUT, True)
        assert under_test.provider.stopped.is_set()
        assert [r.outcome for r in under_test.audit.records] == ["MIG_TIMEOUT"]


async def test_cancel_stops_running_work_with_its_reason_and_only_once() -> None:
    async with GatewayUnderTest() as under_test:
        task = await running(under_test, message_id="m-1")
        assert await cancel(under_test, "m-1", reason="changed my mind") is CancelStatus.cancelled
        with pytest.raises(MigFault) as caught:
            await task
        assert caught.value.code is MigErrorCode.MIG_TIMEOUT
        assert caught.value.retryable is False
        assert caught.value.details == {"cancelled": True, "reason": "changed my mind"}
        assert under_test.provider.stopped.is_set()
        assert await cancel(under_test, "m-1") is CancelStatus.completed


async def test_cancel_of_another_tenants_work_does_not_reach_it() -> None:
    async with GatewayUnderTest() as under_test:
        task = await running(under_test, message_id="m-1")
        assert await cancel(under_test, "m-1", calling("umbrella")) is CancelStatus.pending
        await settle()
        assert not task.done()
        under_test.provider.release.set()
        assert (await task).payload == {"done": True}


async def test_cancel_before_the_message_refuses_it_within_the_window_only() -> None:
    async with GatewayUnderTest(limits=Limits(cancel_window_s=60)) as under_test:
        assert await cancel(under_test, "m-1", reason="early") is CancelStatus.pending
        with pytest.raises(MigFault) as caught:
            await under_test.invoke(message_id="m-1")
        assert caught.value.details == {"cancelled": True, "reason": "early"}
        under_test.clock.advance(61)
        assert (await under_test.invoke(message_id="m-1")).payload == {"done": True}


async def test_cancel_after_the_answer_is_too_late() -> None:
    async with GatewayUnderTest() as under_test:
        await under_test.invoke(message_id="m-1")
        assert await cancel(under_test, "m-1") is CancelStatus.completed


async def test_only_the_latest_that_are_over_are_remembered() -> None:
    async with GatewayUnderTest(limits=Limits(completed_remembered=2)) as under_test:
        for number in range(4):
            await under_test.outcome(message_id=f"m-{number}", streamed=number % 2 == 0)
        seen = [await cancel(under_test, f"m-{number}") for number in range(4)]
    assert seen == [CancelStatus.pending] * 2 + [CancelStatus.completed] * 2


async def test_a_caller_that_goes_away_takes_its_work_with_it() -> None:
    async with GatewayUnderTest() as under_test:
        task = await running(under_test, message_id="m-1")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert under_test.provider.stopped.is_set()
        assert await cancel(under_test, "m-1") is CancelStatus.completed
        assert [r.outcome for r in under_test.audit.records] == ["MIG_TIMEOUT"]


async def test_draining_lets_work_finish_then_fails_it_and_takes_nothing_new() -> None:
    async with GatewayUnderTest() as under_test:
        task = await running(under_test)
        await under_test.gateway.drain(0)
        with pytest.raises(MigFault) as caught:
            await task
        assert caught.value.code is MigErrorCode.MIG_UNAVAILABLE
        with pytest.raises(MigFault, match="going down"):
            await under_test.invoke()
        assert under_test.gateway.readiness().reasons == ["the gateway is going down"]


async def test_work_that_ends_within_the_grace_is_answered() -> None:
    async with GatewayUnderTest() as under_test:
        task = await running(under_test)
        draining = asyncio.create_task(under_test.gateway.drain(60))
        await settle()
        under_test.provider.release.set()
        assert (await task).payload == {"done": True}
        await draining


async def test_nothing_is_left_set_or_in_flight_after_an_invocation() -> None:
    async with GatewayUnderTest() as under_test:
        task = await running(under_test)
        under_test.provider.release.set()
        await task
        assert under_test.clock.pending == 0
        assert under_test.gateway.heartbeat(calling(), HeartbeatRequest()).load_factor == 0
