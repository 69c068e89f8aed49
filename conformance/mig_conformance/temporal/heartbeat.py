"""What HEARTBEAT suggests and tells [MIG-HBT]."""

from __future__ import annotations

from contextlib import AsyncExitStack

from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import JsonObject
from mig_conformance.flaws import UncheckedError, expect, same
from mig_conformance.temporal.awaiting import eventually
from mig_conformance.temporal.running import LONG_MS, running

_LONGEST_MS = 2**32 - 1
_USUAL_MS = 5000


async def interval(trial: Trial) -> None:
    """Between the bounds, which 1 and the largest number show, what is asked for is what is suggested."""
    least, most = await _suggested(trial, 1), await _suggested(trial, _LONGEST_MS)
    expect(1 <= least <= most < _LONGEST_MS, f"the bounds seem to be {least} and {most}")
    if least == most:
        raise UncheckedError(f"the server suggests {least} whatever is asked for, which its bounds may allow")
    for asked in (least, least + 1, (least + most) // 2, most - 1, most):
        same(f"what is suggested for {asked}", await _suggested(trial, asked), min(max(asked, least), most))


async def default_interval(trial: Trial) -> None:
    """The same as if 5000 had been asked for."""
    absent = (await _heartbeat(trial))["suggested_interval_ms"]
    same("what is suggested where nothing is asked for", absent, await _suggested(trial, _USUAL_MS))


async def idle(trial: Trial) -> None:
    """Sooner or later: what another check has stopped may take a moment to be gone."""

    async def busy() -> str:
        factor = (await _heartbeat(trial))["load_factor"]
        return f"load_factor of a server without work is {factor}" if factor else ""

    await eventually(trial, busy)


async def load(trial: Trial) -> None:
    """Twice the work is twice the load."""
    await idle(trial)
    factors = [(await _heartbeat(trial))["load_factor"]]
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(running(trial, {"wait_ms": LONG_MS}))
            factors.append((await _heartbeat(trial))["load_factor"])
    nothing, one, two = factors
    expect(
        nothing == 0 < one <= 1, f"load_factor is {nothing} when idle and {one} with one invocation running"
    )
    expect(abs(two - 2 * one) <= one / 100, f"load_factor is {one} with one invocation and {two} with two")


async def _suggested(trial: Trial, interval_ms: int) -> int:
    return int((await _heartbeat(trial, interval_ms=interval_ms))["suggested_interval_ms"])


async def _heartbeat(trial: Trial, **fields: int) -> JsonObject:
    return (await trial.call("HEARTBEAT", fields)).accepted()
