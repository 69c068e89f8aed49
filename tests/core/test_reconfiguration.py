"""Other capabilities and limits for a gateway that runs: what goes on, what begins, what is let go of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    CapabilityDescriptor,
    CapabilityRegistration,
    ConnectionKind,
    InvocationMode,
    SchemaRegistration,
)
from migd.core.catalog import Capability
from migd.core.limits import Allowance, Limits
from migd.core.reconfiguration import Difference
from migd.core.schema_bounds import SchemaBounds
from support.gateway_under_test import GatewayUnderTest, Scripted, calling, capability, settle

BUSY = "MIG_BACKPRESSURE"
FAST = "MIG_RATE_LIMITED"


class Watched(Scripted):
    """Says whether it was started and closed; its start can fail."""

    def __init__(self, failure: Exception | None = None) -> None:
        super().__init__()
        self.life: list[str] = []
        self._failure = failure

    async def start(self) -> None:
        if self._failure is not None:
            raise self._failure
        self.life.append("started")

    async def close(self) -> None:
        self.life.append("closed")


async def change(
    under_test: GatewayUnderTest, capabilities: Iterable[Capability], limits: Limits | None = None
) -> Difference:
    """To these, as a whole."""
    reconfiguration = under_test.gateway.reconfiguration
    prepared = await reconfiguration.prepare(capabilities, limits or Limits())
    return reconfiguration.apply(prepared)


async def only_limits(under_test: GatewayUnderTest, limits: Limits) -> None:
    await change(under_test, [capability(under_test.provider)], limits)


def listed(under_test: GatewayUnderTest) -> list[str]:
    return [each.id for each in under_test.gateway.administration.list_capabilities().capabilities]


async def test_what_runs_ends_on_the_provider_it_began_with_which_is_closed_after_it() -> None:
    old, new = Watched(), Watched()
    old.waits = True
    old.answer = {"by": "old"}
    async with GatewayUnderTest(capability(old)) as under_test:
        running = asyncio.create_task(under_test.invoke())
        await old.started.wait()

        assert await change(under_test, [capability(new)]) == Difference(
            added=(), changed=("test.scripted",), removed=()
        )
        retiring = asyncio.create_task(under_test.gateway.reconfiguration.retire())
        await under_test.invoke()
        await settle()
        assert (old.life, new.life) == (["started"], ["started"])
        old.release.set()
        assert (await running).payload == {"by": "old"}
        await retiring
        assert (len(old.seen), old.life) == (1, ["started", "closed"])
        assert (len(new.seen), new.life) == (1, ["started"])
    assert (old.life, new.life) == (["started", "closed"], ["started", "closed"])


async def test_an_invocation_that_has_not_got_to_its_provider_yet_still_gets_there() -> None:
    """One that waits for another's idempotency key was admitted before the change."""
    old = Watched()
    old.waits = True
    async with GatewayUnderTest(capability(old)) as under_test:
        first = asyncio.create_task(under_test.invoke(idempotency_key="k"))
        await old.started.wait()
        second = asyncio.create_task(under_test.invoke(idempotency_key="k"))
        await settle()
        await change(under_test, [])
        retiring = asyncio.create_task(under_test.gateway.reconfiguration.retire())
        old.error = RuntimeError("the first one fails, so that the second runs")
        old.release.set()
        assert isinstance(await asyncio.gather(first, return_exceptions=True), list)
        assert (await second).payload == {"done": True}
        await retiring
        assert old.life == ["started", "closed"]


async def test_a_gateway_that_ends_meanwhile_closes_what_waits_to_be_closed_once() -> None:
    old = Watched()
    old.waits = True
    async with GatewayUnderTest(capability(old)) as under_test:
        running = asyncio.create_task(under_test.invoke())
        await old.started.wait()
        await change(under_test, [])
        retiring = asyncio.create_task(under_test.gateway.reconfiguration.retire())
        await settle()
        await under_test.gateway.drain(0)
    await asyncio.gather(running, return_exceptions=True)
    await retiring
    assert old.life == ["started", "closed"]


async def test_what_is_removed_is_unknown_and_what_is_added_is_there_at_once() -> None:
    async with GatewayUnderTest(
        capability(Watched(), "test.old"), capability(Watched(), "test.kept")
    ) as under_test:
        kept = capability(Watched(), "test.kept")
        difference = await change(under_test, [kept, capability(Watched(), "test.new")])

        assert difference == Difference(added=("test.new",), changed=("test.kept",), removed=("test.old",))
        assert await under_test.outcome(to="test.old") == "MIG_UNSUPPORTED_CAPABILITY"
        assert await under_test.outcome(to="test.new") == ""


