"""What operators do beside the protocol (protocol section 7)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    BindingType,
    CapabilityDescriptor,
    CapabilityRegistration,
    GatewayCreation,
    InvocationMode,
    MigErrorCode,
    OrgCreation,
    PolicyCheck,
    Quota,
    SchemaRegistration,
    TenantCreation,
)
from migd.core.limits import Limits
from support.gateway_under_test import GatewayUnderTest, Scripted, calling, capability

STRICT = {"type": "object", "required": ["must"]}


async def refusal(coroutine: Coroutine[Any, Any, object]) -> MigErrorCode:
    with pytest.raises(MigFault) as caught:
        await coroutine
    return caught.value.code


async def test_an_org_a_tenant_and_a_gateway_each_need_the_one_above() -> None:
    async with GatewayUnderTest() as under_test:
        admin = under_test.gateway.administration
        orphan = TenantCreation(name="t", org_id="nowhere")
        assert await refusal(admin.create_tenant(orphan)) is MigErrorCode.MIG_NOT_FOUND
        adrift = GatewayCreation(tenant_id="nowhere", region="eu", binding=BindingType.http)
        assert await refusal(admin.create_gateway(adrift)) is MigErrorCode.MIG_NOT_FOUND
        org = await admin.create_org(OrgCreation(name="Acme"))
        tenant = await admin.create_tenant(TenantCreation(name="t", org_id=org.id, id="acme"))
        gateway = await admin.create_gateway(
            GatewayCreation(tenant_id=tenant.id, region="eu", binding=BindingType.http)
        )
        assert (tenant.id, tenant.org_id, gateway.tenant_id) == ("acme", org.id, "acme")
        taken = TenantCreation(name="again", org_id=org.id, id="acme")
        assert await refusal(admin.create_tenant(taken)) is MigErrorCode.MIG_INVALID_REQUEST


async def test_capabilities_and_schemas_are_limited_in_number_and_those_known_can_be_replaced() -> None:
    async with GatewayUnderTest(limits=Limits(max_capabilities=2, max_schemas=1)) as under_test:
        admin = under_test.gateway.administration

        def capabilities(id: str) -> Coroutine[Any, Any, object]:
            own = CapabilityDescriptor(id=id, version="1.0.0", modes=[InvocationMode.unary])
            return admin.register_capability(CapabilityRegistration(descriptor=own))

        def schemas(uri: str) -> Coroutine[Any, Any, object]:
            return admin.register_schema(SchemaRegistration(uri=uri, schema={"type": "object"}))

        await capabilities("a.first")
        await schemas("schema://first")
        assert await refusal(capabilities("a.second")) is MigErrorCode.MIG_RATE_LIMITED
        assert await refusal(schemas("schema://second")) is MigErrorCode.MIG_RATE_LIMITED
        await capabilities("a.first")
        await schemas("schema://first")
        assert len(await under_test.store.catalog.capabilities()) == 1


async def test_a_registered_capability_is_listed_and_has_no_provider() -> None:
    async with GatewayUnderTest() as under_test:
        descriptor = CapabilityDescriptor(id="new.one", version="1.0.0", modes=[InvocationMode.unary])
        registered = await under_test.gateway.administration.register_capability(
            CapabilityRegistration(descriptor=descriptor)
        )
        assert registered.qos
        assert registered.qos.delivery_semantics
        assert registered.qos.delivery_semantics.value == "best_effort"
        listed = under_test.gateway.administration.list_capabilities().capabilities
        assert [each.id for each in listed] == ["new.one", "test.scripted"]
        assert await refusal(under_test.invoke(to="new.one")) is MigErrorCode.MIG_UNAVAILABLE


async def test_a_mode_named_twice_is_refused() -> None:
    async with GatewayUnderTest() as under_test:
        twice = CapabilityDescriptor(id="a.b", version="1.0.0", modes=[InvocationMode.unary] * 2)
        code = await refusal(
            under_test.gateway.administration.register_capability(CapabilityRegistration(descriptor=twice))
        )
        assert code is MigErrorCode.MIG_INVALID_REQUEST


async def test_registering_again_keeps_the_provider() -> None:
    async with GatewayUnderTest() as under_test:
        again = CapabilityDescriptor(id="test.scripted", version="2.0.0", modes=[InvocationMode.unary])
        await under_test.gateway.administration.register_capability(CapabilityRegistration(descriptor=again))
        assert (await under_test.invoke()).payload == {"done": True}


async def test_a_capability_follows_its_schema_from_the_next_invocation_on() -> None:
    async with GatewayUnderTest() as under_test:
        assert (await under_test.invoke({})).payload == {"done": True}
        await under_test.gateway.administration.register_schema(
            SchemaRegistration(uri="schema://test.scripted/in", schema=STRICT)
        )
        assert await refusal(under_test.invoke({})) is MigErrorCode.MIG_INVALID_REQUEST
        assert (await under_test.invoke({"must": 1})).payload == {"done": True}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"$ref": "http://127.0.0.1:9/other.json"},
        {"$ref": "file:///etc/hostname"},
        {"type": "string", "pattern": "(a+)+(?=b)"},
    ],
    ids=["no such type", "a reference to a host", "a reference to a file", "a pattern without linear time"],
)
async def test_a_schema_that_can_not_or_must_not_be_used_is_refused(schema: dict[str, Any]) -> None:
    async with GatewayUnderTest() as under_test:
        code = await refusal(
            under_test.gateway.administration.register_schema(
                SchemaRegistration(uri="schema://x", schema=schema)
            )
        )
        assert code is MigErrorCode.MIG_INVALID_REQUEST


async def test_no_reference_of_a_schema_is_ever_fetched() -> None:
    asked = asyncio.Event()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, GatewayUnderTest() as under_test:
        port = server.sockets[0].getsockname()[1]
        reaching = SchemaRegistration(uri="schema://x", schema={"$ref": f"http://127.0.0.1:{port}/a.json"})
        registering = asyncio.to_thread(
            asyncio.run, under_test.gateway.administration.register_schema(reaching)
        )
        assert await refusal(registering) is MigErrorCode.MIG_INVALID_REQUEST
        assert not asked.is_set()


async def test_a_policy_is_explained_by_the_rule_that_decides() -> None:
    theirs = capability(Scripted(), "test.theirs", tenants=frozenset({"umbrella"}), auth_scopes=["run"])
    async with GatewayUnderTest(theirs) as under_test:
        admin = under_test.gateway.administration

        def decide(tenant: str, action: str = "invoke") -> tuple[bool, str]:
            decision = admin.validate_policy(
                PolicyCheck(tenant_id=tenant, capability="test.theirs", action=action)
            )
            return decision.allowed, decision.reason

        assert decide("acme") == (False, "tenant acme sees no capability test.theirs")
        assert decide("umbrella")[0]
        assert "run" in decide("umbrella")[1]
        assert decide("umbrella", "destroy") == (False, "no rule allows the action destroy")
        await admin.set_quota(Quota(tenant_id="umbrella", max_invocations=1))
        await under_test.invoke(call=calling("umbrella"), to="test.theirs")
        assert decide("umbrella") == (False, "the tenant has used its quota of 1 invocations")


async def test_usage_counts_what_ran_and_adds_up() -> None:
    async with GatewayUnderTest() as under_test:
        await under_test.invoke()
        await under_test.invoke(call=calling("umbrella"))
        assert await refusal(under_test.invoke(to="test.none")) is MigErrorCode.MIG_UNSUPPORTED_CAPABILITY
        usage = await under_test.gateway.administration.usage()
        assert usage.tenant_invocations == {"acme": 1, "umbrella": 1}
        assert (usage.capability_invocations, usage.total_invocations) == ({"test.scripted": 2}, 2)
