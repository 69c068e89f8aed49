"""Who may do what, and which rule says so: the decision, its explanation, and the refusal of a real call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    ConnectionKind,
    DiscoverRequest,
    MigErrorCode,
    PolicyCheck,
    PolicyDecision,
    PublishRequest,
    Quota,
    SubscribeRequest,
)
from mig_protocol.operations import OPERATIONS
from migd.core.call import Call, Principal
from migd.core.catalog import Catalog
from migd.core.policy import ACTIONS, Policy
from migd.core.rules import ONE_TENANT
from migd.core.schema_bounds import SchemaBounds
from migd.core.schemas import SchemaCatalog
from migd.core.topic_scopes import covers
from support.gateway_under_test import GatewayUnderTest, Scripted, calling, capability

OPERATOR = calling("operations", scopes="mig:admin").principal


@pytest.fixture
async def under_test() -> AsyncIterator[GatewayUnderTest]:
    """Capabilities that are open, scoped, and umbrella's alone; topics have scopes."""
    async with GatewayUnderTest(
        capability(Scripted(), "test.open"),
        capability(Scripted(), "test.scoped", auth_scopes=["run", "call"]),
        capability(Scripted(), "test.theirs", tenants=frozenset({"umbrella"}), auth_scopes=["run"]),
        topic_scopes=True,
    ) as running:
        yield running


def explained(under_test: GatewayUnderTest, asking: Principal = OPERATOR, **check: Any) -> PolicyDecision:
    check.setdefault("tenant_id", "acme")
    return under_test.gateway.administration.validate_policy(asking, PolicyCheck(**check))


def test_every_operation_has_an_action_that_a_rule_decides_about() -> None:
    callers = {operation.id.lower() for operation in OPERATIONS if operation.rights == "caller"} - {"stream"}
    assert set(ACTIONS) == callers | {"admin"}


# action, target, scopes of the caller -> the rule that decides, and whether it allows
DECISIONS = [
    ("invoke", "test.open", [], "capability-visible", True),
    ("invoke", "test.scoped", [], "capability-scope", False),
    ("invoke", "test.scoped", ["other", "mig:admin"], "capability-scope", False),
    ("invoke", "test.scoped", ["call"], "capability-scope", True),
    ("invoke", "test.theirs", ["run"], "capability-visible", False),
    ("invoke", "test.nowhere", ["run"], "capability-known", False),
    ("discover", "test.scoped", [], "capability-scope", False),
    ("discover", "test.theirs", ["run"], "capability-visible", False),
    ("publish", "a.b", [], "topic-scope", False),
    ("publish", "a.b", ["mig:subscribe:a.b"], "topic-scope", False),
    ("publish", "a.b", ["mig:publish:a.*"], "topic-scope", True),
    ("subscribe", "a.b", ["mig:subscribe:>"], "topic-scope", True),
    ("subscribe", "a.b", ["mig:admin"], "topic-scope", False),
    ("hello", "", [], "one-tenant", True),
    ("cancel", "", [], "one-tenant", True),
    ("heartbeat", "", [], "one-tenant", True),
    ("admin", "", ["run"], "admin-scope", False),
    ("admin", "", ["mig:admin"], "admin-scope", True),
    ("destroy", "", ["mig:admin"], "no-rule", False),
]


@pytest.mark.parametrize(("action", "target", "scopes", "rule", "allowed"), DECISIONS)
async def test_an_explanation_names_the_rule_that_the_real_call_is_decided_by(
    under_test: GatewayUnderTest, action: str, target: str, scopes: list[str], rule: str, allowed: bool
) -> None:
    check: dict[str, Any] = {"action": action, "scopes": scopes}
    if kind := {"invoke": "capability", "discover": "capability"}.get(action, "topic" if target else ""):
        check[kind] = target

    decision = explained(under_test, **check)
    assert (decision.rule, decision.allowed) == (rule, allowed)
    if act := REAL_CALLS.get(action):
        fault = await refusal_of(act(under_test, calling("acme", scopes=" ".join(scopes)), target))
        assert (fault is None) == allowed
        if fault is not None and fault.details:
            assert fault.details["rule"] == rule


async def discovered(under_test: GatewayUnderTest, call: Call, target: str) -> None:
    answer = under_test.gateway.discover(call, DiscoverRequest(query=target))
    if [found.id for found in answer.capabilities] != [target]:
        raise MigFault(MigErrorCode.MIG_NOT_FOUND, "it is not among those that are there")


async def administered(under_test: GatewayUnderTest, call: Call, _: str) -> None:
    under_test.gateway.require_admin(call)


async def subscribed(under_test: GatewayUnderTest, call: Call, target: str) -> None:
    request = SubscribeRequest(topic=target)
    (await under_test.gateway.subscribe(call, request, ConnectionKind.sse_subscribe)).close()


REAL_CALLS: dict[str, Callable[[GatewayUnderTest, Call, str], Awaitable[Any]]] = {
    "invoke": lambda under_test, call, target: under_test.invoke(call=call, to=target),
    "discover": discovered,
    "publish": lambda under_test, call, target: under_test.gateway.publish(
        call, PublishRequest(topic=target)
    ),
    "subscribe": subscribed,
    "admin": administered,
}


