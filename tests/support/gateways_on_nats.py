"""Several gateways behind one NATS, in the test's event loop, and what can be seen of them from outside."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from migd.core.catalog import Capability
from support.nats_servers import NatsServer
from support.running_migd import LocalMigd, local_migd
from support.sse import EventReader, subscribed

_SAMPLE = re.compile(r"^(\w+)(?:\{outcome=\"(\w+)\"\})? (\S+)$", re.MULTILINE)


@asynccontextmanager
async def gateways(
    server: NatsServer, number: int, *capabilities: Capability, **environ: str
) -> AsyncIterator[list[LocalMigd]]:
    """So many, each with a store of its own, when every one of them knows all others."""
    async with AsyncExitStack() as stack:
        running = [
            await stack.enter_async_context(gateway(server, *capabilities, **environ)) for _ in range(number)
        ]
        await acquainted(running)
        yield running


def gateway(server: NatsServer, *capabilities: Capability, **environ: str) -> Any:
    """One, on that NATS."""
    return local_migd(*capabilities, MIGD_NATS_URL=server.url, **environ)


async def acquainted(running: Sequence[LocalMigd]) -> None:
    """Returns when each one says that the others are there."""
    for migd in running:
        await until_mirror(migd, peers=len(running) - 1)


async def until_mirror(migd: LocalMigd, **expected: int) -> None:
    """Returns when the gateway's numbers are these, or greater where it counts."""
    while True:
        found = await mirror_numbers(migd)
        gauges = ("peers", "owed", "missing")
        if all(
            found.get(name, 0) == number if name in gauges else found.get(name, 0) >= number
            for name, number in expected.items()
        ):
            return
        await asyncio.sleep(0)


async def mirror_numbers(migd: LocalMigd) -> dict[str, int]:
    """What /metrics says of mirroring: the outcomes of events, and peers, owed, missing."""
    text = (await migd.get("/metrics")).raw.decode()
    found = {}
    for name, outcome, value in _SAMPLE.findall(text):
        if name == "mig_gateway_events_mirrored_total":
            found[outcome] = int(float(value))
        elif name.startswith("mig_gateway_mirror_"):
            found[name.removeprefix("mig_gateway_mirror_").removesuffix("_topics")] = int(float(value))
    return found


async def publish(
    migd: LocalMigd, number: int, topic: str = "a.b", tenant: str = "acme", **header: str
) -> Any:
    """The ack of an event whose payload is that number."""
    body = {"header": {"tenant_id": tenant, **header}, "payload": {"number": number}}
    answer = await migd.post(f"/mig/v0.1/publish/{topic}", body)
    assert answer.status == 200, answer.raw
    return answer.json


async def numbers(reader: EventReader, count: int) -> list[int]:
    """Of the next events; they come without a hole in their sequences."""
    events = await reader.take(count)
    assert {event.kind for event in events} <= {"mig-event"}, events
    sequences = [event.data["sequence"] for event in events]
    assert sequences == list(range(sequences[0], sequences[0] + count))
    return [event.data["payload"]["number"] for event in events]


@asynccontextmanager
async def readers(
    running: Sequence[LocalMigd], topic: str = "a.b", tenant: str = "acme"
) -> AsyncIterator[list[EventReader]]:
    """A subscriber of each gateway, from now on."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(subscribed(migd.http, topic, tenant=tenant)) for migd in running
        ]


class Wire:
    """A NATS client that sees every message on the subjects of events."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.messages: list[Msg] = []

    async def collect(self, message: Msg) -> None:
        self.messages.append(message)

    @property
    def mirrored(self) -> list[Msg]:
        return [message for message in self.messages if message.headers and "mig-origin" in message.headers]

    async def numbers(self) -> list[int]:
        """Of all events so far, everything that NATS has had to say included."""
        await self.client.flush()
        await asyncio.sleep(0)
        return [json.loads(message.data)["payload"]["number"] for message in self.mirrored]


@asynccontextmanager
async def wire(server: NatsServer, subject: str = "mig.v0_1.*.events.>") -> AsyncIterator[Wire]:
    client = await nats.connect(server.url)
    seen = Wire(client)
    await client.subscribe(subject, cb=seen.collect)
    for _ in range(2):
        # nats-py's PING overtakes what it has not written yet, so the second one counts.
        await client.flush()
    try:
        yield seen
    finally:
        await client.close()
