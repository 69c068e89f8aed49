"""CANCEL of what is running [MIG-CAN]."""

from __future__ import annotations

import asyncio

from mig_conformance.checks.expectation import answered, compare
from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import Caller, JsonObject
from mig_conformance.flaws import same
from mig_conformance.temporal.running import LONG_MS, counted, running

_REASON = "not wanted any more"


async def cancel(trial: Trial, target: str, caller: Caller | None = None) -> JsonObject:
    """CANCEL of that message over the binding; the ack, as far as every binding has it."""
    message = {"target_message_id": target, "reason": _REASON}
    ack = (await trial.call("CANCEL", message, caller=caller)).accepted()
    return {name: ack.get(name) for name in ("accepted", "status")}


async def running_work(trial: Trial) -> None:
    """The work itself is stopped, and does not go on behind its caller's back."""
    target, stopped, went_on = trial.new_id(), trial.new_id(), trial.new_id()
    steps: list[JsonObject] = [{"mark_on_stop": stopped}, {"wait_ms": LONG_MS}, {"mark": went_on}]
    async with running(trial, *steps, header={"message_id": target}):
        same("the ack", await cancel(trial, target), {"accepted": True, "status": "cancelled"})
        counters = await counted(trial, stopped, went_on)
    same("the counters", dict(counters), {stopped: 1, went_on: 0})
    same(
        "the ack of a second cancel", await cancel(trial, target), {"accepted": False, "status": "completed"}
    )


async def error_of_the_cancelled(trial: Trial) -> None:
    """What its caller is told."""
    target = trial.new_id()
    async with running(trial, {"wait_ms": LONG_MS}, header={"message_id": target}) as task:
        await cancel(trial, target)
        answer = await task
    details = {"cancelled": True, "reason": _REASON}
    answered(
        answer, {"error": {"code": "MIG_TIMEOUT", "retryable": False, "details": details}}, trial.binding
    )


async def stream(trial: Trial) -> None:
    """Frames that came before stay, and the error is the last one."""
    target = trial.new_id()
    message = trial.scripted({"emit": {}}, {"wait_ms": LONG_MS}, header={"message_id": target})
    opened = await trial.stream({**message, "stream_preference": "server_stream"})
    try:
        compare({"kind": "response", "end_stream": False}, await opened.next(), "the first frame")
        same("the ack", await cancel(trial, target), {"accepted": True, "status": "cancelled"})
        frames = await opened.rest()
    finally:
        await opened.close()
    details = {"cancelled": True, "reason": _REASON}
    error = {"code": "MIG_TIMEOUT", "retryable": False, "details": details}
    compare([{"kind": "error", "end_stream": True, "error": error}], frames, "the frames after the cancel")


async def other_tenant(trial: Trial) -> None:
    """Another tenant's CANCEL of the same message id leaves it running, and does not tell that it runs."""
    target, go = trial.new_id(), trial.new_id()
    async with running(trial, {"await_mark": {"key": go}}, header={"message_id": target}) as task:
        ack = await cancel(trial, target, trial.callers.named("other"))
        same("the ack of another tenant", ack, {"accepted": True, "status": "pending"})
        (await trial.script({"mark": go})).accepted()
        async with asyncio.timeout(trial.patience_s):
            answer = await task
    answer.accepted()
