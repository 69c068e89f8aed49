"""One execution per tenant, capability and idempotency key (protocol section 2, INVOKE)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mig_protocol.errors import MigFault
from mig_protocol.messages import CancelRequest, InvokeResponse, MigErrorCode
from migd.core.limits import Limits
from migd.core.once import Once
from migd.core.ports import IdempotencyRecord
from migd.core.provider import JsonObject
from migd.stores.memory import MemoryIdempotency
from support.gateway_under_test import GatewayUnderTest, Scripted, calling, capability, settle
from support.manual_clock import ManualClock

Stop = Callable[[GatewayUnderTest, asyncio.Task[InvokeResponse]], Awaitable[object]]
KEY = ("acme", "test.scripted", "k")


class HeldIdempotency(MemoryIdempotency):
    """A store that takes its time, and can fail."""

    def __init__(self) -> None:
        super().__init__(ManualClock(), 10)
        self.reached = asyncio.Event()
        self.release = asyncio.Event()
        self.fault: MigFault | None = None

    async def put(
        self, tenant_id: str, capability: str, key: str, record: IdempotencyRecord, window_s: float
    ) -> None:
        self.reached.set()
        await self.release.wait()
        fault, self.fault = self.fault, None
        if fault is not None:
            raise fault
        await super().put(tenant_id, capability, key, record, window_s)


class Counted:
    """Work whose every run answers something else."""

    def __init__(self) -> None:
        self.runs = 0

    async def execute(self) -> JsonObject:
        self.runs += 1
        return {"run": self.runs}


async def cancelled_by_another(under_test: GatewayUnderTest, _: asyncio.Task[InvokeResponse]) -> None:
    ack = await under_test.gateway.cancel(calling(), CancelRequest(target_message_id="first"))
    assert ack.accepted


async def hung_up(_: GatewayUnderTest, task: asyncio.Task[InvokeResponse]) -> None:
    task.cancel()


async def too_late(under_test: GatewayUnderTest, _: asyncio.Task[InvokeResponse]) -> None:
    under_test.clock.advance(0.2)


def replayed(response: InvokeResponse) -> bool:
    return bool((response.header.meta or {}).get("mig.idempotent_replay", False))


async def test_the_first_success_is_given_again_without_running() -> None:
    async with GatewayUnderTest() as under_test:
        first = await under_test.invoke({"a": 1, "b": 2}, idempotency_key="k", message_id="m-1")
        under_test.provider.answer = {"other": True}
        second = await under_test.invoke({"b": 2, "a": 1}, idempotency_key="k", message_id="m-2")
        assert (first.payload, replayed(first)) == ({"done": True}, False)
        assert (second.payload, replayed(second)) == ({"done": True}, True)
        assert second.header.message_id == "m-2"
        assert under_test.provider.seen[0].idempotency_key == "k"
        assert len(under_test.provider.seen) == 1
        assert await under_test.store.usage.by_tenant() == {"acme": 1}


async def test_callers_that_come_while_the_first_runs_wait_for_its_answer() -> None:
    async with GatewayUnderTest() as under_test:
        under_test.provider.waits = True
        tasks = [asyncio.create_task(under_test.invoke({"n": 1}, idempotency_key="k")) for _ in range(5)]
        await under_test.provider.started.wait()
        await settle()
        under_test.provider.release.set()
        answers = await asyncio.gather(*tasks)
        assert [a.payload for a in answers] == [{"done": True}] * 5
        assert sorted(replayed(a) for a in answers) == [False, True, True, True, True]
        assert len(under_test.provider.seen) == 1


async def test_the_same_key_with_another_payload_is_refused_running_or_done() -> None:
    async with GatewayUnderTest() as under_test:
        under_test.provider.waits = True
        first = asyncio.create_task(under_test.invoke({"n": 1}, idempotency_key="k"))
        await under_test.provider.started.wait()
        with pytest.raises(MigFault) as running:
            await under_test.invoke({"n": 2}, idempotency_key="k")
        under_test.provider.release.set()
        await first
        with pytest.raises(MigFault) as done:
            await under_test.invoke({"n": 2}, idempotency_key="k")
        assert running.value.code is done.value.code is MigErrorCode.MIG_INVALID_REQUEST


async def test_a_failure_is_not_kept_and_the_next_that_waited_runs() -> None:
    async with GatewayUnderTest() as under_test:
        under_test.provider.waits = True
        under_test.provider.error = MigFault(MigErrorCode.MIG_UNAVAILABLE, "down")
        first = asyncio.create_task(under_test.invoke(idempotency_key="k"))
        await under_test.provider.started.wait()
        second = asyncio.create_task(under_test.invoke(idempotency_key="k"))
        await settle()
        under_test.provider.release.set()
        with pytest.raises(MigFault, match="down"):
            await first
        assert (await second).payload == {"done": True}
        assert not replayed(await second)


async def test_a_waiting_caller_keeps_its_own_deadline() -> None:
    async with GatewayUnderTest() as under_test:
        under_test.provider.waits = True
        first = asyncio.create_task(under_test.invoke(idempotency_key="k", deadline_ms=10_000))
        await under_test.provider.started.wait()
        second = asyncio.create_task(under_test.invoke(idempotency_key="k", deadline_ms=100))
        await settle()
        under_test.clock.advance(0.2)
        with pytest.raises(MigFault) as caught:
            await second
        assert caught.value.code is MigErrorCode.MIG_TIMEOUT
        under_test.provider.release.set()
        assert (await first).payload == {"done": True}


@pytest.mark.parametrize("stop", [cancelled_by_another, hung_up, too_late])
async def test_when_the_first_is_stopped_one_of_those_that_waited_runs_and_the_rest_get_its_answer(
    stop: Stop,
) -> None:
    async with GatewayUnderTest() as under_test:
        provider = under_test.provider
        provider.waits = True
        first = asyncio.create_task(
            under_test.invoke(idempotency_key="k", message_id="first", deadline_ms=100)
        )
        await provider.started.wait()
        waiting = [asyncio.create_task(under_test.invoke(idempotency_key="k")) for _ in range(4)]
        await settle()
        await stop(under_test, first)
        with pytest.raises((MigFault, asyncio.CancelledError)):
            await first
        assert provider.stopped.is_set()
        provider.release.set()
        answers = await asyncio.gather(*waiting)
        assert [answer.payload for answer in answers] == [{"done": True}] * 4
        assert sorted(map(replayed, answers)) == [False, True, True, True]
        assert len(provider.seen) == 2


async def test_a_waiting_caller_that_leaves_takes_nobody_with_it() -> None:
    async with GatewayUnderTest() as under_test:
        under_test.provider.waits = True
        first = asyncio.create_task(under_test.invoke(idempotency_key="k"))
        await under_test.provider.started.wait()
        leaving, staying = (asyncio.create_task(under_test.invoke(idempotency_key="k")) for _ in range(2))
        await settle()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        under_test.provider.release.set()
        assert (await first).payload == (await staying).payload == {"done": True}
        assert len(under_test.provider.seen) == 1


async def test_a_caller_that_is_stopped_while_its_success_is_written_lets_nobody_run_it_again() -> None:
    store, work = HeldIdempotency(), Counted()
    once = Once(store, Limits())
    stopped = asyncio.create_task(once.run(KEY, {}, work.execute))
    await store.reached.wait()
    waiting = asyncio.create_task(once.run(KEY, {}, work.execute))
    await settle()
    stopped.cancel()
    await settle()
    assert stopped.cancelled()
    store.release.set()
    assert await waiting == ({"run": 1}, True)


async def test_a_success_that_can_not_be_kept_is_not_given_and_runs_again() -> None:
    store, work = HeldIdempotency(), Counted()
    store.release.set()
    store.fault = MigFault(MigErrorCode.MIG_UNAVAILABLE, "the disk is full")
    once = Once(store, Limits())
    with pytest.raises(MigFault, match="the disk is full"):
        await once.run(KEY, {}, work.execute)
    assert await once.run(KEY, {}, work.execute) == ({"run": 2}, False)
    assert await once.run(KEY, {}, work.execute) == ({"run": 2}, True)


async def test_no_more_callers_wait_for_an_answer_than_may() -> None:
    async with GatewayUnderTest(limits=Limits(max_concurrent_invocations=3)) as under_test:
        under_test.provider.waits = True
        tasks = [asyncio.create_task(under_test.invoke(idempotency_key="k")) for _ in range(4)]
        await under_test.provider.started.wait()
        await settle()
        with pytest.raises(MigFault) as caught:
            await under_test.invoke(idempotency_key="k")
        assert caught.value.code is MigErrorCode.MIG_BACKPRESSURE
        under_test.provider.release.set()
        assert sorted(map(replayed, await asyncio.gather(*tasks))) == [False, True, True, True]
        assert len(under_test.provider.seen) == 1


async def test_those_that_wait_for_an_answer_take_nothing_from_the_quota() -> None:
    async with GatewayUnderTest() as under_test:
        await under_test.store.quotas.set_limit("acme", 2)
        under_test.provider.waits = True
        tasks = [asyncio.create_task(under_test.invoke(idempotency_key="k")) for _ in range(5)]
        await under_test.provider.started.wait()
        await settle()
        under_test.provider.release.set()
        await asyncio.gather(*tasks)
        assert under_test.store.quotas.used("acme") == 1


async def test_keys_are_per_tenant_and_capability_and_last_for_the_window() -> None:
    one = Scripted()
    both = (capability(one), capability(one, "test.other"))
    async with GatewayUnderTest(*both, limits=Limits(idempotency_window_s=60)) as under_test:
        await under_test.invoke(idempotency_key="k")
        await under_test.invoke(idempotency_key="k", call=calling("umbrella"))
        await under_test.invoke(idempotency_key="k", to="test.other")
        assert len(one.seen) == 3
        under_test.clock.advance(61)
        await under_test.invoke(idempotency_key="k")
        assert len(one.seen) == 4


async def test_a_replay_takes_nothing_from_the_quota() -> None:
    async with GatewayUnderTest() as under_test:
        await under_test.store.quotas.set_limit("acme", 1)
        await under_test.invoke(idempotency_key="k")
        assert replayed(await under_test.invoke(idempotency_key="k"))
        with pytest.raises(MigFault) as caught:
            await under_test.invoke()
        assert caught.value.code is MigErrorCode.MIG_RATE_LIMITED
