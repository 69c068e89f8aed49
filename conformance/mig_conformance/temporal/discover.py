"""What DISCOVER lists, compared with what else the server does [MIG-DIS-001 to 003]."""

from __future__ import annotations

from typing import Any

from mig_conformance.checks.trial import REFERENCE, Trial
from mig_conformance.drivers.port import JsonObject
from mig_conformance.flaws import UncheckedError, expect, same

_UNKNOWN = "MIG_UNSUPPORTED_CAPABILITY"


async def visible(trial: Trial) -> None:
    """What is listed is known to INVOKE, and what is not listed is not."""
    listed = [descriptor["id"] for descriptor in await capabilities(trial)]
    expect(REFERENCE in listed, f"{REFERENCE} is not among {listed}")
    same("how often an id is listed", len(listed), len(set(listed)))
    payload = {"input": "hello"}
    answer = await trial.call("INVOKE", {"capability": REFERENCE, "payload": payload})
    answer.accepted()
    hidden = f"conformance.c{trial.new_id()}"
    expect(hidden not in listed, f"{hidden} is listed")
    (await trial.call("INVOKE", {"capability": hidden, "payload": payload})).refused(_UNKNOWN)


async def sorted_by_id(trial: Trial) -> None:
    """Raises UncheckedError where there are less than two: nobody could see an order."""
    listed = [descriptor["id"] for descriptor in await capabilities(trial)]
    if len(listed) < 2:
        raise UncheckedError(f"no order can be seen of {len(listed)} capabilities; it takes two")
    same("the order of the ids", listed, sorted(listed))


async def query(trial: Trial) -> None:
    """Compared with what is listed without one, before and after: others may register capabilities."""
    for text in ("", REFERENCE, REFERENCE.upper(), "Models.Inf", ".", "infer", f"no-such-{trial.new_id()}"):
        before = _matching(text, await capabilities(trial))
        found = {descriptor["id"] for descriptor in await capabilities(trial, query=text)}
        after = _matching(text, await capabilities(trial))
        missing, surplus = (before & after) - found, found - (before | after)
        expect(not missing, f"the query {text!r} leaves out {', '.join(sorted(missing))}")
        expect(not surplus, f"the query {text!r} keeps {', '.join(sorted(surplus))}")


async def capabilities(trial: Trial, **fields: Any) -> list[JsonObject]:
    """The descriptors of a DiscoverRequest with these fields."""
    answer = (await trial.call("DISCOVER", fields)).accepted()
    listed: list[JsonObject] = answer["capabilities"]
    return listed


def _matching(text: str, listed: list[JsonObject]) -> set[str]:
    return {descriptor["id"] for descriptor in listed if text.lower() in descriptor["id"].lower()}
