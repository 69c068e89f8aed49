"""Administration: who may, and what it tells of a server [MIG-ADM-003, MIG-ADM-007]."""

from __future__ import annotations

from collections.abc import Mapping

from mig_conformance.checks.trial import REFERENCE, Trial
from mig_conformance.drivers.port import JsonObject
from mig_conformance.flaws import FlawError, expect, same
from mig_conformance.temporal.asking import refused_with
from mig_conformance.temporal.hello import declared_profiles, hello
from mig_protocol.operations import OPERATIONS, PROFILES

_RIGHTS = "admin"


async def rights(trial: Trial) -> None:
    """Every operation of administration, governance and directory; its message is a right one."""
    asked = [operation.id for operation in OPERATIONS if operation.rights == _RIGHTS]
    messages = _messages(trial)
    for operation in asked:
        message = messages.get(operation, {})
        for name, code in (("own", "MIG_FORBIDDEN"), ("nobody", "MIG_UNAUTHORIZED")):
            answer = await trial.call(operation, message, caller=trial.callers.named(name))
            refused_with(trial, answer, code, f"{operation} by {name}")
    for operation in asked:
        answer = await trial.call(operation, messages.get(operation, {}), caller=trial.callers.named("admin"))
        if answer.error is not None and answer.error["code"] != "MIG_NOT_FOUND":
            raise FlawError(f"{operation} by an administrator is refused: {answer.error}")


def _messages(trial: Trial) -> Mapping[str, JsonObject]:
    name = trial.new_id()
    descriptor = {"id": f"conformance.c{name}", "version": "1.0.0", "modes": ["unary"]}
    return {
        "REGISTER_CAPABILITY": {"descriptor": descriptor},
        "REGISTER_SCHEMA": {"uri": f"schema://conformance/{name}/v1", "schema": {"type": "object"}},
        "VALIDATE_POLICY": {"tenant_id": trial.own.tenant, "capability": REFERENCE, "action": "invoke"},
        "SET_QUOTA": {"tenant_id": trial.new_tenant(), "max_invocations": 1},
        "CREATE_ORG": {"name": "Conformance", "id": f"o-{name}"},
        "CREATE_TENANT": {"name": "Conformance", "org_id": f"o-{name}", "id": f"t-{name}"},
        "CREATE_GATEWAY": {"tenant_id": f"t-{name}", "region": "nowhere", "binding": "http"},
    }


async def health(trial: Trial) -> None:
    """What is said to be served is what HELLO declares, and enables the features for."""
    answer = await trial.call("CONFORMANCE_HEALTH", {}, caller=trial.callers.named("admin"))
    served = {profile.id for profile in PROFILES if answer.accepted()[profile.id] is True}
    same("the profiles that are served", served, await declared_profiles(trial))
    for profile in PROFILES:
        if profile.id in served:
            wanted = sorted(profile.requires)
            enabled = (await hello(trial, requested_features=wanted))["enabled_features"]
            same(f"the features of {profile.id}, which is served", sorted(enabled), wanted)
    expect("core" in served, f"core is not among the profiles that are served: {sorted(served)}")
