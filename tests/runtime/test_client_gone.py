"""A client that goes away takes its work with it, on every kind of connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from support.gateway_under_test import Scripted, capability
from support.raw_http import connect
from support.running_migd import LocalMigd, local_migd
from support.sse import subscribed
from support.until import until


@pytest.fixture
def provider() -> Scripted:
    scripted = Scripted()
    scripted.waits = True
    return scripted


@pytest.fixture
async def migd(provider: Scripted) -> AsyncIterator[LocalMigd]:
    async with local_migd(capability(provider)) as running:
        yield running


async def outcomes(migd: LocalMigd, count: int) -> list[str]:
    """The audited outcomes, once there are so many."""
    while True:
        records = (await migd.get("/pro/v0.1/audit/export")).json["records"]
        if len(records) >= count:
            return [record["outcome"] for record in records]


async def test_an_http_client_that_leaves_stops_its_invocation(migd: LocalMigd, provider: Scripted) -> None:
    asking = asyncio.create_task(migd.invoke("test.scripted"))
    await provider.started.wait()
    asking.cancel()

    await provider.stopped.wait()
    assert await outcomes(migd, 1) == ["MIG_TIMEOUT"]
    assert 'path="/mig/v0.1/invoke/{capability}",status="499"' in (await migd.get("/metrics")).raw.decode()


async def test_one_that_waits_for_the_same_idempotency_key_goes_on(
    migd: LocalMigd, provider: Scripted
) -> None:
    first = asyncio.create_task(migd.invoke("test.scripted", idempotency_key="k-1"))
    await provider.started.wait()
    second = asyncio.create_task(migd.invoke("test.scripted", idempotency_key="k-1"))
    await until(lambda: migd.gateway.in_flight() == 2)
    first.cancel()
    await provider.stopped.wait()
    provider.release.set()

    answer = await second
    assert answer.status == 200
    assert "mig.idempotent_replay" not in answer.json["header"]["meta"]


async def test_a_websocket_that_is_closed_stops_all_its_streams(migd: LocalMigd, provider: Scripted) -> None:
    async with migd.http.ws_connect("/mig/v0.1/stream") as socket:
        await socket.send_json(request("s-1"))
        await provider.started.wait()

    await provider.stopped.wait()
    assert await outcomes(migd, 1) == ["MIG_TIMEOUT"]
    assert (await migd.get("/admin/v0.1/connections")).json["summary"]["total"] == 0


async def test_a_websocket_that_breaks_off_stops_its_streams(migd: LocalMigd, provider: Scripted) -> None:
    raw = await connect(migd.url)
    raw.send(HANDSHAKE)
    await raw.reader.readuntil(b"\r\n\r\n")
    raw.send(text_frame(json.dumps(request("s-1")).encode()))
    await provider.started.wait()
    raw.abort()

    await provider.stopped.wait()


async def test_a_subscriber_that_leaves_is_forgotten(migd: LocalMigd) -> None:
    async with subscribed(migd.http, "a.b"):
        assert (await migd.get("/admin/v0.1/connections")).json["summary"]["total"] == 1

    while (await migd.get("/admin/v0.1/connections")).json["summary"]["total"]:
        pass
    assert 'mig_gateway_active_streams{type="sse_subscribe"} 0.0' in (await migd.get("/metrics")).raw.decode()


async def test_a_client_that_sends_its_next_request_early_is_not_gone(
    migd: LocalMigd, provider: Scripted
) -> None:
    """Pipelining: bytes on the connection are not a disconnect."""
    raw = await connect(migd.url)
    raw.send(raw_invoke() + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await provider.started.wait()
    provider.release.set()

    answers = await raw.reader.read()
    raw.abort()
    assert answers.count(b"HTTP/1.1 200 OK") == 2


def request(stream_id: str) -> dict[str, Any]:
    return {
        "header": {"tenant_id": "acme"},
        "kind": "request",
        "stream_id": stream_id,
        "capability": "test.scripted",
    }


def raw_invoke() -> bytes:
    body = json.dumps({"header": {"tenant_id": "acme"}}).encode()
    return b"POST /mig/v0.1/invoke/test.scripted HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )


def text_frame(payload: bytes) -> bytes:
    """A WebSocket text message whose mask is zeros (RFC 6455, 5.2)."""
    return b"\x81" + (b"\xfe" + len(payload).to_bytes(2, "big")) + bytes(4) + payload


HANDSHAKE = (
    b"GET /mig/v0.1/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
