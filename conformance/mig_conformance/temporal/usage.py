"""What invocations add up to [MIG-CLD-003]."""

from __future__ import annotations

from functools import partial

from mig_conformance.checks.trial import REFERENCE, Trial
from mig_conformance.drivers.port import Caller, JsonObject
from mig_conformance.flaws import expect, same
from mig_conformance.temporal.asking import invocation
from mig_conformance.temporal.awaiting import eventually

_TIMES = 3


async def adds_up(trial: Trial) -> None:
    """By tenant and by capability it is the same number in all, at any one moment."""
    (await trial.call("INVOKE", invocation())).accepted()
    report = await _report(trial)
    for name in ("tenant_invocations", "capability_invocations"):
        same(f"the sum of {name}", sum(report[name].values()), report["total_invocations"])


async def counts(trial: Trial) -> None:
    """What ran, once for each; neither what was refused before, nor an answer that was given again."""
    caller = trial.callers.of_tenant(trial.new_tenant())
    before = await _report(trial)
    same("the usage of a new tenant", before["tenant_invocations"].get(caller.tenant, 0), 0)
    key = {"idempotency_key": trial.new_id()}
    for header in (*({} for _ in range(_TIMES - 1)), key, key):
        (await trial.call("INVOKE", invocation(header=header), caller=caller)).accepted()
    unknown = invocation(capability=f"conformance.c{trial.new_id()}")
    (await trial.call("INVOKE", unknown, caller=caller)).refused("MIG_UNSUPPORTED_CAPABILITY")
    (await trial.call("INVOKE", invocation(payload={}), caller=caller)).refused("MIG_INVALID_REQUEST")
    await eventually(trial, partial(_differs, trial, caller))
    after = await _report(trial)
    for what, one, other in (
        ("capability", before["capability_invocations"], after["capability_invocations"]),
        ("total", {REFERENCE: before["total_invocations"]}, {REFERENCE: after["total_invocations"]}),
    ):
        more = other[REFERENCE] - one.get(REFERENCE, 0)
        expect(more >= _TIMES, f"the {what} count rose by {more}, and {_TIMES} ran")


async def _differs(trial: Trial, caller: Caller) -> str:
    found = (await _report(trial))["tenant_invocations"].get(caller.tenant, 0)
    return "" if found == _TIMES else f"{_TIMES} invocations of a new tenant are counted as {found}"


async def _report(trial: Trial) -> JsonObject:
    admin = trial.callers.named("admin")
    return (await trial.call("USAGE", {}, caller=admin, driver=trial.http)).accepted()
