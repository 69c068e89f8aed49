"""Rates and limits of concurrency as callers of a real gateway meet them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from migd.core.limits import Allowance
from support.gateway_under_test import Scripted, capability
from support.running_migd import LocalMigd, local_migd, running_migd
from support.until import until

REFERENCE = "observatory.models.infer"
GO = {"input": "hello"}


async def streamed(migd: LocalMigd, tenant: str = "acme", to: str = REFERENCE) -> str:
    """How one streamed invocation over a WebSocket ended: the error's code, empty for a success."""
    async with migd.http.ws_connect("/mig/v0.1/stream", headers={"X-Tenant-ID": tenant}) as socket:
        frame = {"kind": "request", "stream_id": "s", "capability": to, "payload": GO}
        await socket.send_str(json.dumps(frame))
        async for message in socket:
            answer = json.loads(message.data)
            if answer["end_stream"]:
                return str(answer["error"]["code"]) if answer["kind"] == "error" else ""
    raise AssertionError("the connection ended before the stream")


async def scope(http: aiohttp.ClientSession, tenant: str) -> str:
    """Whose limit an invocation of this tenant met; empty for none."""
    path, body = f"/mig/v0.1/invoke/{REFERENCE}", {"payload": GO}
    async with http.post(path, json=body, headers={"X-Tenant-ID": tenant}) as answer:
        return "" if answer.status == 200 else str((await answer.json())["error"]["details"]["scope"])


async def test_beyond_its_rate_a_tenant_gets_429_and_when_to_come_back_over_every_binding() -> None:
    async with local_migd(MIGD_TENANT_RATE_PER_S="0.01", MIGD_TENANT_RATE_BURST="3") as migd:
        assert [(await migd.invoke(REFERENCE, GO)).status for _ in range(2)] == [200, 200]
        assert await streamed(migd) == ""
        beyond = await migd.invoke(REFERENCE, GO)
        assert (beyond.status, beyond.code) == (429, "MIG_RATE_LIMITED")
        assert beyond.json["error"]["retryable"] is True
        details = beyond.json["error"]["details"]
        assert (details["limit"], details["scope"]) == (0.01, "tenant")
        assert beyond.headers["retry-after"] == str(-(-details["retry_after_ms"] // 1000))
        assert await streamed(migd) == "MIG_RATE_LIMITED"
        assert (await migd.invoke(REFERENCE, GO, tenant="umbrella")).status == 200


async def test_beyond_its_concurrency_a_tenant_gets_503_until_one_has_ended() -> None:
    provider = Scripted()
    provider.waits = True
    slow = capability(provider, "test.slow", modes="unary")
    async with local_migd(slow, MIGD_TENANT_CONCURRENCY="1") as migd:
        running = asyncio.create_task(migd.invoke("test.slow"))
        await provider.started.wait()
        beyond = await migd.invoke(REFERENCE, GO)
        assert (beyond.status, beyond.code) == (503, "MIG_BACKPRESSURE")
        assert beyond.headers["retry-after"] == "1"
        assert beyond.json["error"]["details"] == {"limit": 1, "scope": "tenant", "retry_after_ms": 1000}
        assert await streamed(migd) == "MIG_BACKPRESSURE"
        provider.release.set()
        assert (await running).status == 200
        assert (await migd.invoke(REFERENCE, GO)).status == 200


async def test_a_client_that_hangs_up_leaves_its_place_to_the_next() -> None:
    provider = Scripted()
    provider.waits = True
    slow = capability(provider, "test.slow", limits=Allowance(concurrency=1))
    async with local_migd(slow) as migd:
        running = asyncio.create_task(migd.invoke("test.slow"))
        await provider.started.wait()
        assert (await migd.invoke("test.slow")).code == "MIG_BACKPRESSURE"
        running.cancel()
        await provider.stopped.wait()
        provider.waits = False
        await until(lambda: migd.gateway.in_flight() == 0)
        assert (await migd.invoke("test.slow")).status == 200


async def test_a_policy_names_the_limit_that_decides_and_takes_nothing_of_it() -> None:
    async with local_migd(MIGD_TENANT_RATE_PER_S="0.01") as migd:
        question = {"tenant_id": "acme", "capability": REFERENCE, "action": "invoke"}
        allowed = [(await migd.post("/pro/v0.1/policies/validate", question)).json for _ in range(3)]
        assert all(decision["allowed"] for decision in allowed)
        assert (await migd.invoke(REFERENCE, GO)).status == 200
        refused = (await migd.post("/pro/v0.1/policies/validate", question)).json
        seen = (await migd.post("/pro/v0.1/policies/validate", question | {"action": "discover"})).json
        assert refused == {
            "allowed": False,
            "reason": "tenant acme may start 0.01 invocations per second",
        }
        assert seen["allowed"] is True


def test_the_limits_of_a_manifest_hold_over_those_of_the_settings(tmp_path: Path) -> None:
    manifest = tmp_path / "migd.yaml"
    manifest.write_text(
        "migd: 1\nlimits: {tenants: {acme: {rate_per_s: 0.01, burst: 2}}}\n"
        "capabilities: [{builtin: reference, limits: {rate_per_s: 0.01, burst: 4}}]\n"
    )

    async def ask(url: str) -> list[str]:
        async with aiohttp.ClientSession(url) as http:
            return [await scope(http, tenant) for tenant in ("acme",) * 3 + ("globex",) * 3]

    with running_migd("--config", str(manifest), MIGD_TENANT_RATE_PER_S="100") as migd:
        codes = asyncio.run(ask(migd.url))
    assert codes == ["", "", "tenant", "", "", "capability"]


@pytest.mark.parametrize("store", ["memory", "sqlite"])
async def test_quota_and_usage_add_up_to_what_ran_with_every_store(store: str, tmp_path: Path) -> None:
    settings = {"MIGD_STORE": store, "MIGD_DATA_DIR": str(tmp_path / "data")}
    async with local_migd(**settings) as migd:
        await migd.post("/pro/v0.1/quotas", {"tenant_id": "acme", "max_invocations": 30})
        unary = [migd.invoke(REFERENCE, GO) for _ in range(40)]
        answers = [answer.status for answer in await asyncio.gather(*unary)]
        usage = (await migd.get("/cloud/v0.1/usage")).json
        assert (answers.count(200), answers.count(429)) == (30, 10)
        assert await streamed(migd) == "MIG_RATE_LIMITED"
        assert usage == {
            "tenant_invocations": {"acme": 30},
            "capability_invocations": {REFERENCE: 30},
            "total_invocations": 30,
        }
