"""What HELLO selects, for servers of which only the answers tell what they have [MIG-HEL-003 to 006]."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import BindingName, JsonObject
from mig_conformance.flaws import expect, same
from mig_protocol.operations import FEATURES, PROFILES

_BINDINGS: tuple[BindingName, ...] = ("http", "grpc", "nats")
_AGAIN = 5


async def hello(trial: Trial, **fields: Any) -> JsonObject:
    """The HelloResponse to a HelloRequest with these fields; over HTTP, where the binding has no HELLO."""
    driver = trial.http if trial.binding in ("sse", "websocket") else trial.driver
    return (await trial.call("HELLO", fields, driver=driver)).accepted()


async def first_enabled_binding(trial: Trial) -> None:
    """Asked for alone, a binding that is enabled is selected, and one that is not gives the call's own. In
    any order of them, the first that is enabled is.

    A binding that the manifest has an endpoint of is enabled.
    """
    enabled = set()
    for binding in _BINDINGS:
        selected = await _selected(trial, binding)
        expect(selected in (binding, trial.binding), f"asked for {binding}, {selected} was selected")
        known = trial.subject.endpoints.of(binding) is not None
        expect(selected == binding or not known, f"{binding} is enabled, and {selected} was selected")
        if selected == binding:
            enabled.add(binding)
    for order in permutations(_BINDINGS):
        first = next((binding for binding in order if binding in enabled), trial.binding)
        same(f"the binding selected of {', '.join(order)}", await _selected(trial, *order), first)


async def features(trial: Trial) -> None:
    """What is enabled does not depend on what else is asked for, and has what the manifest declares."""
    everything = await _enabled(trial, *FEATURES)
    expect(everything <= set(FEATURES), f"features that nobody asked for: {sorted(everything)}")
    missing = (trial.subject.features & set(FEATURES)) - everything
    expect(not missing, f"declared and not enabled: {', '.join(sorted(missing))}")
    same("what is enabled where nothing is asked for", await _enabled(trial), set())
    for feature in FEATURES:
        same(f"what is enabled of {feature}", await _enabled(trial, feature), everything & {feature})
    half = list(FEATURES)[::2]
    same(f"what is enabled of {', '.join(half)}", await _enabled(trial, *half), everything & set(half))


async def profiles(trial: Trial) -> None:
    """mig.profiles is a list of profiles, with core, and with what the manifest declares."""
    declared = await declared_profiles(trial)
    unknown = declared - {profile.id for profile in PROFILES}
    expect(not unknown, f"mig.profiles has what is no profile: {', '.join(sorted(unknown))}")
    missing = ({"core"} | trial.subject.profiles) - declared
    expect(not missing, f"mig.profiles has no {', '.join(sorted(missing))}: {sorted(declared)}")


async def declared_profiles(trial: Trial) -> set[str]:
    """The profiles in the meta of the answer to HELLO."""
    meta = (await hello(trial))["header"].get("meta", {})
    found = meta.get("mig.profiles")
    expect(
        isinstance(found, list) and all(isinstance(each, str) for each in found), f"mig.profiles is {found}"
    )
    return set(found)


async def same_selection(trial: Trial) -> None:
    """Asked again and again, with the same header or another."""
    wanted = {
        "supported_versions": ["9.9", "0.1"],
        "requested_bindings": ["nats", "grpc", "http"],
        "requested_features": [*reversed(list(FEATURES)), "no-such-feature"],
    }
    first = _selection(await hello(trial, **wanted))
    for _ in range(_AGAIN):
        again = _selection(await hello(trial, header={"session_id": trial.new_id()}, **wanted))
        same("the selection of the same request", again, first)


def _selection(answer: JsonObject) -> JsonObject:
    return {name: value for name, value in answer.items() if name != "header"}


async def _selected(trial: Trial, *bindings: str) -> str:
    return str((await hello(trial, requested_bindings=list(bindings)))["selected_binding"])


async def _enabled(trial: Trial, *features: str) -> set[str]:
    found = (await hello(trial, requested_features=list(features)))["enabled_features"]
    same(f"the number of features in {found}", len(set(found)), len(found))
    return set(found)
