"""The bounds of an invocation: payload, deadline, caller, provider [MIG-INV-001, 004, 009, 011, 012]."""

from __future__ import annotations

import asyncio

from mig_conformance.checks.expectation import answered, compare
from mig_conformance.checks.trial import REFERENCE, SCRIPT, Trial
from mig_conformance.drivers.port import Answer, JsonObject
from mig_conformance.flaws import expect, same
from mig_conformance.temporal.running import LONG_MS, counted, running

# What a payload may have besides its text, and still be within the limit however its size is counted.
_MARGIN = 1024
_SCRIPT_BYTES = 65_536
_TOO_LONG = "a" * (_SCRIPT_BYTES + 1)


async def payload_size(trial: Trial) -> None:
    """A little less than qos.max_payload_bytes of the reference capability is taken, a little more is not."""
    limit = 1_048_576
    within = await trial.call("INVOKE", _reference("a" * (limit - _MARGIN)))
    within.accepted()
    _too_large(trial, await trial.call("INVOKE", _reference("a" * (limit + 1))))


async def payload_size_of_the_script(trial: Trial) -> None:
    """The same of the scripted capability, whose limit fits into a message of NATS."""
    (await trial.call("INVOKE", _scripted("a" * (_SCRIPT_BYTES - _MARGIN)))).accepted()
    _too_large(trial, await trial.call("INVOKE", _scripted(_TOO_LONG)))


async def scope_before_size(trial: Trial) -> None:
    """Who may not call it does not hear how large a payload could be."""
    answer = await trial.call("INVOKE", _scripted(_TOO_LONG), caller=trial.callers.named("scopeless"))
    answered(answer, {"error": "MIG_FORBIDDEN"}, trial.binding)


async def size_before_schema(trial: Trial) -> None:
    """A payload that is too large is told to be that alone."""
    message = {"capability": SCRIPT, "payload": {"steps": 7, "result": {"text": _TOO_LONG}}}
    error = _too_large(trial, await trial.call("INVOKE", message))
    expect("violations" not in (error.get("details") or {}), "the schema was looked at before the size")


async def deadline_stops_the_work(trial: Trial) -> None:
    """The provider hears that it is to stop, and does not go on behind the caller's back."""
    stopped, went_on = trial.new_id(), trial.new_id()
    steps: list[JsonObject] = [{"mark_on_stop": stopped}, {"wait_ms": LONG_MS}, {"mark": went_on}]
    answer = await trial.script(*steps, header={"deadline_ms": 50})
    answered(answer, {"error": "MIG_TIMEOUT"}, trial.binding)
    counters = await counted(trial, stopped, went_on)
    same("the counters", dict(counters), {stopped: 1, went_on: 0})


async def caller_goes_away(trial: Trial) -> None:
    """Work is stopped when nobody waits for it any more."""
    stopped, went_on = trial.new_id(), trial.new_id()
    async with running(trial, {"mark_on_stop": stopped}, {"wait_ms": LONG_MS}, {"mark": went_on}) as task:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        counters = await counted(trial, stopped, went_on)
    same("the counters", dict(counters), {stopped: 1, went_on: 0})


async def no_provider(trial: Trial) -> None:
    """A capability that is registered over the admin API and that nobody runs."""
    capability = f"conformance.c{trial.new_id()}"
    descriptor = {"id": capability, "version": "1.0.0", "modes": ["unary"]}
    admin = trial.callers.named("admin")
    registered = await trial.call(
        "REGISTER_CAPABILITY", {"descriptor": descriptor}, caller=admin, driver=trial.http
    )
    compare({"id": capability}, registered.accepted(), "the registered descriptor")
    answer = await trial.call("INVOKE", {"capability": capability, "payload": {"input": "hello"}})
    answered(answer, {"error": {"code": "MIG_UNAVAILABLE", "retryable": True}}, trial.binding)


def _reference(text: str) -> JsonObject:
    return {"capability": REFERENCE, "payload": {"input": text}}


def _scripted(text: str) -> JsonObject:
    return {"capability": SCRIPT, "payload": {"result": {"text": text}}}


def _too_large(trial: Trial, answer: Answer) -> JsonObject:
    expected: JsonObject = {"error": "MIG_INVALID_REQUEST"}
    if trial.binding == "http":
        expected["status"] = 413
    answered(answer, expected, trial.binding)
    return answer.error or {}
