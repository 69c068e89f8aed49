"""MIGD_STORE=sqlite: what a gateway has acknowledged is there after it was killed (protocol section 2)."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp

from support.running_migd import MigdProcess, running_migd
from support.sse import subscribed

SCHEMA = {"type": "object", "required": ["input", "model"]}


def store_in(folder: Path) -> dict[str, Any]:
    """The settings of a gateway that keeps its store there."""
    return {"MIGD_STORE": "sqlite", "MIGD_DATA_DIR": str(folder / "data")}


def client(migd: MigdProcess) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(base_url=migd.url, headers={"X-Tenant-ID": "acme"})


async def post(http: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> dict[str, Any]:
    async with http.post(path, json=body) as answer:
        assert answer.status < 300, await answer.text()
        given: dict[str, Any] = await answer.json()
        return given


def command(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "migd", *arguments], env=environ, capture_output=True, text=True, check=False
    )


async def test_every_acknowledged_event_is_replayed_once_and_in_order_after_a_kill(tmp_path: Path) -> None:
    acknowledged: dict[int, int] = {}

    async def publish(http: aiohttp.ClientSession, first: int) -> None:
        """Until the gateway is gone; whatever was answered counts."""
        for value in range(first, 1_000_000, 8):
            try:
                ack = await post(http, "/mig/v0.1/publish/a.b", {"payload": {"value": value}})
            except (aiohttp.ClientError, AssertionError):
                return
            assert ack["sequence"] not in acknowledged
            acknowledged[ack["sequence"]] = value
            if len(acknowledged) == 300:
                killed.send_signal(signal.SIGKILL)

    with running_migd(**store_in(tmp_path)) as killed:
        async with client(killed) as http:
            await asyncio.gather(*(publish(http, first) for first in range(8)))
    assert len(acknowledged) >= 300
    with running_migd(**store_in(tmp_path)) as again:
        async with client(again) as http, subscribed(http, "a.b", "?resume_cursor=0") as reader:
            events = [event.data for event in await reader.take(max(acknowledged))]
    assert [event["sequence"] for event in events] == list(range(1, max(acknowledged) + 1))
    replayed = {event["sequence"]: event["payload"]["value"] for event in events}
    assert {sequence: replayed[sequence] for sequence in acknowledged} == acknowledged


async def test_answers_quotas_registrations_and_cancels_outlive_the_process(tmp_path: Path) -> None:
    invoke = "/mig/v0.1/invoke/observatory.models.infer"
    once = {"payload": {"input": "hi", "model": "m"}, "header": {"idempotency_key": "k-1"}}
    with running_migd(**store_in(tmp_path)) as killed:
        async with client(killed) as http:
            await post(http, "/pro/v0.1/quotas", {"tenant_id": "acme", "max_invocations": 2})
            first = await post(http, invoke, once)
            uri = "schema://observatory/models/infer-input/v1"
            await post(http, "/admin/v0.1/schemas", {"uri": uri, "schema": SCHEMA})
            await post(http, "/mig/v0.1/cancel/m-9", {"reason": "early"})
            killed.send_signal(signal.SIGKILL)
            killed.wait()
    with running_migd(**store_in(tmp_path)) as again:
        async with client(again) as http:
            repeated = await post(http, invoke, once)
            assert repeated["payload"] == first["payload"]
            assert repeated["header"]["meta"]["mig.idempotent_replay"] is True
            codes = [await code(http, invoke, body) for body in after_the_kill()]
    assert codes == ["MIG_INVALID_REQUEST", "MIG_TIMEOUT", "", "MIG_RATE_LIMITED"]


def after_the_kill() -> list[dict[str, Any]]:
    """Refused by the schema, by the cancel, not at all, and by the quota of which one is left."""
    good = {"input": "hi", "model": "m"}
    cancelled = {"payload": good, "header": {"message_id": "m-9"}}
    return [{"payload": {"input": "hi"}}, cancelled, {"payload": good}, {"payload": good}]


async def code(http: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> str:
    async with http.post(path, json=body) as answer:
        return str((await answer.json()).get("error", {}).get("code", ""))


def test_two_gateways_on_one_store_are_refused_in_one_line(tmp_path: Path) -> None:
    with running_migd(**store_in(tmp_path)):
        second = command("--addr", "127.0.0.1:0", **store_in(tmp_path))
    assert second.returncode == 2
    assert len(second.stderr.splitlines()) == 1
    assert "is in use by another migd" in second.stderr


async def test_a_backup_of_a_running_gateway_can_be_restored(tmp_path: Path) -> None:
    saved = tmp_path / "saved.sqlite3"
    with running_migd(**store_in(tmp_path)) as migd:
        async with client(migd) as http:
            await post(http, "/mig/v0.1/publish/a.b", {"payload": {"value": 1}})
            made = command("backup", str(saved), **store_in(tmp_path))
            assert (made.returncode, made.stderr) == (0, "")
            refused = command("restore", str(saved), "--force", **store_in(tmp_path))
            assert refused.returncode == 2
            assert len(refused.stderr.splitlines()) == 1
    elsewhere = store_in(tmp_path / "elsewhere")
    assert command("restore", str(saved), **elsewhere).returncode == 0
    with running_migd(**elsewhere) as migd:
        async with client(migd) as http, subscribed(http, "a.b", "?resume_cursor=0") as reader:
            assert (await reader.next()).data["payload"] == {"value": 1}
