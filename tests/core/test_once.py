"""One execution per tenant, capability and idempotency key (protocol section 2, INVOKE)."""

from __future__ import annotations

import asyncio

import pytest

from mig_protocol.errors import MigFault
from mig_protocol.messages import InvokeResponse, MigErrorCode
from migd.core.limits import Limits
from support.gateway_under_test import GatewayUnderTest, Scripted, calling, capability, settle


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