async def refusal_of(call: Awaitable[Any]) -> MigFault | None:
    try:
        await call
    except MigFault as fault:
        return fault
    return None


async def test_a_hidden_capability_is_refused_exactly_as_one_that_does_not_exist(
    under_test: GatewayUnderTest,
) -> None:
    caller = calling("acme", scopes="run")
    hidden = await refusal_of(under_test.invoke(call=caller, to="test.theirs"))
    unknown = await refusal_of(under_test.invoke(call=caller, to="test.nothis"))

    assert hidden is not None
    assert unknown is not None
    assert hidden.message.replace("theirs", "nothis") == unknown.message
    assert (hidden.code, hidden.details, hidden.retryable) == (
        unknown.code,
        unknown.details,
        unknown.retryable,
    )


async def test_without_scopes_a_question_is_about_a_caller_that_has_what_it_takes(
    under_test: GatewayUnderTest,
) -> None:
    decision = explained(under_test, action="invoke", capability="test.scoped")
    assert (decision.allowed, decision.rule) == (True, "capability-scope")
    assert "call, run" in decision.reason


async def test_in_open_mode_no_scope_is_looked_at(under_test: GatewayUnderTest) -> None:
    everyone = calling().principal
    checks: tuple[dict[str, Any], ...] = (
        {"action": "invoke", "capability": "test.scoped"},
        {"action": "publish", "topic": "a.b"},
        {"action": "admin"},
    )
    for check in checks:
        assert explained(under_test, everyone, scopes=[], **check).allowed
    await under_test.invoke(call=calling(), to="test.scoped")
    await under_test.gateway.publish(calling(), PublishRequest(topic="a.b"))


@pytest.mark.parametrize("action", sorted(set(ACTIONS) - {"admin"}))
def test_nobody_acts_for_another_tenant_than_that_of_the_credential(action: str) -> None:
    catalog = Catalog(SchemaCatalog(10, SchemaBounds()), 10)
    catalog.add(capability(Scripted(), "test.open"))
    caller = calling("acme", scopes="mig:admin").principal
    assert Policy(catalog).decide(caller, "acme", action, "test.open").allowed
    foreign = Policy(catalog).decide(caller, "umbrella", action, "test.open")
    assert (foreign.allowed, foreign.rule) == (False, ONE_TENANT)
    assert foreign.fault().code is MigErrorCode.MIG_FORBIDDEN


async def test_the_allowance_decides_once_every_rule_allows(under_test: GatewayUnderTest) -> None:
    question: dict[str, Any] = {"tenant_id": "umbrella", "action": "invoke", "capability": "test.theirs"}
    assert explained(under_test, **question).allowed
    await under_test.gateway.administration.set_quota(Quota(tenant_id="umbrella", max_invocations=1))
    await under_test.invoke(call=calling("umbrella"), to="test.theirs")

    used_up = explained(under_test, **question)
    assert (used_up.allowed, used_up.rule) == (False, "allowance")
    assert used_up.reason == "the tenant has used its quota of 1 invocations"
    assert explained(under_test, **{**question, "action": "discover"}).allowed
    assert explained(under_test, **{**question, "scopes": ["none"]}).rule == "capability-scope"


@pytest.mark.parametrize(("action", "kind"), [("invoke", "capability"), ("subscribe", "topic")])
async def test_nothing_is_allowed_to_a_question_that_names_no_target(
    under_test: GatewayUnderTest, action: str, kind: str
) -> None:
    decision = explained(under_test, action=action)
    assert (decision.allowed, decision.rule) == (False, "no-rule")
    assert decision.reason == f"{kind} is required for the action {action}"


async def test_topics_need_no_scopes_unless_the_gateway_is_told_to_look_at_them() -> None:
    async with GatewayUnderTest() as under_test:
        await under_test.gateway.publish(calling("acme", scopes=""), PublishRequest(topic="a.b"))
        decision = explained(under_test, action="publish", topic="a.b", scopes=[])
        assert (decision.allowed, decision.rule) == (True, "one-tenant")


PATTERNS = {
    "orders.placed": {"orders.placed"},
    "orders.*": {"orders.placed", "orders.paid"},
    "*.placed": {"orders.placed"},
    "orders.>": {"orders.placed", "orders.paid", "orders.eu.placed"},
    "orders.*.placed": {"orders.eu.placed"},
    "*.*": {"orders.placed", "orders.paid"},
    ">": {"orders.placed", "orders.paid", "orders.eu.placed"},
    "*.>": {"orders.placed", "orders.paid", "orders.eu.placed"},
    "orders.placed.>": set(),
    "orders": set(),
    "order.*": set(),
    "ORDERS.placed": set(),
    # None of these is a pattern.
    "": set(),
    "orders.": set(),
    "orders..placed": set(),
    "orders.p*": set(),
    ">.placed": set(),
    "orders.>.placed": set(),
    "orders.placed>": set(),
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_covers_the_topics_that_it_means_and_no_other(pattern: str) -> None:
    topics = ("orders.placed", "orders.paid", "orders.eu.placed")
    assert {topic for topic in topics if covers(pattern, topic)} == PATTERNS[pattern]
