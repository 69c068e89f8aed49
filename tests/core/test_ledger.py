"""A trail that must be written: what waits for it, and what has begun and is recorded all the same."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from support.gateway_under_test import GatewayUnderTest, settle


async def refusal(under_test: GatewayUnderTest, **header: Any) -> str:
    with pytest.raises(MigFault) as caught:
        await under_test.invoke(**header)
    assert caught.value.code is MigErrorCode.MIG_UNAVAILABLE
    return str(caught.value)


async def test_nothing_is_run_given_again_or_debited_while_the_trail_can_not_be_written() -> None:
    async with GatewayUnderTest(audit_on_failure="refuse") as under_test:
        await under_test.store.quotas.set_limit("acme", 5)
        await under_test.invoke(idempotency_key="k")
        under_test.audit.failure = "the disk is full"
        headers: list[dict[str, Any]] = [{}, {"idempotency_key": "k"}]
        for header in headers:
            assert "the audit trail can not be written: the disk is full" in await refusal(
                under_test, **header
            )
        assert len(under_test.provider.seen) == 1
        assert under_test.store.quotas.used("acme") == 1
        assert under_test.gateway.readiness().reasons == [
            "the audit trail can not be written: the disk is full"
        ]
        under_test.audit.failure = None
        await under_test.invoke()
        assert under_test.gateway.readiness().reasons == []
        outcomes = [record.outcome for record in under_test.audit.records]
        assert outcomes == ["success", "MIG_UNAVAILABLE", "MIG_UNAVAILABLE", "success"]


async def test_what_runs_already_goes_on_and_is_recorded() -> None:
    async with GatewayUnderTest(audit_on_failure="refuse") as under_test:
        under_test.provider.waits = True
        running = asyncio.ensure_future(under_test.invoke())
        await under_test.provider.started.wait()
        under_test.audit.failure = "the disk is full"
        under_test.provider.release.set()
        await running
        await settle()
        assert [record.outcome for record in under_test.audit.records] == ["success"]


async def test_a_provider_that_denies_is_recorded_once() -> None:
    async with GatewayUnderTest() as under_test:
        under_test.provider.error = MigFault(MigErrorCode.MIG_FORBIDDEN, "not yours")
        with pytest.raises(MigFault) as caught:
            await under_test.invoke()
        under_test.gateway.envelope("INVOKE", caught.value, None)
        assert [record.outcome for record in under_test.audit.records] == ["MIG_FORBIDDEN"]
