"""CANCEL reaches the gateway that runs the target, whichever gateway is asked, and over what (MIG-CAN)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from nats.aio.msg import Msg

from support.gateway_under_test import Scripted, capability
from support.gateways_on_nats import acquainted, gateway, gateways, until_mirror, wire
from support.nats_servers import NatsServer
from support.running_migd import Answer, LocalMigd

REFERENCE = "observatory.models.infer"


async def cancel_over_http(migd: LocalMigd, target: str, tenant: str = "acme") -> Any:
    body = {"header": {"tenant_id": tenant}, "reason": "enough"}
    return (await migd.post(f"/mig/v0.1/cancel/{target}", body)).json["status"]


async def answers_over_nats(server: NatsServer, running: Sequence[LocalMigd], target: str) -> list[Any]:
    """Every answer that a CANCEL over NATS gets."""
    answers: list[Msg] = []
    first = asyncio.Event()

    async def collect(message: Msg) -> None:
        answers.append(message)
        first.set()

    async with wire(server) as seen:
        inbox = seen.client.new_inbox()
        await seen.client.subscribe(inbox, cb=collect)
        subject = f"mig.v0_1.acme.control.cancel.{target}"
        await seen.client.publish(subject, b'{"reason":"enough"}', reply=inbox)
        await first.wait()
        for migd in running:
            # Whoever else would answer has had the time to.
            await cancel_over_http(migd, "m-nobody")
        await seen.client.flush()
    return [json.loads(answer.data)["status"] for answer in answers]


async def running_on(migd: LocalMigd, provider: Scripted, target: str) -> asyncio.Task[Answer]:
    task = asyncio.create_task(migd.invoke("test.scripted", message_id=target))
    await provider.started.wait()
    return task


@pytest.mark.parametrize("asked", [0, 1, 2])
async def test_work_is_stopped_whichever_gateway_is_asked(nats_server: NatsServer, asked: int) -> None:
    provider = Scripted()
    provider.waits = True
    async with gateways(nats_server, 3, capability(provider)) as running:
        invoking = await running_on(running[1], provider, "m-1")
        assert await cancel_over_http(running[asked], "m-1") == "cancelled"
        answer = await invoking
        assert provider.stopped.is_set()
        assert answer.json["error"]["details"] == {"cancelled": True, "reason": "enough"}
        # It was stopped where it ran, and so is refused nowhere.
        provider.waits = False
        assert (await running[0].invoke("test.scripted", message_id="m-1")).status == 200


@pytest.mark.parametrize("runs", [0, 1, 2])
async def test_a_cancel_over_nats_is_answered_by_the_gateway_that_runs_it(
    nats_server: NatsServer, runs: int
) -> None:
    provider = Scripted()
    provider.waits = True
    async with gateways(nats_server, 3, capability(provider)) as running:
        invoking = await running_on(running[runs], provider, "m-1")
        assert await answers_over_nats(nats_server, running, "m-1") == ["cancelled"]
        assert (await invoking).code == "MIG_TIMEOUT"
        assert await answers_over_nats(nats_server, running, "m-1") == ["completed"]


async def test_a_cancel_that_comes_first_is_pending_once_and_refuses_its_target_everywhere(
    nats_server: NatsServer,
) -> None:
    async with gateways(nats_server, 3) as running:
        assert await cancel_over_http(running[0], "m-http") == "pending"
        assert await answers_over_nats(nats_server, running, "m-nats") == ["pending"]
        for migd in running:
            for target in ("m-http", "m-nats"):
                late = await migd.invoke(REFERENCE, {"input": "hi"}, message_id=target)
                assert late.code == "MIG_TIMEOUT", target


async def test_what_ran_on_another_gateway_is_known_as_completed(nats_server: NatsServer) -> None:
    async with gateways(nats_server, 3) as running:
        assert (await running[2].invoke(REFERENCE, {"input": "hi"}, message_id="m-over")).status == 200
        for migd in running:
            assert await cancel_over_http(migd, "m-over") == "completed"


async def test_another_tenants_work_is_not_reached_on_any_gateway(nats_server: NatsServer) -> None:
    provider = Scripted()
    provider.waits = True
    async with gateways(nats_server, 3, capability(provider)) as running:
        invoking = await running_on(running[1], provider, "m-1")
        assert await cancel_over_http(running[0], "m-1", tenant="umbrella") == "pending"
        assert await cancel_over_http(running[1], "m-1", tenant="umbrella") == "pending"
        assert not invoking.done()
        assert await cancel_over_http(running[2], "m-1") == "cancelled"
        await invoking


async def test_a_request_that_all_gateways_refuse_is_answered_once(nats_server: NatsServer) -> None:
    answers: list[Msg] = []

    async def collect(message: Msg) -> None:
        answers.append(message)

    async with gateways(nats_server, 3) as running, wire(nats_server) as seen:
        inbox = seen.client.new_inbox()
        await seen.client.subscribe(inbox, cb=collect)
        await seen.client.publish("mig.v0_1.acme.control.cancel.m-1", b"{", reply=inbox)
        for migd in running:
            await cancel_over_http(migd, "m-nobody")
        await seen.client.flush()
    assert [json.loads(answer.data)["error"]["code"] for answer in answers] == ["MIG_INVALID_REQUEST"]


async def test_a_gateway_that_has_left_is_not_counted_on(nats_server: NatsServer) -> None:
    async with gateways(nats_server, 2) as running:
        async with gateway(nats_server) as third:
            await acquainted([*running, third])
        for migd in running:
            await until_mirror(migd, peers=1)
        assert await answers_over_nats(nats_server, running, "m-1") == ["pending"]


async def test_a_gateway_that_takes_no_requests_over_nats_speaks_for_nobody_and_is_reached(
    nats_server: NatsServer,
) -> None:
    provider = Scripted()
    provider.waits = True
    async with contextlib.AsyncExitStack() as stack:
        serving = await stack.enter_async_context(gateway(nats_server))
        # Of several one would have the lead, whichever gateway has the first id.
        others = [
            await stack.enter_async_context(
                gateway(nats_server, capability(provider), MIGD_ENABLE_NATS_BINDING="false")
            )
            for _ in range(3)
        ]
        await acquainted([serving, *others])
        assert await answers_over_nats(nats_server, [serving, *others], "m-nobody-knows") == ["pending"]
        invoking = await running_on(others[0], provider, "m-1")
        assert await answers_over_nats(nats_server, [serving, *others], "m-1") == ["cancelled"]
        assert (await invoking).json["error"]["details"]["cancelled"] is True
