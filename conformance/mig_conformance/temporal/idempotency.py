"""Two calls under one key at the same time [MIG-IDM-003, MIG-IDM-004, MIG-INV-010]."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from mig_conformance.checks.expectation import answered
from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import Answer, JsonObject
from mig_conformance.flaws import same
from mig_conformance.temporal.running import count_of, counted

# Long enough for a request that was sent to be there, which nothing tells from outside.
_ARRIVES_S = 0.1
_SOON_MS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _First:
    """The first call under `key`, which runs until the counter `go` is marked, and has marked `begun`."""

    trial: Trial
    key: str
    begun: str
    go: str
    calls: list[asyncio.Task[Answer]]

    def call(self, **header: object) -> asyncio.Task[Answer]:
        """One more of the same."""
        steps: list[JsonObject] = [{"mark": self.begun}, {"await_mark": {"key": self.go}}]
        asked = self.trial.script(*steps, header={"idempotency_key": self.key, **header})
        self.calls.append(asyncio.create_task(asked))
        return self.calls[-1]

    async def let_go(self) -> None:
        """The first one can come to its end."""
        (await self.trial.script({"mark": self.go})).accepted()


async def waits_for_the_first(trial: Trial) -> None:
    """Both get the answer of the one run, and the second says that it was given again."""
    async with _running_first(trial) as first:
        first.call()
        await asyncio.wait(first.calls, timeout=_ARRIVES_S)
        over = [call.done() for call in first.calls]
        same("which of the two calls are over before the first has run", over, [False, False])
        await first.let_go()
        one, other = [(await call).accepted() for call in first.calls]
    same("the payload of the second answer", other["payload"], one["payload"])
    same("how often it ran", await count_of(trial, first.begun), 1)
    replayed = [(answer["header"].get("meta") or {}).get("mig.idempotent_replay") for answer in (one, other)]
    same("mig.idempotent_replay of the two answers", replayed, [None, True])


async def other_payload_meanwhile(trial: Trial) -> None:
    """Nothing has to be waited for to see that it is another one."""
    async with _running_first(trial) as first:
        answer = await trial.script({"mark": first.begun}, header={"idempotency_key": first.key})
        answered(answer, {"error": "MIG_INVALID_REQUEST"}, trial.binding)
        await first.let_go()
        (await first.calls[0]).accepted()
    same("how often it ran", await count_of(trial, first.begun), 1)


async def deadline_while_waiting(trial: Trial) -> None:
    """The second gives up when its time is over; the first goes on and has its answer."""
    async with _running_first(trial) as first:
        answered(await first.call(deadline_ms=_SOON_MS), {"error": "MIG_TIMEOUT"}, trial.binding)
        await first.let_go()
        (await first.calls[0]).accepted()


@asynccontextmanager
async def _running_first(trial: Trial) -> AsyncIterator[_First]:
    begun, go, key = trial.new_id(), trial.new_id(), trial.new_id()
    first = _First(trial=trial, key=key, begun=begun, go=go, calls=[])
    try:
        first.call()
        await counted(trial, begun)
        yield first
    finally:
        for call in first.calls:
            call.cancel()
        await asyncio.gather(*first.calls, return_exceptions=True)
