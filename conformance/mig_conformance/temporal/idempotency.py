"""Two calls under one key at the same time [MIG-IDM-003]."""

from __future__ import annotations

import asyncio

from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import JsonObject
from mig_conformance.flaws import same
from mig_conformance.temporal.running import count_of, counted

# Long enough for a request that was sent to be there, which nothing tells from outside.
_ARRIVES_S = 0.1


async def waits_for_the_first(trial: Trial) -> None:
    """Both get the answer of the one run, and the second says that it was given again."""
    begun, go, key = trial.new_id(), trial.new_id(), trial.new_id()
    steps: list[JsonObject] = [{"mark": begun}, {"await_mark": {"key": go}}]
    first = asyncio.create_task(trial.script(*steps, header={"idempotency_key": key}))
    second = None
    try:
        await counted(trial, begun)
        second = asyncio.create_task(trial.script(*steps, header={"idempotency_key": key}))
        await asyncio.wait([first, second], timeout=_ARRIVES_S)
        same("whether a call is over before the first has run", (first.done(), second.done()), (False, False))
        (await trial.script({"mark": go})).accepted()
        one, other = [(await task).accepted() for task in (first, second)]
    finally:
        for task in filter(None, (first, second)):
            task.cancel()
        await asyncio.gather(*filter(None, (first, second)), return_exceptions=True)
    same("the payload of the second answer", other["payload"], one["payload"])
    same("how often it ran", await count_of(trial, begun), 1)
    replayed = [(answer["header"].get("meta") or {}).get("mig.idempotent_replay") for answer in (one, other)]
    same("mig.idempotent_replay of the two answers", replayed, [None, True])
