"""HELLO, DISCOVER and HEARTBEAT answer from what is really there (protocol section 2)."""

from __future__ import annotations

from typing import Any

import pytest

from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    BindingType,
    DiscoverRequest,
    HeartbeatRequest,
    HelloRequest,
    HelloResponse,
    MigErrorCode,
)
from support.gateway_under_test import GatewayUnderTest, Scripted, calling, capability


async def hello(**fields: Any) -> HelloResponse:
    async with GatewayUnderTest() as under_test:
        return under_test.gateway.hello(calling(), HelloRequest(**fields))


async def test_only_what_is_requested_and_supported_is_enabled() -> None:
    answer = await hello(requested_features=["replay", "mcp-bridge", "telepathy", "cancel", "replay"])
    assert answer.enabled_features == ["replay", "cancel"]
    assert (await hello()).enabled_features == []


async def test_the_first_requested_binding_that_is_switched_on_is_selected() -> None:
    answer = await hello(requested_bindings=[BindingType.nats, BindingType.http])
    assert answer.selected_binding is BindingType.http
    assert (await hello(requested_bindings=[BindingType.grpc])).selected_binding is BindingType.http


async def test_a_common_version_is_selected_or_the_supported_ones_are_told() -> None:
    assert (await hello(supported_versions=["9.9", "0.1"])).selected_version == "0.1"
    with pytest.raises(MigFault) as caught:
        await hello(supported_versions=["9.9"])
    assert caught.value.code is MigErrorCode.MIG_VERSION_MISMATCH
    assert caught.value.details == {"supported_versions": ["0.1"]}
    assert caught.value.header is not None


async def test_the_profiles_are_those_that_are_served() -> None:
    answer = await hello()
    assert (answer.header.meta or {})["mig.profiles"] == ["core", "streaming", "evented", "full"]


async def test_discover_shows_what_tenant_and_scopes_may_see_sorted() -> None:
    provider = Scripted()
    several = (
        capability(provider, "b.open"),
        capability(provider, "a.scoped", auth_scopes=["run"]),
        capability(provider, "c.theirs", tenants=frozenset({"umbrella"})),
    )
    async with GatewayUnderTest(*several) as under_test:

        def seen(call: Any, **fields: Any) -> list[str]:
            answer = under_test.gateway.discover(call, DiscoverRequest(**fields))
            return [descriptor.id for descriptor in answer.capabilities]

        assert seen(calling()) == ["a.scoped", "b.open"]
        assert seen(calling(scopes="other")) == ["b.open"]
        assert seen(calling(scopes="run")) == ["a.scoped", "b.open"]
        assert seen(calling("umbrella")) == ["a.scoped", "b.open", "c.theirs"]
        assert seen(calling(), query="OPEN") == ["b.open"]


async def test_discover_leaves_out_schema_refs_and_qos_when_told_to() -> None:
    async with GatewayUnderTest() as under_test:
        full = under_test.gateway.discover(calling(), DiscoverRequest()).capabilities[0]
        bare = under_test.gateway.discover(
            calling(), DiscoverRequest(include_schema_refs=False, include_qos=False)
        ).capabilities[0]
    assert (full.input_schema_uri, bool(full.qos)) == ("schema://test.scripted/in", True)
    assert not bare.input_schema_uri
    assert not bare.qos


@pytest.mark.parametrize(("asked", "given"), [(0, 5000), (7000, 7000), (1, 1000), (10**6, 60_000)])
async def test_a_heartbeat_interval_is_kept_within_bounds(asked: int, given: int) -> None:
    async with GatewayUnderTest() as under_test:
        ack = under_test.gateway.heartbeat(calling(), HeartbeatRequest(interval_ms=asked))
    assert (ack.suggested_interval_ms, ack.load_factor) == (given, 0.0)
