"""So many invocations a second, for a tenant and for a capability (protocol section 2, INVOKE)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.limits import Allowance, Limits
from migd.core.rates import TokenBucket
from migd.core.throttles import Throttles
from support.gateway_under_test import GatewayUnderTest, Scripted, calling, capability

THREE_A_SECOND = Limits(tenant=Allowance(rate_per_s=3.0))


async def refused(under_test: GatewayUnderTest, *args: Any, **kwargs: Any) -> MigFault:
    with pytest.raises(MigFault) as caught:
        await under_test.invoke(*args, **kwargs)
    return caught.value


@given(
    rate=st.floats(0.1, 1000),
    burst=st.integers(1, 20),
    pauses=st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
def test_no_stretch_of_time_has_more_than_its_burst_and_its_rate(
    rate: float, burst: int, pauses: list[float]
) -> None:
    bucket = TokenBucket(rate, burst)
    now = 1000.0
    taken: list[float] = []
    for pause in pauses:
        now += pause
        while bucket.wait_s(now) == 0.0:
            bucket.take(now)
            taken.append(now)
    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + rate * (taken[last] - start) + 0.01


@pytest.mark.parametrize("rate", [0.3, 1.0, 3.0, 7.0, 333.3])
async def test_whoever_waits_exactly_as_long_as_it_was_told_is_let_in(rate: float) -> None:
    limits = Limits(tenant=Allowance(rate_per_s=rate, burst=2))
    async with GatewayUnderTest(limits=limits) as under_test:
        under_test.clock.advance(12345.678)
        assert [await under_test.outcome() for _ in range(3)] == ["", "", "MIG_RATE_LIMITED"]
        for _ in range(50):
            fault = await refused(under_test)
            assert fault.retry_after_s is not None
            assert fault.retry_after_s == pytest.approx(1 / rate, abs=1e-4)
            under_test.clock.advance(fault.retry_after_s / 2)
            assert await under_test.outcome() == "MIG_RATE_LIMITED"
            under_test.clock.advance(fault.retry_after_s / 2)
            assert await under_test.outcome() == ""


async def test_the_refusal_says_what_the_limit_is_whose_and_when_to_come_back() -> None:
    one = capability(Scripted(), "test.one", limits=Allowance(rate_per_s=0.4))
    async with GatewayUnderTest(one, capability(Scripted()), limits=THREE_A_SECOND) as under_test:
        assert [await under_test.outcome() for _ in range(2)] == ["", ""]
        await under_test.invoke(to="test.one")
        tenant = await refused(under_test)
        theirs = await refused(under_test, to="test.one", call=calling("umbrella"))
    assert (tenant.code, tenant.retryable) == (MigErrorCode.MIG_RATE_LIMITED, True)
    assert tenant.details == {"limit": 3.0, "scope": "tenant", "retry_after_ms": 334}
    assert theirs.details == {"limit": 0.4, "scope": "capability", "retry_after_ms": 2500}


async def test_where_two_limits_are_met_the_longer_wait_is_told() -> None:
    slow = capability(Scripted(), limits=Allowance(rate_per_s=0.5))
    async with GatewayUnderTest(slow, limits=Limits(tenant=Allowance(rate_per_s=1.0))) as under_test:
        await under_test.invoke()
        assert (await refused(under_test)).retry_after_s == pytest.approx(2.0, abs=1e-4)


async def test_tenants_have_a_rate_each_and_some_their_own() -> None:
    limits = Limits(
        tenant=Allowance(rate_per_s=1.0, concurrency=9),
        tenants={
            "big": Allowance(rate_per_s=3.0),
            "free": Allowance(rate_per_s=0),
            "calm": Allowance(burst=5),
        },
    )
    async with GatewayUnderTest(limits=limits) as under_test:
        passed = {
            tenant: [await under_test.outcome(call=calling(tenant)) for _ in range(5)].count("")
            for tenant in ("acme", "umbrella", "big", "free", "calm")
        }
    assert passed == {"acme": 1, "umbrella": 1, "big": 3, "free": 5, "calm": 1}


async def test_streams_and_unary_invocations_have_one_rate() -> None:
    async with GatewayUnderTest(limits=THREE_A_SECOND) as under_test:
        outcomes = [await under_test.outcome(streamed=streamed) for streamed in (True, False, True, True)]
    assert outcomes == ["", "", "", "MIG_RATE_LIMITED"]


async def test_what_is_refused_takes_neither_a_token_nor_the_quota() -> None:
    provider = Scripted()
    limits = Limits(tenant=Allowance(rate_per_s=2.0, concurrency=1))
    async with GatewayUnderTest(capability(provider), limits=limits) as under_test:
        await under_test.store.quotas.set_limit("acme", 3)
        provider.down = "away"
        assert [await under_test.outcome() for _ in range(5)] == ["MIG_UNAVAILABLE"] * 5
        provider.down = ""
        provider.waits = True
        running = asyncio.create_task(under_test.invoke())
        await provider.started.wait()
        assert [await under_test.outcome() for _ in range(5)] == ["MIG_BACKPRESSURE"] * 5
        provider.release.set()
        await running
        provider.waits = False
        assert [await under_test.outcome() for _ in range(3)] == ["", "MIG_RATE_LIMITED", "MIG_RATE_LIMITED"]
        assert under_test.store.quotas.used("acme") == 2
        under_test.clock.advance(1)
        assert await under_test.outcome() == ""
        used_up = await refused(under_test)
        assert used_up.details == {"max_invocations": 3}
        assert await under_test.store.usage.by_tenant() == {"acme": 3}


async def test_an_answer_that_is_given_again_costs_no_token() -> None:
    async with GatewayUnderTest(limits=Limits(tenant=Allowance(rate_per_s=1.0))) as under_test:
        outcomes = [await under_test.outcome(idempotency_key="k") for _ in range(4)]
        assert outcomes == [""] * 4
        assert await under_test.outcome() == "MIG_RATE_LIMITED"


def made_up_tenants(allowance: Allowance, number: int, pause_s: float) -> int:
    """How many of them are remembered, one invocation each."""
    throttles = Throttles(allowance, {}, remembered=100)
    for count in range(number):
        now = count * pause_s
        for throttle in throttles.of(f"tenant-{count}", "a.b", None, now):
            throttle.take(now)
    return len(throttles)


@pytest.mark.parametrize(
    ("rate", "pause_s", "most"),
    [(10.0, 0.01, 25), (0.001, 0.01, 101), (10.0, 0.0, 101)],
    ids=["full again soon", "not for long", "all at once"],
)
def test_tenants_that_callers_make_up_are_not_remembered_for_long(
    rate: float, pause_s: float, most: int
) -> None:
    assert made_up_tenants(Allowance(rate_per_s=rate), 5000, pause_s) <= most
