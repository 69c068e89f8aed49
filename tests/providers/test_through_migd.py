"""Providers behind a real gateway: what ends an invocation ends the work behind it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from mig_protocol.messages import InvocationMode
from migd.capability import capability
from migd.capability.descriptor import describe
from migd.core.catalog import Capability
from migd.providers.http import HttpProvider, HttpService
from migd.providers.python import python_capability
from support.curl import read_curl
from support.running_migd import local_migd, running_migd

from .waiting_service import Waiting

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Handler], Awaitable[str]]


class Job(msgspec.Struct):
    name: str = ""


def in_front_of(url: str) -> Capability:
    service = HttpService(
        capability="test.slow", url=url, stream_url=url, timeout_s=60.0, max_response_bytes=1000
    )
    descriptor = describe(id="test.slow", version="1.0.0", modes=[InvocationMode.unary])
    return Capability(descriptor=descriptor, provider=HttpProvider(service))


async def test_the_callers_deadline_hangs_up_on_the_service(serve: Serve) -> None:
    waiting = Waiting()
    async with local_migd(in_front_of(await serve(waiting.answer))) as migd:
        answer = await migd.invoke("test.slow", deadline_ms=100)
        assert (answer.status, answer.code) == (504, "MIG_TIMEOUT")
        await asyncio.wait_for(waiting.left.wait(), 5)


async def test_cancel_hangs_up_on_the_service(serve: Serve) -> None:
    waiting = Waiting()
    async with local_migd(in_front_of(await serve(waiting.answer))) as migd:
        call = asyncio.create_task(migd.invoke("test.slow", message_id="slow-1"))
        await waiting.asked.wait()
        ack = await migd.post("/mig/v0.1/cancel/slow-1", {"header": {"tenant_id": "acme"}})
        assert ack.json["status"] == "cancelled"
        assert (await call).json["error"]["details"]["cancelled"] is True
        await asyncio.wait_for(waiting.left.wait(), 5)


async def test_a_caller_that_goes_away_hangs_up_on_the_service(serve: Serve) -> None:
    waiting = Waiting()
    async with local_migd(in_front_of(await serve(waiting.answer))) as migd:
        call = asyncio.create_task(migd.invoke("test.slow"))
        await waiting.asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(waiting.left.wait(), 5)


async def test_the_deadline_of_a_blocking_function_is_told_in_time() -> None:
    release = threading.Event()

    @capability(id="test.blocking")
    def blocking(job: Job) -> Job:
        assert release.wait(10)
        return job

    async with local_migd(python_capability(blocking)) as migd:
        answer = await migd.invoke("test.blocking", deadline_ms=50)
        assert (answer.status, answer.code) == (504, "MIG_TIMEOUT")
        assert not release.is_set()
        release.set()
        assert (await migd.invoke("test.blocking", {"name": "next"})).json["payload"] == {"name": "next"}


async def test_the_schema_of_the_type_hints_guards_the_function() -> None:
    @capability(id="test.guarded")
    async def guarded(job: Job) -> Job:
        return job

    async with local_migd(python_capability(guarded)) as migd:
        answer = await migd.invoke("test.guarded", {"name": 1})
        assert answer.code == "MIG_INVALID_REQUEST"
        assert answer.json["error"]["details"]["violations"][0]["pointer"] == "/name"


async def test_a_capability_of_one_tenant_does_not_exist_for_another() -> None:
    @capability(id="test.private")
    async def private(job: Job) -> Job:
        return job

    async with local_migd(python_capability(private, frozenset({"acme"}))) as migd:
        assert (await migd.invoke("test.private", tenant="acme")).status == 200
        assert (await migd.invoke("test.private", tenant="globex")).code == "MIG_UNSUPPORTED_CAPABILITY"


def test_a_blocking_call_that_never_returns_does_not_keep_migd_from_ending(tmp_path: Path) -> None:
    (tmp_path / "stuck_capability.py").write_text(
        "import threading\n"
        "from migd.capability import capability\n"
        "@capability(id='test.stuck')\n"
        "def stuck() -> dict[str, int]:\n"
        "    threading.Event().wait()\n"
        "    return {}\n"
    )
    manifest = tmp_path / "migd.yaml"
    manifest.write_text("migd: 1\ncapabilities:\n  - python: stuck_capability:stuck\n")
    with running_migd("--config", str(manifest)) as migd:
        headers = "-H 'X-Tenant-ID: acme' -H 'MIG-Deadline-Ms: 100'"
        status, _ = read_curl(f"curl {migd.url}/mig/v0.1/invoke/test.stuck {headers} -d '{{}}'").send()
        assert status == 504
        assert migd.stop() == 0
