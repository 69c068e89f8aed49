"""nats-server is killed and started again under load: nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import json
import signal
from dataclasses import dataclass, field
from typing import Any

from nats import errors

from support.gateway_under_test import Scripted, capability
from support.nats_gateway import NatsCaller, asked_migd
from support.nats_servers import NatsServer
from support.running_migd import LocalMigd
from support.sse import subscribed
from support.until import until

PUBLISHERS = 8
RESTARTS = 3


@dataclass(slots=True)
class History:
    """What the callers were told, in the order in which each was told it: key -> acknowledgement."""

    acks: dict[str, Any] = field(default_factory=dict)
    retries: int = 0


async def publish(caller: NatsCaller, name: str, history: History, stop: asyncio.Event) -> None:
    """One event after the other, each repeated under its key until it is acknowledged."""
    number = 0
    while not stop.is_set():
        key = f"{name}-{number}"
        body = json.dumps({"payload": {"key": key}}).encode()
        try:
            message = await caller.client.request(
                caller.subject("events.a.b"), body, timeout=0.3, headers={"idempotency_key": key}
            )
        except (errors.Error, OSError):
            history.retries += 1
            await asyncio.sleep(0)
            continue
        history.acks[key] = json.loads(message.data)
        number += 1


async def restart(server: NatsServer, migd: LocalMigd, history: History) -> None:
    """In the middle of the load: some more is acknowledged before it and after it."""
    before = len(history.acks)
    await until(lambda: len(history.acks) > before + 50)
    server.stop()
    await until(lambda: migd.gateway.readiness().status != "ok")
    server.start()
    await until(lambda: migd.gateway.readiness().status == "ok")
    before = len(history.acks)
    await until(lambda: len(history.acks) > before + 50)


async def test_every_acknowledged_event_is_in_the_log_once_and_in_order(own_server: NatsServer) -> None:
    history, stop = History(), asyncio.Event()
    async with asked_migd(own_server) as (migd, caller):
        publishing = [
            asyncio.create_task(publish(caller, f"p{number}", history, stop)) for number in range(PUBLISHERS)
        ]
        for _ in range(RESTARTS):
            await restart(own_server, migd, history)
        stop.set()
        await asyncio.gather(*publishing)
        last = max(ack["sequence"] for ack in history.acks.values())
        async with subscribed(migd.http, "a.b", "?resume_cursor=0") as events:
            log = [event.data for event in await events.take(last)]

    assert [event["sequence"] for event in log] == list(range(1, last + 1))
    keys = [event["payload"]["key"] for event in log]
    assert len(keys) == len(set(keys)), "a repeated key was appended again"
    found = {event["payload"]["key"]: (event["event_id"], event["sequence"]) for event in log}
    told = {key: (ack["event_id"], ack["sequence"]) for key, ack in history.acks.items()}
    assert told.items() <= found.items(), "an acknowledged event is not in the log as it was acknowledged"
    for number in range(PUBLISHERS):
        sequences = [told[key][1] for key in history.acks if key.startswith(f"p{number}-")]
        assert sequences == sorted(sequences)
    assert history.retries > 0, "no request was lost: this did not test anything"


async def test_while_nats_reads_nothing_a_stream_waits_and_costs_a_bounded_amount(
    own_server: NatsServer,
) -> None:
    provider = Scripted()
    provider.items = [{"text": "x" * 100_000}] * 300
    frozen = asyncio.Event()

    async def stream(_: Any) -> Any:
        provider.started.set()
        await frozen.wait()
        for item in provider.items:
            yield item

    provider.stream = stream  # type: ignore[method-assign, assignment]
    async with asked_migd(own_server, capability(provider)) as (migd, caller):
        frames = await caller.frames("s-1")
        await caller.stream("test.scripted", stream_id="s-1")
        await provider.started.wait()
        nats = migd.application.nats
        assert nats is not None
        client = nats.link.client
        own_server.signal(signal.SIGSTOP)
        frozen.set()
        await until(lambda: client.pending_data_size > 3_000_000)
        for _ in range(1000):
            await asyncio.sleep(0)
            assert client.pending_data_size < 6_000_000
        assert migd.gateway.in_flight() == 1
        own_server.signal(signal.SIGCONT)
        assert len(await frames.rest()) == 301
