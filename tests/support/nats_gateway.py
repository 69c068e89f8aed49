"""A gateway that is asked over NATS."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg

from migd.bindings.nats.client import StrictClient
from migd.core.catalog import Capability
from support.nats_servers import NatsServer
from support.running_migd import LocalMigd, local_migd
from support.until import until

INFER = "observatory.models.infer"


@dataclass(slots=True)
class Reply:
    """One answer."""

    headers: dict[str, str]
    json: Any

    @property
    def code(self) -> str:
        """The code of an ErrorEnvelope."""
        return str(self.json["error"]["code"])

    @property
    def pointers(self) -> list[str]:
        """Where an ErrorEnvelope says that the request is wrong."""
        return [violation["pointer"] for violation in self.json["error"]["details"]["violations"]]


class Frames:
    """The frames on one stream subject."""

    def __init__(self, subscription: Any) -> None:
        self._subscription = subscription
        self.headers: list[dict[str, str]] = []

    async def next(self) -> Any:
        message = await self._subscription.next_msg(timeout=20)
        self.headers.append(message.headers)
        return json.loads(message.data)

    async def rest(self) -> list[Any]:
        """Up to the terminal frame."""
        frames = [await self.next()]
        while not frames[-1]["end_stream"]:
            frames.append(await self.next())
        return frames


class NatsCaller:
    """A client of one tenant."""

    def __init__(self, client: Client, tenant: str = "acme") -> None:
        self.client = client
        self.tenant = tenant

    def subject(self, rest: str) -> str:
        return f"mig.v0_1.{self.tenant}.{rest}"

    async def ask(self, rest: str, body: Any = None, **headers: str) -> Reply:
        """A request to `mig.v0_1.{tenant}.{rest}`; `body` as JSON, or as it is when it is bytes."""
        return reply_of(await self.message(rest, body, **headers))

    async def message(self, rest: str, body: Any = None, **headers: str) -> Msg:
        return await self.client.request(
            self.subject(rest), encoded(body), timeout=20, headers=dict(headers) or None
        )

    async def invoke(self, capability: str = INFER, payload: Any = None, **headers: str) -> Reply:
        return await self.ask(f"invoke.{capability}", {"payload": payload or {"input": "hi"}}, **headers)

    async def frames(self, stream_id: str) -> Frames:
        return Frames(await self.client.subscribe(self.subject(f"stream.{stream_id}")))

    async def stream(self, capability: str = INFER, payload: Any = None, **headers: str) -> Reply:
        """Ask for a stream; gives the answer to that."""
        body = {"payload": payload or {"input": "hi"}, "stream_preference": "server_stream"}
        return await self.ask(f"invoke.{capability}", body, **headers)


def encoded(body: Any) -> bytes:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def reply_of(message: Msg) -> Reply:
    return Reply(message.headers or {}, json.loads(message.data))


@asynccontextmanager
async def nats_client(server: NatsServer, **options: Any) -> AsyncIterator[Client]:
    """A client that comes back at once when the server does, and whose `flush` waits for what came before."""
    client = StrictClient(require_tls=False)
    await client.connect(server.url, reconnect_time_wait=0, max_reconnect_attempts=-1, **options)
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def nats_migd(
    server: NatsServer, *capabilities: Capability, **environ: str
) -> AsyncIterator[LocalMigd]:
    """A gateway that is connected, and says so."""
    async with local_migd(*capabilities, MIGD_NATS_URL=server.url, **environ) as migd:
        await until(lambda: migd.gateway.readiness().status == "ok")
        yield migd


@asynccontextmanager
async def asked_migd(
    server: NatsServer, *capabilities: Capability, **environ: str
) -> AsyncIterator[tuple[LocalMigd, NatsCaller]]:
    """A connected gateway, and a caller of it."""
    async with nats_migd(server, *capabilities, **environ) as migd, nats_client(server) as client:
        yield migd, NatsCaller(client)
