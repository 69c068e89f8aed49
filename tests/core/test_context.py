"""The header of an answer is the request's, normalised (protocol section 1)."""

from __future__ import annotations

from support.gateway_under_test import GatewayUnderTest, calling

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_what_the_caller_gave_comes_back_and_the_rest_is_filled() -> None:
    async with GatewayUnderTest() as under_test:
        given = await under_test.invoke(
            message_id="m-1", session_id="s-1", traceparent=TRACE, idempotency_key="k-1", deadline_ms=1234
        )
        bare = await under_test.invoke()
    header = given.header
    assert (header.message_id, header.session_id, header.traceparent) == ("m-1", "s-1", TRACE)
    assert (header.idempotency_key, header.deadline_ms) == ("k-1", 1234)
    assert (bare.header.mig_version, bare.header.tenant_id, bare.header.deadline_ms) == (
        "0.1",
        "acme",
        30_000,
    )
    assert len(bare.header.message_id) == 36


async def test_meta_passes_through_but_what_is_reserved_is_the_gateways() -> None:
    async with GatewayUnderTest() as under_test:
        spoofed = {"shop": "north", "idg.principal_subject": "root", "idg.anything": 1}
        answer = await under_test.invoke(call=calling(scopes="b a"), meta=spoofed)
    assert answer.header.meta == {
        "shop": "north",
        "idg.product_tier": "core",
        "idg.meter_key": "invocations_capability_tier",
        "idg.principal_subject": "alice",
        "idg.principal_scopes": ["a", "b"],
    }
