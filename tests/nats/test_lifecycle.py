"""NATS may be away at any time: the rest goes on, and says so. Going down loses no answer."""

from __future__ import annotations

import asyncio
import signal

import pytest
from nats import errors
from nats.aio.client import Client

from support.gateway_under_test import Scripted, capability
from support.nats_gateway import INFER, NatsCaller, asked_migd, nats_client
from support.nats_servers import NatsServer
from support.running_migd import local_migd, running_migd
from support.until import until


async def test_http_is_served_while_nats_is_away_and_readiness_says_why(own_server: NatsServer) -> None:
    own_server.stop()
    async with local_migd(MIGD_NATS_URL=own_server.url) as migd:
        await until(lambda: "refused" in "".join(migd.gateway.readiness().reasons))
        ready = await migd.get("/readyz")
        invoked = await migd.invoke(INFER, {"input": "hi"})
        connections = (await migd.get("/admin/v0.1/connections")).json
        assert (ready.status, invoked.status, (await migd.get("/healthz")).status) == (503, 200, 200)
        assert ready.json["reasons"] == [f"nats: {own_server.url}: the connection is refused"]
        assert connections["summary"]["nats_binding_active"] is False

        own_server.start()
        await until(lambda: migd.gateway.readiness().status == "ok")
        connections = (await migd.get("/admin/v0.1/connections")).json
        assert connections["summary"]["nats_binding_active"] is True
        async with nats_client(own_server) as client:
            assert (await NatsCaller(client).invoke()).json["payload"]["result"] == "ok"


async def test_it_is_asked_again_after_a_restart_of_nats(own_server: NatsServer) -> None:
    async with asked_migd(own_server) as (migd, caller):
        for _ in range(2):
            own_server.stop()
            await until(lambda: migd.gateway.readiness().status != "ok")
            own_server.start()
            await until(lambda: migd.gateway.readiness().status == "ok" and caller.client.is_connected)
            assert (await caller.invoke()).json["payload"]["result"] == "ok"
            assert (await caller.ask("hello")).json["selected_binding"] == "nats"


async def test_work_goes_on_while_the_connection_is_lost(own_server: NatsServer) -> None:
    provider = Scripted()
    provider.waits = True
    async with asked_migd(own_server, capability(provider)) as (migd, caller):
        asking = asyncio.create_task(caller.invoke("test.scripted"))
        await provider.started.wait()
        own_server.stop()
        await until(lambda: migd.gateway.readiness().status != "ok")
        own_server.start()
        await until(lambda: migd.gateway.readiness().status == "ok" and caller.client.is_connected)
        await caller.client.flush()
        assert migd.gateway.in_flight() == 1
        provider.release.set()
        # The answer takes the connection that there is now.
        assert (await asking).json["payload"] == {"done": True}


async def test_a_process_says_that_it_is_ready_without_nats_and_logs_no_credential(
    own_server: NatsServer,
) -> None:
    own_server.stop()
    url = own_server.url.replace("://", "://user:hunter2@")
    with running_migd(MIGD_NATS_URL=url) as migd:
        migd.send_signal(signal.SIGTERM)
        assert migd.wait() == 0
    said = "".join(migd.stderr)
    assert f"{own_server.url}: the connection is refused" in said
    assert "hunter2" not in said
    assert "Traceback" not in said


async def test_what_is_in_flight_is_answered_and_nothing_new_is_taken(nats_server: NatsServer) -> None:
    provider = Scripted()
    provider.waits = True
    grace = {"MIGD_SHUTDOWN_GRACE_S": "3600"}
    async with asked_migd(nats_server, capability(provider), **grace) as (migd, caller):
        asking = asyncio.create_task(caller.invoke("test.scripted"))
        await provider.started.wait()
        stopping = asyncio.create_task(migd.stop())
        await until(lambda: migd.gateway.readiness().status != "ok")
        with pytest.raises(errors.NoRespondersError):
            await caller.invoke()
        with pytest.raises(errors.NoRespondersError):
            await caller.client.request("$SRV.PING.mig-gateway", timeout=20)
        provider.release.set()
        assert (await asking).json["payload"] == {"done": True}
        await stopping


async def test_what_outlives_the_grace_is_failed(nats_server: NatsServer) -> None:
    provider = Scripted()
    provider.waits = True
    async with asked_migd(nats_server, capability(provider)) as (migd, caller):
        asking = asyncio.create_task(caller.invoke("test.scripted"))
        await provider.started.wait()
        await migd.stop()
        assert (await asking).code == "MIG_UNAVAILABLE"


async def test_sigterm_answers_what_was_asked_and_ends_with_status_0(nats_server: NatsServer) -> None:
    with running_migd(MIGD_NATS_URL=nats_server.url, MIGD_SERVER_ID="one") as migd:
        async with nats_client(nats_server) as client:
            inbox = client.new_inbox()
            answers = await client.subscribe(inbox)
            await _served(client)
            for _ in range(200):
                await client.publish("mig.v0_1.acme.events.a.b", b"{}", reply=inbox)
            await client.flush()
            migd.send_signal(signal.SIGTERM)
            for _ in range(200):
                assert (await answers.next_msg(20)).data.startswith(b'{"header"')
        assert await asyncio.to_thread(migd.wait) == 0


async def _served(client: Client) -> None:
    while True:
        try:
            await client.request("mig.v0_1.acme.hello", timeout=20)
        except errors.NoRespondersError:
            continue
        return
