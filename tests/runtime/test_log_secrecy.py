"""At its most talkative, over every kind of failure, the log has neither secrets nor payloads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import jwt
import pytest
from aiohttp import web

from mig_protocol.pb import mig_pb2 as pb
from mig_protocol.pb import mig_pb2_grpc
from support.local_web import serving
from support.nats_servers import running_nats
from support.running_migd import MigdProcess, running_migd

SECRET = "planted-jwt-secret-of-more-than-32-bytes"
SERVICE_KEY = "planted-service-key"
NATS_PASSWORD = "planted-nats-password"
PAYLOAD = "planted-payload"
PLANTED = (SECRET, SERVICE_KEY, NATS_PASSWORD, PAYLOAD)
_MODULE = """
from dataclasses import dataclass
from migd.capability import capability

@dataclass
class Counted:
    count: int

@capability(id='test.broken', version='1.0.0')
async def broken(payload: dict) -> dict:
    raise RuntimeError('out of order')

@capability(id='test.typed', version='1.0.0')
async def typed(payload: Counted) -> dict:
    return {}
"""
_MANIFEST = """
migd: 1
capabilities:
  - python: planted:broken
  - python: planted:typed
  - id: test.service
    version: 1.0.0
    http: {url}
    headers: {{Authorization: "Bearer {key}"}}
"""


@pytest.mark.parametrize("form", ["text", "json"])
async def test_neither_secrets_nor_payloads_are_logged(form: str, tmp_path: Path) -> None:
    config = f"authorization {{ user: migd, password: {NATS_PASSWORD} }}"
    with running_nats(tmp_path / "nats", config=config) as nats:
        async with failing_service() as url:
            (tmp_path / "planted.py").write_text(_MODULE)
            (tmp_path / "migd.yaml").write_text(_MANIFEST.format(url=url, key=SERVICE_KEY))
            with running_migd(
                "--config",
                "migd.yaml",
                cwd=tmp_path,
                MIGD_LOG_LEVEL="debug",
                MIGD_LOG_FORMAT=form,
                MIGD_AUTH_MODE="jwt",
                MIGD_JWT_HS256_SECRET=SECRET,
                MIGD_GRPC_ADDR="127.0.0.1:0",
                MIGD_NATS_URL=nats.url.replace("//", f"//migd:{NATS_PASSWORD}@"),
                MIGD_OTLP_ENDPOINT="http://127.0.0.1:9" if form == "json" else "",
            ) as migd:
                tokens = await fail_in_many_ways(migd)
                migd.stop()

    said = "".join([*migd.stdout, *migd.stderr])
    codes = ("MIG_INTERNAL", "MIG_INVALID_REQUEST", "MIG_UNAUTHORIZED", "MIG_FORBIDDEN", "MIG_NOT_FOUND")
    assert [code for code in (*codes, "not valid at", "answered 503", "m-broken") if code not in said] == []
    assert [planted for planted in (*PLANTED, *tokens) if planted in said] == []


async def fail_in_many_ways(migd: MigdProcess) -> list[str]:
    """Gives the tokens that were shown."""
    good, bad = token(SECRET), token("another secret of more than 32 bytes")
    async with aiohttp.ClientSession(migd.url) as http:
        for bearer in (good, bad):
            headers = {"Authorization": f"Bearer {bearer}", "X-Tenant-ID": "acme"}
            for path, body in requests():
                async with http.post(path, data=body, headers=headers) as answer:
                    await answer.read()
        async with http.post("/mig/v0.1/hello", json={}, headers={"Authorization": f"Basic {bad}"}) as answer:
            assert answer.status == 401
        async with http.ws_connect(
            "/mig/v0.1/stream", protocols=("mig.v0.1", f"mig.bearer.{good}")
        ) as socket:
            await fail_on_a_websocket(socket)
    await asyncio.to_thread(fail_over_grpc, migd, good)
    return [good, bad]


def requests() -> list[tuple[str, bytes]]:
    invoke = "/mig/v0.1/invoke"
    payload = {"text": PAYLOAD, "count": PAYLOAD}
    body = json.dumps({"header": {"message_id": "m-broken"}, "payload": payload}).encode()
    return [
        *((f"{invoke}/test.{name}", body) for name in ("broken", "typed", "service", "unknown")),
        (f"{invoke}/observatory.models.infer", body),
        (f"{invoke}/test.typed", b'{"payload": {"text": "' + PAYLOAD.encode()),
        (f"{invoke}/test.typed", json.dumps({"payload": PAYLOAD}).encode()),
        (f"{invoke}/test.typed", json.dumps({"header": {"tenant_id": "globex"}, **payload}).encode()),
        ("/mig/v0.1/publish/planted", body),
        ("/admin/v0.1/capabilities", body),
        (f"/nowhere?key={PAYLOAD}", body),
    ]


async def fail_on_a_websocket(socket: aiohttp.ClientWebSocketResponse) -> None:
    frames: list[dict[str, Any]] = [
        {"kind": "request", "capability": f"test.{name}", "payload": {"count": PAYLOAD}}
        for name in ("broken", "typed", "service", "unknown")
    ]
    for frame in (*frames, {"kind": "control", "payload": {"action": PAYLOAD}}, {"kind": PAYLOAD}):
        await socket.send_json(frame)
        assert (await socket.receive_json())["kind"] == "error"


def fail_over_grpc(migd: MigdProcess, bearer: str) -> None:
    address = next(word for word in "".join(migd.stdout).split() if word.startswith("127.0.0.1:"))
    stubs: Any = mig_pb2_grpc
    metadata = (("authorization", f"Bearer {bearer}"),)
    with grpc.insecure_channel(address) as channel:
        for name in ("broken", "typed", "service", "unknown"):
            request = pb.InvokeRequest(capability=f"test.{name}")
            request.payload.update({"count": PAYLOAD})
            with pytest.raises(grpc.RpcError, match="MIG_"):
                stubs.InvocationStub(channel).Invoke(request, metadata=metadata)


def token(secret: str) -> str:
    return jwt.encode({"sub": "alice", "tenant_id": "acme", "scope": "none"}, secret, algorithm="HS256")


@asynccontextmanager
async def failing_service() -> AsyncIterator[str]:
    """It gives back what it got, as careless ones do, and fails."""

    async def fail(request: web.Request) -> web.Response:
        return web.Response(status=503, body=await request.read())

    async with serving("POST", "/", fail) as url:
        yield f"{url}/"
