"""Who may do what [MIG-AUZ-001 to 003]."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import Answer, Caller, JsonObject
from mig_conformance.flaws import FlawError, expect, same
from mig_conformance.temporal.asking import OPERATIONS, asked, invocation, refused_with

_CHANGING = ("message_id", "timestamp")


async def hidden(trial: Trial) -> None:
    """A capability that one of two tenants discovers and the other does not is hidden from that one."""
    capability, outsider = await _hidden_from(trial)
    unknown = f"conformance.c{trial.new_id()}"
    refusal = await _invoked(trial, capability, outsider)
    refused_with(trial, refusal, "MIG_UNSUPPORTED_CAPABILITY", "INVOKE of a hidden capability")
    other = await _invoked(trial, unknown, outsider)
    same(
        f"what tells {capability}, which is hidden, from {unknown}, which does not exist",
        _without(refusal, capability),
        _without(other, unknown),
    )


async def hidden_from_nobody_else(trial: Trial) -> None:
    """Those who see it are not told that it does not exist, whatever else comes of it."""
    capability, outsider = await _hidden_from(trial)
    own, other = trial.own, trial.callers.named("other")
    answer = await _invoked(trial, capability, own if outsider == other else other)
    code = (answer.error or {}).get("code")
    expect(code != "MIG_UNSUPPORTED_CAPABILITY", f"{capability} is discovered, and INVOKE answers {code}")


async def _hidden_from(trial: Trial) -> tuple[str, Caller]:
    """The id of one, and somebody of whom it is hidden."""
    own, other = trial.own, trial.callers.named("other")
    mine, theirs = await _discovered(trial, own), await _discovered(trial, other)
    for only, outsider in ((theirs - mine, own), (mine - theirs, other)):
        if only:
            return min(only), outsider
    raise FlawError(f"{own.tenant} and {other.tenant} discover the same capabilities")


async def _discovered(trial: Trial, caller: Caller) -> set[str]:
    driver = trial.http if trial.binding == "websocket" else trial.driver
    answer = (await trial.call("DISCOVER", {}, caller=caller, driver=driver)).accepted()
    return {descriptor["id"] for descriptor in answer["capabilities"]}


async def _invoked(trial: Trial, capability: str, caller: Caller) -> Answer:
    return await trial.call("INVOKE", invocation(capability=capability), caller=caller)


def _without(answer: Answer, capability: str) -> JsonObject:
    """The refusal, less the id and what no two answers have in common."""
    header = {name: value for name, value in (answer.header or {}).items() if name not in _CHANGING}
    told = {"error": answer.error, "header": header, "status": answer.status, "fields": sorted(answer.fields)}
    read: JsonObject = json.loads(json.dumps(told).replace(capability, "ID"))
    return read


async def topic_scopes(trial: Trial) -> None:
    """`vars` has patterns and the topics that they open or do not, in which T is a token of its own."""
    for action, operation in (("publish", "PUBLISH"), ("subscribe", "SUBSCRIBE")):
        if not _has(trial, operation):
            continue
        for opens in (True, False):
            for pattern, topic in trial.vars["opened" if opens else "closed"]:
                await _topic(trial, operation, f"mig:{action}:{pattern}", topic, opens=opens)
        further = {"publish": "subscribe", "subscribe": "publish"}[action]
        for scope in (f"mig:{further}:>", ">", f"mig:{action}", f"MIG:{action}:>", "mig:admin", ""):
            await _topic(trial, operation, scope, "T.b", opens=False)


async def _topic(trial: Trial, operation: str, scope: str, topic: str, *, opens: bool) -> None:
    token = f"t{trial.new_id()}"
    caller = trial.callers.of_tenant(str(trial.own.tenant), scope.replace("T", token))
    answer = await asked(trial, operation, caller, message={"topic": topic.replace("T", token)})
    what = f"{operation} to {topic} with the scope {scope!r}"
    if not opens:
        refused_with(trial, answer, "MIG_FORBIDDEN", what)
    elif answer.error is not None:
        raise FlawError(f"{what} is refused: {answer.error}")


async def rules(trial: Trial) -> None:
    """The rule of a refusal is the one that policies/validate gives to the same decision."""
    scopeless = trial.callers.named("scopeless")
    if trial.binding != "sse":
        decision = await _decision(trial, action="invoke", capability=invocation()["capability"])
        await _has_rule(trial, "INVOKE", scopeless, decision)
    for operation in ("PUBLISH", "SUBSCRIBE"):
        if _has(trial, operation) and "topic-scopes" in trial.subject.features:
            decision = await _decision(trial, action=operation.lower(), topic="conformance.topic")
            await _has_rule(trial, operation, scopeless, decision, {"topic": "conformance.topic"})
    if trial.binding == "http":
        decision = await _decision(trial, action="admin")
        await _has_rule(trial, "LIST_CAPABILITIES", scopeless, decision)


async def rule_of_tenants(trial: Trial) -> None:
    """A question about somebody else's tenant can not be put, so that its rule is known by its id alone."""
    caller = Caller(tenant=trial.subject.other_tenant, token=trial.own.token)
    answer = await asked(trial, "SUBSCRIBE" if trial.binding == "sse" else "INVOKE", caller)
    _same_rule(answer, "one-tenant", "a tenant that is not the token's")


async def _decision(trial: Trial, **question: Any) -> str:
    check = {"tenant_id": trial.own.tenant, "scopes": [], **question}
    admin = trial.callers.named("admin")
    answer = await trial.call("VALIDATE_POLICY", check, caller=admin, driver=trial.http)
    decision = answer.accepted()
    same(f"whether {question} is allowed without scopes", decision["allowed"], False)
    expect(decision.get("rule"), f"the decision about {question} names no rule: {decision}")
    return str(decision["rule"])


async def _has_rule(
    trial: Trial, operation: str, caller: Caller, rule: str, message: Mapping[str, Any] | None = None
) -> None:
    _same_rule(await asked(trial, operation, caller, message=message or {}), rule, operation)


def _same_rule(answer: Answer, rule: str, what: str) -> None:
    details = answer.refused("MIG_FORBIDDEN").get("details") or {}
    same(f"details.rule of the refusal of {what}", details.get("rule"), rule)


def _has(trial: Trial, operation: str) -> bool:
    return operation in OPERATIONS[trial.binding]
