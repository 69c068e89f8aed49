"""The list of long-lived connections [MIG-ADM-004 to 006]."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from mig_conformance.checks.expectation import compare
from mig_conformance.checks.matching import differences
from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import Caller, JsonObject
from mig_conformance.flaws import expect, same
from mig_conformance.temporal.asking import invocation
from mig_conformance.temporal.awaiting import eventually

_KINDS = {
    "sse_subscribe": "http",
    "ws_stream": "http",
    "stream_invoke": "grpc",
    "event_subscribe": "grpc",
}
_ON = {
    "sse": ("sse_subscribe",),
    "websocket": ("ws_stream",),
    "grpc": ("stream_invoke", "event_subscribe"),
}


async def listed(trial: Trial) -> None:
    """While they are open, and nothing else: no unary request, and none once it is closed."""
    caller = _fresh(trial)
    kinds = _ON[trial.binding]
    same("the connections of a tenant that has none", await _kinds(trial, caller), [])
    async with _opened(trial, caller) as opened:
        await eventually(trial, partial(_differ, trial, caller, sorted(kinds)))
        for entry in (await _listing(trial, tenant_id=str(caller.tenant)))["connections"]:
            compare({"protocol": _KINDS[entry["kind"]], "tenant_id": caller.tenant}, entry, "a connection")
        driver = trial.http if trial.binding != "grpc" else trial.driver
        (await trial.call("INVOKE", invocation(), caller=caller, driver=driver)).accepted()
        same("the connections after a unary request", await _kinds(trial, caller), sorted(kinds))
        await opened.aclose()
        await eventually(trial, partial(_differ, trial, caller, []))


async def filtered(trial: Trial) -> None:
    """Every filter alone and with the tenant's; summary and list are both about what is left."""
    caller = _fresh(trial)
    kinds = _ON[trial.binding]
    protocol = _KINDS[kinds[0]]
    async with _opened(trial, caller):
        await eventually(trial, partial(_differ, trial, caller, sorted(kinds)))
        for kind in _KINDS:
            await _filtered(trial, caller, [each for each in kinds if each == kind], kind=kind)
        for other in ("http", "grpc"):
            await _filtered(trial, caller, kinds if other == protocol else (), protocol=other)
        await _filtered(trial, caller, kinds[:1], kind=kinds[0], protocol=protocol)
        everything = await _listing(trial)
        found = [each["kind"] for each in everything["connections"] if each["tenant_id"] == caller.tenant]
        same("the kinds in the list without a filter", sorted(found), sorted(kinds))
        _sums_up(everything)
        _repeated(everything, {})


async def _filtered(
    trial: Trial, caller: Caller, wanted: tuple[str, ...] | list[str], **filters: str
) -> None:
    """With the tenant's, since connections of others come and go."""
    given = {"tenant_id": str(caller.tenant), **filters}
    snapshot = await _listing(trial, **given)
    found = sorted(entry["kind"] for entry in snapshot["connections"])
    same(f"the kinds that {given} leaves", found, sorted(wanted))
    _sums_up(snapshot)
    _repeated(snapshot, {f"filter_{name.removesuffix('_id')}": value for name, value in given.items()})


def _repeated(snapshot: JsonObject, wanted: JsonObject) -> None:
    found = {name: snapshot[name] for name in snapshot if name.startswith("filter_")}
    same("the filters that are repeated", found, wanted)


def _sums_up(snapshot: JsonObject) -> None:
    """The summary counts the list."""
    entries = snapshot["connections"]
    counted: JsonObject = {"total": len(entries)}
    for name, member in (("by_protocol", "protocol"), ("by_kind", "kind"), ("by_tenant", "tenant_id")):
        values = [entry[member] for entry in entries]
        counted[name] = {value: values.count(value) for value in values}
    found = {name: snapshot["summary"].get(name) for name in counted}
    same("the summary", found, counted)
    expect(len({entry["id"] for entry in entries}) == len(entries), "two connections have one id")


@asynccontextmanager
async def _opened(trial: Trial, caller: Caller) -> AsyncIterator[AsyncExitStack]:
    """A connection of every kind that the binding has; the stack closes them."""
    async with AsyncExitStack() as stack:
        if trial.binding in ("websocket", "grpc"):
            connection = await trial.connect(caller)
            stack.push_async_callback(connection.close)
            await connection.send({"kind": "control", "stream_id": "s", "payload": {"action": "no-such"}})
            await connection.next()
        if trial.binding in ("sse", "grpc"):
            subscription = await trial.subscribe(trial.new_topic(), caller=caller)
            stack.push_async_callback(subscription.close)
        yield stack


async def _differ(trial: Trial, caller: Caller, wanted: list[str]) -> str:
    found = await _kinds(trial, caller)
    return "; ".join(differences(wanted, found, "the kinds of the open connections"))


async def _kinds(trial: Trial, caller: Caller) -> list[str]:
    snapshot = await _listing(trial, tenant_id=str(caller.tenant))
    return sorted(entry["kind"] for entry in snapshot["connections"])


async def _listing(trial: Trial, **query: str) -> JsonObject:
    answer = await trial.call(
        "LIST_CONNECTIONS", {}, caller=trial.callers.named("admin"), driver=trial.http, query=query
    )
    return answer.accepted()


def _fresh(trial: Trial) -> Caller:
    return trial.callers.of_tenant(trial.new_tenant())
