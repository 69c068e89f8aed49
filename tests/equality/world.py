"""A gateway with every binding on, and runs of calls over each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from itertools import count
from typing import Any, TypeVar

from equality.asked import JsonObject, Who
from equality.capabilities import Holds, equal_capabilities
from equality.lanes import Lane
from equality.over_http import OverHttp
from equality.over_websocket import OverWebSocket
from equality.unsayable import HTTP, WEBSOCKET
from migd.core.gateway import Gateway
from support.running_migd import LocalMigd, local_migd
from support.tokens import JWT_MODE, bearer

T = TypeVar("T")

PATIENCE_S = 20.0
"""How long an answer may take until it counts as none; only a difference makes anyone wait for it."""


class World:
    """Made by `a_world`. Its event loop runs inside `run` only."""

    def __init__(self, runner: asyncio.Runner, migd: LocalMigd, holds: Holds, *, jwt: bool) -> None:
        self._runner = runner
        self._migd = migd
        self._numbers = count()
        self.holds = holds
        self.jwt = jwt

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    async def open_lanes(self, *, insiders: bool) -> list[Lane]:
        """A lane for each binding, each with tenants that nobody has used."""
        return [self._over_http(self._who(insiders)), self._over_websocket(self._who(insiders))]

    def _who(self, insiders: bool) -> Who:
        number = next(self._numbers)
        return Who(own=f"{'in' if insiders else 'out'}-{number}", other=f"foreign-{number}")

    def _over_http(self, who: Who) -> Lane:
        http, frames = OverHttp(self._migd.http, who), OverWebSocket(self._migd.http, who)
        return Lane(
            name=HTTP, who=who, arrived_on="http", asks=http, streams=frames, chats=frames, subscribes=http,
            replays=http,
        )  # fmt: skip

    def _over_websocket(self, who: Who) -> Lane:
        http, frames = OverHttp(self._migd.http, who), OverWebSocket(self._migd.http, who)
        return Lane(
            name=WEBSOCKET, who=who, arrived_on="http", asks=http, streams=frames, chats=frames, subscribes=http,
            replays=http, framed=frames,
        )  # fmt: skip

    # -- what operators see, over HTTP -----------------------------------------------------------------

    async def set_quota(self, lane: Lane, most: int) -> None:
        body = {"tenant_id": lane.who.own, "max_invocations": most}
        answer = await self._migd.post("/pro/v0.1/quotas", body, Authorization=_operator())
        assert answer.status == 200, answer.raw

    async def audit(self, lane: Lane) -> list[JsonObject]:
        """The tenant's audit records, without what is the transport's or the clock's."""
        path = f"/pro/v0.1/audit/export?tenant_id={lane.who.own}"
        records = (await self._migd.get(path, Authorization=_operator())).json["records"]
        told = ("actor", "tenant_id", "capability", "outcome", "message_id")
        return [{name: lane.normalise.value(record[name]) for name in told} for record in records]

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
def a_world(*, jwt: bool, spoil: Callable[[Gateway], None] | None = None) -> Iterator[World]:
    """A running gateway. `spoil` may change it before the first call."""
    holds = Holds()
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        migd = runner.run(
            stack.enter_async_context(local_migd(*equal_capabilities(holds), **(JWT_MODE if jwt else {})))
        )
        if spoil is not None:
            spoil(migd.gateway)
        try:
            yield World(runner, migd, holds, jwt=jwt)
        finally:
            runner.run(stack.aclose())


def _operator() -> str:
    return bearer("operator", "mig:admin")
