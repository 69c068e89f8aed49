"""A gateway with every binding on, and runs of calls over each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

import aiohttp
import nats
import nats.aio.client
from grpc import aio

from equality.asked import JsonObject, Who
from equality.capabilities import Holds, equal_capabilities
from equality.lanes import Lane
from equality.normalise import Normaliser
from equality.outcome import canonical
from equality.over_grpc import OverGrpc
from equality.over_http import OverHttp
from equality.over_nats import OverNats
from equality.over_websocket import OverWebSocket
from equality.unsayable import GRPC, HTTP, NATS, WEBSOCKET
from mig_protocol.messages import ConnectionKind, ConnectionQuery
from migd.core.gateway import Gateway
from support.running_migd import LocalMigd, local_migd
from support.tokens import JWT_MODE, bearer
from support.until import until

T = TypeVar("T")

PATIENCE_S = 15.0
"""How long an answer may take until it counts as none; only a difference makes anyone wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """The connections that all runs share; their tenants keep them apart."""

    http: aiohttp.ClientSession
    channel: aio.Channel
    nats: nats.aio.client.Client


class World:
    """Made by `a_world`. Its event loop runs inside `run` only."""

    def __init__(
        self, runner: asyncio.Runner, migd: LocalMigd, clients: Clients, holds: Holds, *, jwt: bool
    ) -> None:
        self._runner = runner
        self._migd = migd
        self._clients = clients
        self._numbers = count()
        self.holds = holds
        self.jwt = jwt

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def open_lanes(self, *, insiders: bool) -> list[Lane]:
        """A lane for each binding, each with tenants that nobody has used."""
        return [self._lane(name, self._who(insiders)) for name in (HTTP, WEBSOCKET, GRPC, NATS)]

    def _who(self, insiders: bool) -> Who:
        number = next(self._numbers)
        return Who(own=f"{'in' if insiders else 'out'}-{number}", other=f"foreign-{number}")

    def _lane(self, name: str, who: Who) -> Lane:
        http, frames = OverHttp(self._clients.http, who), OverWebSocket(self._clients.http, who)
        lane = Lane(
            name=name,
            who=who,
            normalise=Normaliser(who, name if name in (GRPC, NATS) else HTTP),
            asks=http,
            streams=frames,
            chats=frames,
            subscribes=http,
            replays=http,
        )
        if name == WEBSOCKET:
            lane.framed = frames
        if name == GRPC:
            own = OverGrpc(self._clients.channel, who, self._subscriptions)
            lane.asks = lane.streams = lane.chats = lane.subscribes = lane.replays = own
        if name == NATS:
            lane.asks = lane.streams = lane.subscribes = OverNats(self._clients.nats, who)
        return lane

    def _subscriptions(self, tenant: str) -> int:
        query = ConnectionQuery(tenant_id=tenant, kind=ConnectionKind.event_subscribe)
        return self._migd.gateway.list_connections(query).summary.total

    async def idle(self) -> None:
        """Returns once no invocation is in flight: HEARTBEAT tells of everyone's."""
        await until(lambda: self._migd.gateway.in_flight() == 0)

    # -- what operators see, over HTTP -----------------------------------------------------------------

    async def set_quota(self, lane: Lane, most: int) -> None:
        body = {"tenant_id": lane.who.own, "max_invocations": most}
        answer = await self._migd.post("/pro/v0.1/quotas", body, Authorization=_operator())
        assert answer.status == 200, answer.raw

    async def audit(self, lane: Lane) -> list[JsonObject]:
        """The tenant's audit records, without what is the transport's or the clock's.

        Sorted: of two calls that end together, one under the key of the other, either may be written first.
        """
        path = f"/pro/v0.1/audit/export?tenant_id={lane.who.own}"
        records = (await self._migd.get(path, Authorization=_operator())).json["records"]
        told = ("actor", "tenant_id", "operation", "capability", "outcome", "message_id")
        plain = [{name: lane.normalise.unnamed(record[name]) for name in told} for record in records]
        return sorted(plain, key=canonical)

    async def usage(self, lane: Lane) -> int:
        """How many invocations the tenant has been charged with."""
        report = (await self._migd.get("/cloud/v0.1/usage", Authorization=_operator())).json
        return int(report["tenant_invocations"].get(lane.who.own, 0))


async def patiently(lane: Lane, answer: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await answer
    except TimeoutError:
        raise AssertionError(f"{lane.name} does not answer") from None


@contextmanager
def a_world(*, jwt: bool, nats_url: str, spoil: Callable[[Gateway], None] | None = None) -> Iterator[World]:
    """A running gateway. `spoil` may change it before the first call."""
    holds = Holds()
    settings = {"MIGD_GRPC_ADDR": "127.0.0.1:0", "MIGD_NATS_URL": nats_url, **(JWT_MODE if jwt else {})}
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        migd = runner.run(stack.enter_async_context(local_migd(*equal_capabilities(holds), **settings)))
        if spoil is not None:
            spoil(migd.gateway)
        try:
            clients = runner.run(_connected(stack, migd, nats_url))
            yield World(runner, migd, clients, holds, jwt=jwt)
        finally:
            runner.run(stack.aclose())


async def _connected(stack: AsyncExitStack, migd: LocalMigd, nats_url: str) -> Clients:
    """Returns once every binding is served."""
    assert migd.grpc is not None
    channel = await stack.enter_async_context(aio.insecure_channel(str(migd.grpc.address)))
    client = await nats.connect(nats_url)
    stack.push_async_callback(client.close)
    await until(lambda: not migd.gateway.readiness().reasons)
    return Clients(http=migd.http, channel=channel, nats=client)


def _operator() -> str:
    return bearer("operator", "mig:admin")