async def test_a_provider_made_from_the_same_is_kept_with_all_that_it_has_loaded() -> None:
    def declared(provider: Watched) -> Capability:
        return capability(provider, "test.model", made_from=("model", 7))

    loaded, needless = Watched(), Watched()
    async with GatewayUnderTest(declared(loaded)) as under_test:
        assert await change(under_test, [declared(needless)]) == Difference(added=(), changed=(), removed=())
        await under_test.gateway.reconfiguration.retire()
        await under_test.invoke(to="test.model")
        assert (loaded.life, len(loaded.seen), needless.life) == (["started"], 1, [])


async def test_what_was_registered_while_running_is_kept_and_wins_as_after_a_restart() -> None:
    provider = Scripted()
    async with GatewayUnderTest(capability(provider)) as under_test:
        administration = under_test.gateway.administration
        for id in ("test.scripted", "test.registered"):
            await administration.register_capability(CapabilityRegistration(descriptor=described(id)))
        strict = {"type": "object", "required": ["x"]}
        await administration.register_schema(
            SchemaRegistration(uri="schema://test.scripted/in", schema=strict)
        )

        await change(under_test, [capability(provider, input_schema={"type": "object"})])
        assert listed(under_test) == ["test.registered", "test.scripted"]
        assert await under_test.outcome() == "MIG_INVALID_REQUEST"
        assert await under_test.outcome({"x": 1}) == ""
        await change(under_test, [])
        assert listed(under_test) == ["test.registered", "test.scripted"]
        assert await under_test.outcome({"x": 1}) == "MIG_UNAVAILABLE"


def described(id: str) -> CapabilityDescriptor:
    return CapabilityDescriptor(
        id=id, version="2.0.0", modes=[InvocationMode.unary], input_schema_uri="schema://test.scripted/in"
    )


@pytest.mark.parametrize(
    ("fields", "failure", "told"),
    [
        ({}, RuntimeError("no model"), "no model"),
        ({"input_schema": {"type": "nonsense"}}, None, "not a usable JSON Schema"),
        ({"input_schema": {"enum": ["x" * 2000]}}, None, "more bytes than 1024"),
    ],
)
async def test_capabilities_that_can_not_be_served_change_nothing_and_leave_nothing_open(
    fields: dict[str, Any], failure: Exception | None, told: str
) -> None:
    well, unwell = Watched(), Watched(failure)
    new = [capability(well, "test.well"), capability(unwell, "test.unwell", **fields)]
    async with GatewayUnderTest() as under_test:
        limits = Limits(schema=SchemaBounds(max_bytes=1024), max_depth=1)
        with pytest.raises((RuntimeError, MigFault), match=told):
            await under_test.gateway.reconfiguration.prepare(new, limits)
        assert listed(under_test) == ["test.scripted"]
        assert await under_test.outcome({"deep": {"deeper": {}}}) == ""
        assert well.life in ([], ["started", "closed"])


async def test_a_change_that_is_given_up_leaves_nothing_open() -> None:
    new = Watched()
    async with GatewayUnderTest() as under_test:
        reconfiguration = under_test.gateway.reconfiguration
        await reconfiguration.abandon(await reconfiguration.prepare([capability(new)], Limits()))
        assert new.life == ["started", "closed"]
        assert await under_test.outcome() == ""


async def test_a_registration_that_came_in_between_and_left_no_room_refuses_the_change() -> None:
    new = [capability(Watched(), "test.one"), capability(Watched(), "test.two")]
    async with GatewayUnderTest(limits=Limits(max_capabilities=2)) as under_test:
        prepared = await under_test.gateway.reconfiguration.prepare(new, Limits())
        await under_test.gateway.administration.register_capability(
            CapabilityRegistration(descriptor=described("test.registered"))
        )
        with pytest.raises(MigFault, match="limit of 2 capabilities"):
            under_test.gateway.reconfiguration.apply(prepared)
        assert listed(under_test) == ["test.registered", "test.scripted"]
        assert await under_test.outcome() == ""
        await under_test.gateway.reconfiguration.abandon(prepared)


async def test_a_schema_that_is_there_already_is_not_measured_again() -> None:
    """Narrower bounds are for what is new: they must not make a reload fail over what is served."""
    large = {"type": "object", "description": "x" * 2000}
    provider = Scripted()
    async with GatewayUnderTest(capability(provider, input_schema=large)) as under_test:
        narrow = Limits(schema=SchemaBounds(max_bytes=1024))
        await change(under_test, [capability(provider, input_schema={**large})], narrow)
        assert await under_test.outcome() == ""
        with pytest.raises(MigFault, match="more bytes than 1024"):
            await change(under_test, [capability(provider, input_schema={**large, "title": "new"})], narrow)


