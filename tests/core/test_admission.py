"""INVOKE's checks come in the protocol's order, and each gives its own code (protocol section 2)."""

from __future__ import annotations

import asyncio

import pytest

from mig_protocol.errors import MigFault
from mig_protocol.messages import CancelRequest, CancelStatus, MigErrorCode, QoSProfile
from migd.core.limits import Limits
from support.gateway_under_test import GatewayUnderTest, Scripted, calling, capability, settle

SCHEMA = {"type": "object", "required": ["input"], "properties": {"input": {"type": "string"}}}


async def refused(under_test: GatewayUnderTest, *args: object, **kwargs: object) -> MigFault:
    with pytest.raises(MigFault) as caught:
        await under_test.invoke(*args, **kwargs)  # type: ignore[arg-type]
    assert caught.value.header is not None
    return caught.value


async def test_each_check_decides_before_the_ones_after_it() -> None:
    """One request that breaks everything; mended check by check it meets the next refusal."""
    provider = Scripted()
    strict = capability(
        provider,
        "test.strict",
        auth_scopes=["run"],
        input_schema=SCHEMA,
        qos=QoSProfile(max_payload_bytes=40),
    )
    async with GatewayUnderTest(strict, limits=Limits(max_concurrent_invocations=0)) as under_test:
        provider.down = "away"
        await under_test.store.quotas.set_limit("acme", 1)
        await under_test.store.quotas.debit("acme")
        await under_test.store.tombstones.put("acme", "m-1", "changed my mind", 60)
        poor = calling(scopes="other")
        rich = calling(scopes="run")
        big = {"input": 1, "pad": "x" * 100}
        key = {"message_id": "m-1", "idempotency_key": "k"}
        outcomes = [
            await refused(under_test, big, poor, "test.none", mig_version="9.9", tenant_id="evil", **key),
            await refused(under_test, big, poor, "test.none", tenant_id="evil", **key),
            await refused(under_test, big, poor, "test.none", **key),
            await refused(under_test, big, poor, "test.strict", **key),
            await refused(under_test, big, rich, "test.strict", **key),
            await refused(under_test, {"input": 1}, rich, "test.strict", **key),
            await refused(under_test, {"input": "x"}, rich, "test.strict", **key),
            await refused(
                under_test, {"input": "x"}, rich, "test.strict", message_id="m-2", idempotency_key="k"
            ),
        ]
        await under_test.store.quotas.set_limit("acme", 10)
        outcomes.append(await refused(under_test, {"input": "x"}, rich, "test.strict"))
    codes = [fault.code.value for fault in outcomes]
    assert codes == [
        "MIG_VERSION_MISMATCH",
        "MIG_FORBIDDEN",
        "MIG_UNSUPPORTED_CAPABILITY",
        "MIG_FORBIDDEN",
        "MIG_INVALID_REQUEST",
        "MIG_INVALID_REQUEST",
        "MIG_TIMEOUT",
        "MIG_RATE_LIMITED",
        "MIG_BACKPRESSURE",
    ]
    assert outcomes[4].variant == "too_large"
    assert outcomes[5].details is not None
    assert outcomes[5].details["violations"][0]["pointer"] == "/input"
    assert outcomes[6].details == {"cancelled": True, "reason": "changed my mind"}
    assert [record.outcome for record in under_test.audit.records] == codes
    assert provider.seen == []


async def test_a_provider_that_is_down_or_missing_is_unavailable_and_retryable() -> None:
    provider = Scripted()
    async with GatewayUnderTest(capability(provider), capability(None, "test.bare")) as under_test:
        provider.down = "no route to the model"
        down = await refused(under_test)
        bare = await refused(under_test, to="test.bare")
        assert (down.code, down.retryable) == (MigErrorCode.MIG_UNAVAILABLE, True)
        assert down.details == {"reason": "no route to the model"}
        assert bare.code is MigErrorCode.MIG_UNAVAILABLE
        provider.down = ""
        assert (await under_test.invoke()).payload == {"done": True}


async def test_every_violation_of_the_input_schema_is_told_with_its_pointer() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "integer"}}},
    }
    async with GatewayUnderTest(capability(Scripted(), input_schema=schema)) as under_test:
        fault = await refused(under_test, {"a": 1, "b": [1, "x", None]})
    assert fault.details is not None
    assert sorted(v["pointer"] for v in fault.details["violations"]) == ["/a", "/b/1", "/b/2"]


@pytest.mark.parametrize("aboard", [False, True], ids=["plain", "with a quota to debit"])
async def test_no_more_run_at_once_than_there_is_room_for(aboard: bool) -> None:
    provider = Scripted()
    provider.waits = True
    async with GatewayUnderTest(
        capability(provider), limits=Limits(max_concurrent_invocations=1)
    ) as under_test:
        if aboard:
            await under_test.store.quotas.set_limit("acme", 100)
        first = asyncio.create_task(under_test.invoke())
        await provider.started.wait()
        fault = await refused(under_test)
        assert (fault.code, fault.retry_after_s) == (MigErrorCode.MIG_BACKPRESSURE, 1.0)
        provider.release.set()
        assert (await first).payload == {"done": True}
        await settle()
        assert (await under_test.invoke()).payload == {"done": True}


async def test_a_capability_of_other_tenants_does_not_exist_for_this_one() -> None:
    provider = Scripted()
    async with GatewayUnderTest(capability(provider, tenants=frozenset({"umbrella"}))) as under_test:
        fault = await refused(under_test)
        assert fault.code is MigErrorCode.MIG_UNSUPPORTED_CAPABILITY
        assert (await under_test.invoke(call=calling("umbrella"))).payload == {"done": True}


async def test_any_one_of_the_scopes_is_enough_and_anonymous_callers_are_not_asked() -> None:
    async with GatewayUnderTest(capability(Scripted(), auth_scopes=["a", "b"])) as under_test:
        assert (await under_test.invoke(call=calling(scopes="b"))).payload == {"done": True}
        assert (await under_test.invoke(call=calling())).payload == {"done": True}
        assert (await refused(under_test, call=calling(scopes=""))).code is MigErrorCode.MIG_FORBIDDEN


@pytest.mark.parametrize("down", ["", "broken"])
async def test_a_cancel_comes_too_late_for_what_failed_at_once(down: str) -> None:
    async with GatewayUnderTest() as under_test:
        under_test.provider.error, under_test.provider.down = ValueError("no"), down
        with pytest.raises(MigFault):
            await under_test.invoke(message_id="m-1")
        ack = await under_test.gateway.cancel(calling(), CancelRequest(target_message_id="m-1"))
        assert (ack.accepted, ack.status) == (False, CancelStatus.completed)


async def test_what_a_provider_raises_is_internal_and_tells_nothing() -> None:
    provider = Scripted()
    provider.error = RuntimeError("password=hunter2")
    async with GatewayUnderTest(capability(provider)) as under_test:
        fault = await refused(under_test)
    assert (fault.code, fault.message, fault.details) == (MigErrorCode.MIG_INTERNAL, "internal error", None)
    assert isinstance(fault.__cause__, RuntimeError)
