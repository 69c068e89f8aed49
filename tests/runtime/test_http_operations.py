"""Every HTTP route gives what it promises, on a real server."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from support.gateway_under_test import Scripted, capability
from support.running_migd import LocalMigd, local_migd

ACME = {"header": {"tenant_id": "acme"}}
REFERENCE = "observatory.models.infer"


@pytest.fixture
async def migd() -> AsyncIterator[LocalMigd]:
    async with local_migd(MIGD_SERVER_ID="gw-1") as running:
        yield running


async def test_hello_selects_version_binding_and_features(migd: LocalMigd) -> None:
    answer = await migd.post(
        "/mig/v0.1/hello",
        {
            **ACME,
            "requested_bindings": ["grpc", "http"],
            "requested_features": ["streaming", "telepathy", "cancel"],
        },
    )

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["selected_version"] == "0.1"
    assert answer.json["selected_binding"] == "http"
    assert answer.json["enabled_features"] == ["streaming", "cancel"]
    assert answer.json["server_id"] == "gw-1"
    assert answer.json["header"]["meta"]["mig.profiles"] == ["core", "streaming", "evented", "full"]


async def test_a_response_header_is_the_requests_normalised(migd: LocalMigd) -> None:
    sent = {
        "message_id": "m-1",
        "tenant_id": "acme",
        "session_id": "s-1",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "deadline_ms": 1234,
        "meta": {"mine": [1], "idg.product_tier": "gold"},
    }

    header = (await migd.post("/mig/v0.1/heartbeat", {"header": sent})).json["header"]

    assert {name: header[name] for name in sent if name != "meta"} == {
        name: value for name, value in sent.items() if name != "meta"
    }
    assert header["mig_version"] == "0.1"
    assert datetime.fromisoformat(header["timestamp"]).tzinfo is not None
    assert header["meta"] == {
        "mine": [1],
        "idg.product_tier": "core",
        "idg.meter_key": "invocations_capability_tier",
        "idg.principal_subject": "anonymous",
        "idg.principal_scopes": [],
    }


async def test_what_a_request_leaves_out_is_filled(migd: LocalMigd) -> None:
    header = (await migd.post("/mig/v0.1/heartbeat", None, x_tenant_id="acme")).json["header"]

    assert uuid.UUID(header["message_id"]).version == 4
    assert header["tenant_id"] == "acme"
    assert header["deadline_ms"] == 30000


async def test_the_header_may_travel_in_http_fields_and_the_body_wins(migd: LocalMigd) -> None:
    fields = {
        "x_tenant_id": "acme",
        "mig_message_id": "m-http",
        "mig_session_id": "s-http",
        "mig_deadline_ms": "99",
    }

    header = (await migd.post("/mig/v0.1/heartbeat", {"header": {"message_id": "m-body"}}, **fields)).json[
        "header"
    ]

    assert header["message_id"] == "m-body"
    assert (header["session_id"], header["deadline_ms"]) == ("s-http", 99)


async def test_discover_lists_what_is_served(migd: LocalMigd) -> None:
    found = (await migd.post("/mig/v0.1/discover", {**ACME, "query": "INFER"})).json["capabilities"]
    nothing = (await migd.post("/mig/v0.1/discover", {**ACME, "query": "none"})).json["capabilities"]

    assert [each["id"] for each in found] == [REFERENCE]
    assert found[0]["auth_scopes"] == ["capability:infer"]
    assert nothing == []


async def test_invoke_answers_with_the_result_and_its_schema(migd: LocalMigd) -> None:
    answer = await migd.invoke(REFERENCE, {"input": "hi"})

    assert answer.status == 200
    assert answer.json["capability"] == REFERENCE
    assert answer.json["payload"] == {
        "result": "ok",
        "echo": {"input": "hi"},
        "capability": REFERENCE,
        "delivery_qos": "at_least_once",
    }
    assert answer.json["result_schema_uri"] == "schema://observatory/models/infer-output/v1"


async def test_a_percent_encoded_path_means_what_it_spells(migd: LocalMigd) -> None:
    answer = await migd.post(
        "/mig/v0.1/invoke/observatory%2Emodels%2Einfer", {**ACME, "payload": {"input": "hi"}}
    )

    assert answer.status == 200


async def test_publish_gives_growing_sequences(migd: LocalMigd) -> None:
    acks = [
        await migd.post("/mig/v0.1/publish/a.b", {**ACME, "payload": {"n": number}}) for number in range(3)
    ]

    assert [ack.json["sequence"] for ack in acks] == [1, 2, 3]
    assert all(ack.json["accepted"] is True and ack.json["topic"] == "a.b" for ack in acks)


async def test_cancel_of_what_has_not_come_refuses_it_when_it_comes(migd: LocalMigd) -> None:
    ack = await migd.post("/mig/v0.1/cancel/m-later", {**ACME, "reason": "changed my mind"})
    late = await migd.invoke(REFERENCE, {"input": "hi"}, message_id="m-later")

    assert (ack.json["accepted"], ack.json["status"]) == (True, "pending")
    assert late.status == 504
    assert late.json["error"]["retryable"] is False
    assert late.json["error"]["details"] == {"cancelled": True, "reason": "changed my mind"}


async def test_cancel_of_what_is_over_says_so(migd: LocalMigd) -> None:
    await migd.invoke(REFERENCE, {"input": "hi"}, message_id="m-over")

    ack = await migd.post("/mig/v0.1/cancel/m-over", ACME)

    assert (ack.json["accepted"], ack.json["status"]) == (False, "completed")


async def test_cancel_stops_work_in_flight() -> None:
    provider = Scripted()
    provider.waits = True
    async with local_migd(capability(provider)) as migd:
        running = migd.serving.get_loop().create_task(migd.invoke("test.scripted", message_id="m-1"))
        await provider.started.wait()

        ack = await migd.post("/mig/v0.1/cancel/m-1", {**ACME, "reason": "enough"})
        answer = await running

        assert ack.json["status"] == "cancelled"
        assert provider.stopped.is_set()
        assert answer.status == 504
        assert answer.json["error"]["details"] == {"cancelled": True, "reason": "enough"}


async def test_heartbeat_keeps_the_interval_within_bounds(migd: LocalMigd) -> None:
    asked = [await migd.post("/mig/v0.1/heartbeat", {**ACME, "interval_ms": ms}) for ms in (1, 2000, 10**6)]

    assert [answer.json["suggested_interval_ms"] for answer in asked] == [1000, 2000, 60000]
    assert asked[0].json["load_factor"] == 0


async def test_a_registered_capability_is_listed_and_has_nothing_to_run_it(migd: LocalMigd) -> None:
    descriptor = {"id": "x.y", "version": "1.2.3", "modes": ["unary"]}

    created = await migd.post("/admin/v0.1/capabilities", {"descriptor": descriptor})
    listed = await migd.get("/admin/v0.1/capabilities")
    invoked = await migd.invoke("x.y")

    assert created.status == 201
    assert created.json["id"] == "x.y"
    assert [each["id"] for each in listed.json["capabilities"]] == [REFERENCE, "x.y"]
    assert (invoked.status, invoked.code) == (503, "MIG_UNAVAILABLE")


async def test_a_registered_schema_is_what_payloads_are_checked_against(migd: LocalMigd) -> None:
    schema = {"type": "object", "required": ["input", "language"]}
    uri = "schema://observatory/models/infer-input/v1"

    created = await migd.post("/admin/v0.1/schemas", {"uri": uri, "schema": schema})
    refused = await migd.invoke(REFERENCE, {"input": "hi"})

    assert (created.status, created.json) == (201, {"uri": uri})
    assert refused.status == 400
    assert "language" in refused.json["error"]["details"]["violations"][0]["message"]


async def test_conformance_health_is_four_booleans(migd: LocalMigd) -> None:
    health = (await migd.get("/admin/v0.1/health/conformance")).json

    assert health == {"core": True, "streaming": True, "evented": True, "full": True}


async def test_policy_quota_audit_and_usage_belong_together(migd: LocalMigd) -> None:
    check = {"tenant_id": "acme", "capability": REFERENCE, "action": "invoke"}
    assert (await migd.post("/pro/v0.1/policies/validate", check)).json["allowed"] is True

    quota = await migd.post("/pro/v0.1/quotas", {"tenant_id": "acme", "max_invocations": 1})
    first = await migd.invoke(REFERENCE, {"input": "hi"}, message_id="m-1")
    second = await migd.invoke(REFERENCE, {"input": "hi"}, message_id="m-2")
    await migd.invoke(REFERENCE, {"input": "hi"}, tenant="globex", message_id="m-3")

    assert quota.json == {"tenant_id": "acme", "max_invocations": 1}
    assert first.status == 200
    assert (second.status, second.code) == (429, "MIG_RATE_LIMITED")
    assert int(second.headers["retry-after"]) >= 1
    assert (await migd.post("/pro/v0.1/policies/validate", check)).json["allowed"] is False
    records = (await migd.get("/pro/v0.1/audit/export?tenant_id=acme")).json["records"]
    assert [(each["message_id"], each["outcome"]) for each in records] == [
        ("m-1", "success"),
        ("m-2", "MIG_RATE_LIMITED"),
    ]
    usage = (await migd.get("/cloud/v0.1/usage")).json
    assert usage["tenant_invocations"] == {"acme": 1, "globex": 1}
    assert usage["total_invocations"] == 2


async def test_orgs_tenants_and_gateways_hang_together(migd: LocalMigd) -> None:
    org = await migd.post("/cloud/v0.1/orgs", {"name": "Acme Inc", "id": "o-1"})
    tenant = await migd.post("/cloud/v0.1/tenants", {"name": "Acme", "org_id": "o-1", "id": "acme"})
    gateway = await migd.post(
        "/cloud/v0.1/gateways", {"tenant_id": "acme", "region": "eu", "binding": "http"}
    )
    orphan = await migd.post("/cloud/v0.1/tenants", {"name": "X", "org_id": "o-9"})
    stray = await migd.post(
        "/cloud/v0.1/gateways", {"tenant_id": "nobody", "region": "eu", "binding": "http"}
    )

    assert (org.status, org.json) == (201, {"id": "o-1", "name": "Acme Inc"})
    assert (tenant.status, gateway.status) == (201, 201)
    assert gateway.json["id"]
    assert [(each.status, each.code) for each in (orphan, stray)] == [(404, "MIG_NOT_FOUND")] * 2


async def test_probes_answer_without_a_tenant_and_to_head(migd: LocalMigd) -> None:
    for path in ("/healthz", "/readyz"):
        assert (await migd.get(path)).json == {"status": "ok", "reasons": []}
        head = await migd.request("HEAD", path)
        assert (head.status, head.raw) == (200, b"")


async def test_the_pages_are_served_beside_the_protocol(migd: LocalMigd) -> None:
    for path in ("/ui", "/docs"):
        answer = await migd.get(path, accept="text/html")
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/html")