async def test_a_schema_that_differs_only_in_true_and_1_is_another() -> None:
    def answering(constant: object) -> Capability:
        return capability(Scripted(), input_schema={"properties": {"x": {"const": constant}}})

    async with GatewayUnderTest(answering(1)) as under_test:
        assert await under_test.outcome({"x": 1}) == ""
        await change(under_test, [answering(True)])
        assert await under_test.outcome({"x": 1}) == "MIG_INVALID_REQUEST"


async def test_what_runs_counts_on_under_another_limit_of_concurrency() -> None:
    limited = Limits(tenant=Allowance(concurrency=3))
    async with GatewayUnderTest(limits=limited) as under_test:
        under_test.provider.waits = True
        running = [asyncio.create_task(under_test.invoke()) for _ in range(2)]
        await settle()

        await only_limits(under_test, Limits(tenants={"acme": Allowance(concurrency=2)}))
        assert await under_test.outcome() == BUSY
        await only_limits(under_test, Limits(tenant=Allowance(concurrency=2)))
        assert await under_test.outcome() == BUSY
        under_test.provider.release.set()
        await asyncio.gather(*running)
        assert await under_test.outcome() == ""


async def test_what_was_taken_of_a_rate_that_stays_is_taken_and_another_rate_begins_anew() -> None:
    rate = Limits(tenant=Allowance(rate_per_s=1.0))
    async with GatewayUnderTest(limits=rate) as under_test:
        assert [await under_test.outcome() for _ in range(2)] == ["", FAST]
        await only_limits(under_test, Limits(tenant=Allowance(rate_per_s=1.0, concurrency=5)))
        assert await under_test.outcome() == FAST
        await only_limits(under_test, Limits(tenant=Allowance(rate_per_s=2.0)))
        assert [await under_test.outcome() for _ in range(3)] == ["", "", FAST]
        await only_limits(under_test, Limits())
        assert [await under_test.outcome() for _ in range(9)] == [""] * 9


async def test_a_capability_has_its_new_limit_and_what_runs_of_it_counts_on() -> None:
    provider = Scripted()
    provider.waits = True

    def limited(concurrency: int) -> Capability:
        return capability(provider, limits=Allowance(concurrency=concurrency))

    async with GatewayUnderTest(limited(2)) as under_test:
        running = asyncio.create_task(under_test.invoke())
        await settle()
        await change(under_test, [limited(1)])
        assert await under_test.outcome(call=calling("umbrella")) == BUSY
        provider.release.set()
        await running


async def _deep(under_test: GatewayUnderTest) -> str:
    return await under_test.outcome({"a": {"b": {}}})


async def _third_at_a_time(under_test: GatewayUnderTest) -> str:
    under_test.provider.waits = True
    running = [asyncio.create_task(under_test.invoke()) for _ in range(2)]
    await settle()
    third = asyncio.create_task(under_test.outcome())
    await settle()
    under_test.provider.release.set()
    await asyncio.gather(*running)
    return await third


async def _second_connection(under_test: GatewayUnderTest) -> str:
    async def take(_: object) -> None: ...

    opened = [under_test.gateway.open_session(calling(), take, ConnectionKind.ws_stream)]
    try:
        opened.append(under_test.gateway.open_session(calling(), take, ConnectionKind.ws_stream))
    except MigFault as fault:
        return fault.code.value
    finally:
        for session in opened:
            await session.close()
    return ""


async def _in_a_stream(under_test: GatewayUnderTest) -> str:
    under_test.provider.waits = True
    streaming = asyncio.create_task(under_test.outcome(streamed=True, deadline_ms=60_000))
    await under_test.provider.started.wait()
    under_test.clock.advance(2)
    await settle()
    under_test.provider.release.set()
    return await streaming


@pytest.mark.parametrize(
    ("narrow", "ask", "code"),
    [
        (Limits(max_depth=1), _deep, "MIG_INVALID_REQUEST"),
        (Limits(max_concurrent_invocations=2), _third_at_a_time, BUSY),
        (Limits(max_connections=1), _second_connection, BUSY),
        (Limits(max_connections_per_tenant=1), _second_connection, FAST),
        (Limits(max_deadline_ms=1000), _in_a_stream, "MIG_TIMEOUT"),
    ],
)
async def test_another_bound_holds_from_the_next_request_on(narrow: Limits, ask: Any, code: str) -> None:
    async with GatewayUnderTest() as under_test:
        assert await ask(under_test) == ""
    async with GatewayUnderTest() as under_test:
        await only_limits(under_test, narrow)
        assert await ask(under_test) == code


async def test_a_success_is_kept_for_the_new_window() -> None:
    async with GatewayUnderTest() as under_test:
        await only_limits(under_test, Limits(idempotency_window_s=10))
        await under_test.invoke(idempotency_key="k")
        under_test.clock.advance(11)
        await under_test.invoke(idempotency_key="k")
        assert len(under_test.provider.seen) == 2
