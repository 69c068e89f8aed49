"""Decisions about calls that nobody has made yet, and quotas [MIG-GOV-001, MIG-GOV-002]."""

from __future__ import annotations

from typing import Any

from mig_conformance.checks.expectation import compare
from mig_conformance.checks.trial import REFERENCE, Trial
from mig_conformance.drivers.port import Answer, Caller, JsonObject
from mig_conformance.flaws import expect, same
from mig_conformance.temporal.asking import invocation, refused_with

_ASKED = 5


async def decisions(trial: Trial) -> None:
    """About what a caller of the tenant may do with nothing but its scopes, where those are looked at."""
    unknown = f"conformance.c{trial.new_id()}"
    topic = trial.new_topic()
    for question, allowed in (
        ({"action": "invoke", "capability": REFERENCE}, True),
        ({"action": "discover", "capability": REFERENCE}, True),
        ({"action": "invoke", "capability": unknown}, False),
        ({"action": "discover", "capability": unknown}, False),
        ({"action": "invoke"}, False),
        ({"action": "publish", "topic": topic}, True),
        ({"action": "subscribe", "topic": topic}, True),
        ({"action": "publish"}, False),
        ({"action": "hello"}, True),
        ({"action": "cancel"}, True),
        ({"action": "heartbeat"}, True),
        ({"action": "no-such-action", "capability": REFERENCE}, False),
    ):
        decision = await _decision(trial, trial.own, **question)
        same(f"whether {question} is allowed", decision["allowed"], allowed)
        expect(decision["reason"].strip(), f"the decision about {question} has no reason")
    (await _invoked(trial, trial.own)).accepted()
    refused = await trial.call("INVOKE", invocation(capability=unknown), caller=trial.own)
    refused.refused("MIG_UNSUPPORTED_CAPABILITY")


async def decisions_about_scopes(trial: Trial) -> None:
    """The same caller makes the call; without authentication no scopes are looked at."""
    authenticated = trial.subject.auth.mode == "jwt"
    for scopes in ([], ["capability:other"], ["capability:infer"], ["capability:other", "capability:infer"]):
        allowed = not authenticated or "capability:infer" in scopes
        question = {"action": "invoke", "capability": REFERENCE, "scopes": scopes}
        decision = await _decision(trial, trial.own, **question)
        same(f"whether {question} is allowed", decision["allowed"], allowed)
        answer = await _invoked(trial, trial.callers.of_tenant(str(trial.own.tenant), " ".join(scopes)))
        if allowed:
            answer.accepted()
        else:
            answer.refused("MIG_FORBIDDEN")


async def decisions_about_quotas(trial: Trial) -> None:
    """To ask uses nothing up; once the quota is, the answer is that of the call."""
    caller = trial.callers.of_tenant(trial.new_tenant())
    question = {"action": "invoke", "capability": REFERENCE}
    await _set_quota(trial, caller, 1)
    for _ in range(_ASKED):
        same("whether one of one is allowed", (await _decision(trial, caller, **question))["allowed"], True)
    (await _invoked(trial, caller)).accepted()
    same("whether two of one are allowed", (await _decision(trial, caller, **question))["allowed"], False)
    (await _invoked(trial, caller)).refused("MIG_RATE_LIMITED")


async def quota(trial: Trial) -> None:
    """It bounds the one tenant; a higher one goes on from what is used, and answers of old do not count."""
    caller = trial.callers.of_tenant(trial.new_tenant())
    await _set_quota(trial, caller, 2)
    key = {"idempotency_key": trial.new_id()}
    for _ in range(3):
        (await _invoked(trial, caller, header=key)).accepted()
    (await _invoked(trial, caller)).accepted()
    await _used_up(trial, caller)
    (await _invoked(trial, trial.own)).accepted()
    await _set_quota(trial, caller, 3)
    (await _invoked(trial, caller)).accepted()
    await _used_up(trial, caller)


async def _used_up(trial: Trial, caller: Caller) -> None:
    refused_with(trial, await _invoked(trial, caller), "MIG_RATE_LIMITED", "INVOKE beyond the quota")


async def _set_quota(trial: Trial, caller: Caller, number: int) -> None:
    wanted = {"tenant_id": caller.tenant, "max_invocations": number}
    admin = trial.callers.named("admin")
    answer = await trial.call("SET_QUOTA", wanted, caller=admin, driver=trial.http)
    compare(wanted, answer.accepted(), "the quota that was set")


async def _decision(trial: Trial, caller: Caller, **question: Any) -> JsonObject:
    answer = await trial.call(
        "VALIDATE_POLICY",
        {"tenant_id": caller.tenant, **question},
        caller=trial.callers.named("admin"),
        driver=trial.http,
    )
    return answer.accepted()


async def _invoked(trial: Trial, caller: Caller, **members: Any) -> Answer:
    return await trial.call("INVOKE", invocation(**members), caller=caller)
