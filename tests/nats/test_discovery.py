"""A gateway is found by NATS tools as the micro service that it is (NATS ADR-32)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from nats import errors
from nats.aio.client import Client
from nats.micro.service import ServiceInfo, ServicePing, ServiceStats

from mig_protocol.nats_service import SERVED
from migd.version import __version__
from support.nats_gateway import asked_migd, nats_client, nats_migd
from support.nats_servers import NatsServer

ADDRESSES = ("", ".mig-gateway", ".mig-gateway.one")


async def asked(client: Client, subject: str) -> Any:
    return json.loads((await client.request(subject, timeout=20)).data)


@pytest.mark.parametrize("address", ADDRESSES)
async def test_it_answers_to_everybody_to_its_name_and_to_its_id(
    nats_server: NatsServer, address: str
) -> None:
    async with asked_migd(nats_server, MIGD_SERVER_ID="one") as (_, caller):
        ping = await asked(caller.client, f"$SRV.PING{address}")
        info = await asked(caller.client, f"$SRV.INFO{address}")
        stats = await asked(caller.client, f"$SRV.STATS{address}")
    for answer, kind in ((ping, "ping"), (info, "info"), (stats, "stats")):
        assert answer["type"] == f"io.nats.micro.v1.{kind}_response"
        assert (answer["name"], answer["id"], answer["version"]) == ("mig-gateway", "one", __version__)
    # nats-py's own classes read them.
    assert ServicePing.from_dict(ping).id == ServiceInfo.from_dict(info).id
    assert ServiceStats.from_dict(stats).started.year > 2000


async def test_it_tells_of_every_endpoint(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server) as (_, caller):
        info = await asked(caller.client, "$SRV.INFO.mig-gateway")
    told = {(one["name"], one["subject"], one["queue_group"]) for one in info["endpoints"]}
    assert told == {(row.method, row.subject, row.queue) for row in SERVED}
    assert ("cancel", "mig.v0_1.*.control.cancel.>", "") in told


async def test_its_statistics_are_of_what_was_asked(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server) as (_, caller):
        for _ in range(3):
            await caller.invoke()
        await caller.invoke("no.such.one")
        await caller.ask("events.a.b")
        stats = await asked(caller.client, "$SRV.STATS")
    by_name = {one["name"]: one for one in stats["endpoints"]}
    invoke = by_name["invoke"]
    assert (invoke["num_requests"], invoke["num_errors"]) == (4, 1)
    assert "MIG_UNSUPPORTED_CAPABILITY" in invoke["last_error"]
    assert 0 < invoke["average_processing_time"] <= invoke["processing_time"]
    assert (by_name["publish"]["num_requests"], by_name["hello"]["num_requests"]) == (1, 0)


async def test_every_gateway_answers_for_itself(nats_server: NatsServer) -> None:
    async with (
        nats_migd(nats_server, MIGD_SERVER_ID="one"),
        nats_migd(nats_server, MIGD_SERVER_ID="two"),
        nats_client(nats_server) as client,
    ):
        inbox = client.new_inbox()
        answers = await client.subscribe(inbox)
        await client.publish("$SRV.PING", reply=inbox)
        found = {json.loads((await answers.next_msg(20)).data)["id"] for _ in range(2)}
        assert found == {"one", "two"}
        assert (await asked(client, "$SRV.PING.mig-gateway.two"))["id"] == "two"


async def test_without_the_binding_there_is_no_service(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server, MIGD_ENABLE_NATS_BINDING="false") as (migd, caller):
        with pytest.raises(errors.NoRespondersError):
            await caller.ask("hello")
        with pytest.raises(errors.NoRespondersError):
            await asked(caller.client, "$SRV.PING.mig-gateway")
        connections = (await migd.get("/admin/v0.1/connections")).json
        hello = await migd.post("/mig/v0.1/hello", {"requested_bindings": ["nats"]}, x_tenant_id="acme")
    assert connections["summary"]["nats_binding_active"] is False
    assert hello.json["selected_binding"] == "http"
