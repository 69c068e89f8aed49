"""Going down in order: nothing new, what runs ends or is failed, streams get their last frame."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from support.gateway_under_test import Scripted, capability
from support.raw_http import connect
from support.running_migd import going_down, local_migd
from support.sse import subscribed

LONG = {"MIGD_SHUTDOWN_GRACE_S": "3600"}


@pytest.fixture
def provider() -> Scripted:
    scripted = Scripted()
    scripted.waits = True
    return scripted


async def test_what_is_in_flight_may_finish(provider: Scripted) -> None:
    async with local_migd(capability(provider), **LONG) as migd:
        running = asyncio.create_task(migd.invoke("test.scripted"))
        await provider.started.wait()
        stopping = await going_down(migd)
        provider.release.set()

        answer = await running
        await stopping
        assert (answer.status, answer.json["payload"]) == (200, {"done": True})
        assert answer.headers["connection"] == "close"


async def test_what_outlives_the_grace_is_failed_and_stopped(provider: Scripted) -> None:
    async with local_migd(capability(provider), MIGD_SHUTDOWN_GRACE_S="0.01") as migd:
        running = asyncio.create_task(migd.invoke("test.scripted"))
        await provider.started.wait()
        await migd.stop()

        answer = await running
        assert provider.stopped.is_set()
        assert (answer.status, answer.code) == (503, "MIG_UNAVAILABLE")
        assert answer.json["error"]["retryable"] is True


async def test_new_connections_are_not_accepted(provider: Scripted) -> None:
    async with local_migd(capability(provider), **LONG) as migd:
        running = asyncio.create_task(migd.invoke("test.scripted"))
        await provider.started.wait()
        stopping = await going_down(migd)

        async with aiohttp.ClientSession() as other:
            with pytest.raises(aiohttp.ClientConnectorError):
                await other.get(f"{migd.url}/healthz")
        provider.release.set()
        await asyncio.gather(running, stopping)


async def test_idle_connections_are_closed_at_once() -> None:
    async with local_migd(**LONG) as migd:
        host, port = migd.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"}")
        await migd.stop()

        assert await reader.read() == b""
        writer.close()


async def test_a_subscription_ends_and_can_be_resumed_from_its_cursor() -> None:
    async with local_migd(**LONG) as migd, subscribed(migd.http, "a.b") as events:
        await migd.post("/mig/v0.1/publish/a.b", {}, x_tenant_id="acme")
        assert (await events.next()).id == "1"
        await migd.stop()

        with pytest.raises(EOFError):
            await events.next()


async def test_a_stream_gets_its_terminal_error_frame_then_the_connection_closes_with_1001(
    provider: Scripted,
) -> None:
    async with (
        local_migd(capability(provider), MIGD_SHUTDOWN_GRACE_S="0.01") as migd,
        migd.http.ws_connect("/mig/v0.1/stream") as socket,
    ):
        await socket.send_json(
            {
                "header": {"tenant_id": "acme"},
                "kind": "request",
                "stream_id": "s-1",
                "capability": "test.scripted",
            }
        )
        await provider.started.wait()
        stopping = asyncio.create_task(migd.stop())
        frame = json.loads((await socket.receive()).data)
        closed = await socket.receive()
        await stopping

        assert (frame["stream_id"], frame["kind"], frame["end_stream"]) == ("s-1", "error", True)
        assert frame["error"]["code"] == "MIG_UNAVAILABLE"
        assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 1001)


async def test_a_new_stream_on_an_old_connection_is_refused(provider: Scripted) -> None:
    async with (
        local_migd(capability(provider), **LONG) as migd,
        migd.http.ws_connect("/mig/v0.1/stream") as socket,
    ):
        frame = {"header": {"tenant_id": "acme"}, "kind": "request", "capability": "test.scripted"}
        await socket.send_json({**frame, "stream_id": "old"})
        await provider.started.wait()
        stopping = await going_down(migd)
        await socket.send_json({**frame, "stream_id": "new"})
        refused = json.loads((await socket.receive()).data)
        provider.release.set()
        finished = json.loads((await socket.receive()).data)
        await stopping

    assert (refused["stream_id"], refused["error"]["code"]) == ("new", "MIG_UNAVAILABLE")
    assert (finished["stream_id"], finished["kind"]) == ("old", "response")


async def test_readiness_is_503_and_says_why_as_soon_as_it_drains() -> None:
    async with local_migd() as migd:
        await migd.gateway.drain(0)
        answer = await migd.get("/readyz")

        assert (answer.status, (await migd.get("/healthz")).status) == (503, 200)
        assert answer.json == {"status": "unavailable", "reasons": ["the gateway is going down"]}


async def test_a_client_that_does_not_finish_its_request_is_left_behind_quietly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with local_migd(**LONG) as migd:
        migd.edge.flush_s = 0.05
        raw = await connect(migd.url)
        raw.send(b"POST /mig/v0.1/hello HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
        await migd.get("/healthz")
        await migd.stop()
        assert migd.edge.server_state.tasks == set()
        raw.abort()

    assert [each for each in caplog.records if each.levelname == "ERROR"] == []
