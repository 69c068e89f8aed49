"""So many invocations at a time, for a tenant and for a capability (protocol section 2, INVOKE)."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from mig_protocol.errors import MigFault
from mig_protocol.messages import CancelRequest, MigErrorCode
from migd.core.limits import Allowance, Limits
from support.gateway_under_test import GatewayUnderTest, Scripted, calling, capability, settle

TWO_OF_A_TENANT = Limits(tenant=Allowance(concurrency=2))
EITHER_WAY = pytest.mark.parametrize("streamed", [False, True], ids=["unary", "streamed"])


def waiting() -> Scripted:
    """A provider whose invocations run until the test lets them end."""
    provider = Scripted()
    provider.waits = True
    return provider


@EITHER_WAY
async def test_no_more_of_a_tenant_run_than_may_even_when_all_come_at_once(streamed: bool) -> None:
    provider = waiting()
    async with GatewayUnderTest(capability(provider), limits=TWO_OF_A_TENANT) as under_test:
        tasks = [asyncio.create_task(under_test.outcome(streamed=streamed)) for _ in range(6)]
        theirs = asyncio.create_task(under_test.outcome(calling("umbrella"), streamed=True))
        await settle()
        assert len(provider.seen) == 3
        provider.release.set()
        outcomes = Counter(await asyncio.gather(*tasks))
        assert outcomes == {"": 2, "MIG_BACKPRESSURE": 4}
        assert await theirs == ""


async def test_no_more_of_a_capability_run_than_may_whoever_calls() -> None:
    provider = waiting()
    one = capability(provider, limits=Allowance(concurrency=1))
    async with GatewayUnderTest(one, capability(Scripted(), "test.other")) as under_test:
        first = asyncio.create_task(under_test.outcome())
        await provider.started.wait()
        with pytest.raises(MigFault) as caught:
            await under_test.invoke(call=calling("umbrella"))
        fault = caught.value
        assert (fault.code, fault.retryable, fault.retry_after_s) == (
            MigErrorCode.MIG_BACKPRESSURE,
            True,
            1.0,
        )
        assert fault.details == {"limit": 1, "scope": "capability", "retry_after_ms": 1000}
        assert await under_test.outcome(to="test.other") == ""
        provider.release.set()
        assert await first == ""


async def cancelled(under_test: GatewayUnderTest, task: asyncio.Task[str]) -> None:
    del task
    await under_test.gateway.cancel(calling(), CancelRequest(target_message_id="m-1"))


async def expired(under_test: GatewayUnderTest, task: asyncio.Task[str]) -> None:
    del task
    under_test.clock.advance(60)


async def gone(under_test: GatewayUnderTest, task: asyncio.Task[str]) -> None:
    del under_test
    task.cancel()


async def failed(under_test: GatewayUnderTest, task: asyncio.Task[str]) -> None:
    del task
    under_test.provider.error = RuntimeError("broken")
    under_test.provider.release.set()


@EITHER_WAY
@pytest.mark.parametrize("end", [cancelled, expired, gone, failed])
async def test_a_place_is_free_again_however_the_invocation_ended(end: Any, streamed: bool) -> None:
    limits = Limits(tenant=Allowance(concurrency=1))
    async with GatewayUnderTest(limits=limits) as under_test:
        provider = under_test.provider
        provider.waits = True
        first = asyncio.create_task(under_test.outcome(streamed=streamed, message_id="m-1"))
        await provider.started.wait()
        assert await under_test.outcome() == "MIG_BACKPRESSURE"
        await end(under_test, first)
        (ended,) = await asyncio.gather(first, return_exceptions=True)
        assert ended != ""
        provider.waits = False
        assert await under_test.outcome() == ""


async def test_an_answer_that_is_given_again_needs_no_place() -> None:
    async with GatewayUnderTest(limits=Limits(tenant=Allowance(concurrency=1))) as under_test:
        await under_test.invoke(idempotency_key="k")
        under_test.provider.waits = True
        first = asyncio.create_task(under_test.outcome())
        await under_test.provider.started.wait()
        assert await under_test.outcome(idempotency_key="k") == ""
        assert await under_test.outcome() == "MIG_BACKPRESSURE"
        under_test.provider.release.set()
        await first


async def test_the_rate_is_refused_before_the_place() -> None:
    limits = Limits(tenant=Allowance(rate_per_s=1.0, concurrency=1))
    async with GatewayUnderTest(limits=limits) as under_test:
        under_test.provider.waits = True
        first = asyncio.create_task(under_test.outcome())
        await under_test.provider.started.wait()
        assert await under_test.outcome() == "MIG_RATE_LIMITED"
        under_test.clock.advance(1)
        assert await under_test.outcome() == "MIG_BACKPRESSURE"
        under_test.provider.release.set()
        await first


async def test_no_more_callers_wait_for_an_idempotent_answer_than_may_run() -> None:
    async with GatewayUnderTest(limits=Limits(max_concurrent_invocations=3)) as under_test:
        under_test.provider.waits = True
        first = asyncio.create_task(under_test.outcome(idempotency_key="k"))
        await under_test.provider.started.wait()
        others = [asyncio.create_task(under_test.outcome(idempotency_key="k")) for _ in range(5)]
        await settle()
        under_test.provider.release.set()
        assert await first == ""
        assert Counter(await asyncio.gather(*others)) == {"": 3, "MIG_BACKPRESSURE": 2}


async def test_the_quota_and_the_usage_add_up_to_what_ran() -> None:
    """Successes, failures, cancelled and streamed ones; and none that was refused or given again."""
    async with GatewayUnderTest(limits=Limits(max_concurrent_invocations=3)) as under_test:
        await under_test.store.quotas.set_limit("acme", 100)
        provider = under_test.provider
        assert [await under_test.outcome(streamed=s) for s in (False, True)] == ["", ""]
        provider.error = RuntimeError("broken")
        assert await under_test.outcome() == "MIG_INTERNAL"
        assert [await under_test.outcome(idempotency_key="k") for _ in range(3)] == [""] * 3
        provider.down = "away"
        assert [await under_test.outcome(streamed=s) for s in (False, True)] == ["MIG_UNAVAILABLE"] * 2
        provider.down = ""
        provider.waits = True
        tasks = [
            asyncio.create_task(under_test.outcome(streamed=n % 2 == 0, message_id=f"m-{n}"))
            for n in range(8)
        ]
        await provider.started.wait()
        await settle()
        await under_test.gateway.cancel(
            calling(), CancelRequest(target_message_id=provider.seen[-1].message_id)
        )
        provider.release.set()
        outcomes = Counter(await asyncio.gather(*tasks))
        assert outcomes == {"": 2, "MIG_TIMEOUT": 1, "MIG_BACKPRESSURE": 5}
        usage = await under_test.gateway.administration.usage()
        ran = len(provider.seen)
        assert usage.total_invocations == ran == under_test.store.quotas.used("acme") == 7
        assert usage.capability_invocations == {"test.scripted": ran}
