"""Who is believed to be who [MIG-AUT-001 to 007, 011, 012]."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiohttp import web

from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import Caller
from mig_conformance.flaws import expect, same
from mig_conformance.subject.callers import SCOPES
from mig_conformance.subject.forgeries import FORGERIES, Forger, forger_for
from mig_conformance.temporal.asking import (
    accepted_everywhere,
    asked,
    invocation,
    refused_everywhere,
)

_SCOPE = SCOPES["own"]
_HOUR_S = 3600


async def open_to_all(trial: Trial) -> None:
    """A caller of a tenant that nobody has heard of, without a credential and with one that nobody made."""
    caller = trial.callers.of_tenant(trial.new_tenant())
    await accepted_everywhere(trial, caller)
    await accepted_everywhere(trial, caller, carried={"Authorization": "Bearer of.no.consequence"})


async def own_token(trial: Trial) -> None:
    """What the checks of refusals rest on: a caller with a good token is let in."""
    await accepted_everywhere(trial, trial.own)


async def no_token(trial: Trial) -> None:
    """Nothing but the tenant."""
    await refused_everywhere(trial, trial.callers.named("nobody"), "MIG_UNAUTHORIZED")


async def no_bearer_token(trial: Trial) -> None:
    """Credentials of other schemes, the token of a caller that is let in among them."""
    token = str(trial.own.token)
    for credential in ("Bearer", "Bearer x", f"Basic {token}", token, f"Bearer {token}x", "Bearer ..", "x"):
        await refused_everywhere(
            trial,
            trial.callers.named("nobody"),
            "MIG_UNAUTHORIZED",
            carried={"Authorization": credential},
        )


async def forged(trial: Trial) -> None:
    """Every token of a kind, on every operation, by a caller that would be let in with a right one."""
    async with _forger(trial) as (forger, fetched):
        right = replace(trial.own, token=forger.token())
        await accepted_everywhere(trial, right)
        for token in FORGERIES[str(trial.vars["forgery"])](forger):
            await refused_everywhere(trial, replace(right, token=token), "MIG_UNAUTHORIZED")
    same("what the server fetched because a token said so", fetched, [])


async def in_its_time(trial: Trial) -> None:
    """After its nbf and before its exp."""
    now = int(time.time())
    claims = {"tenant_id": trial.own.tenant, "scope": _SCOPE, "nbf": now - _HOUR_S, "exp": now + _HOUR_S}
    await accepted_everywhere(trial, replace(trial.own, token=trial.callers.token(claims)))


async def token_in_query(trial: Trial) -> None:
    """Under the names that others have for it [RFC 6750, section 2.3]."""
    for name in ("access_token", "token", "authorization"):
        await refused_everywhere(
            trial,
            trial.callers.named("nobody"),
            "MIG_UNAUTHORIZED",
            query={name: str(trial.own.token)},
        )


async def tenant_claim(trial: Trial) -> None:
    """The claim tenant_id, else tenant; the two of one token need not agree."""
    one, other = trial.new_tenant(), trial.new_tenant()
    for claims, tenant in (
        ({"tenant_id": one}, one),
        ({"tenant": other}, other),
        ({"tenant_id": one, "tenant": other}, one),
    ):
        await _is_of(trial, tenant, claims)


async def _is_of(trial: Trial, tenant: str, claims: Mapping[str, str]) -> None:
    token = trial.callers.token({**claims, "scope": _SCOPE})
    operation = "SUBSCRIBE" if trial.binding == "sse" else "INVOKE"
    # A subject of NATS has to name a tenant; elsewhere the token alone may say it.
    for named in (tenant,) if trial.binding == "nats" else (tenant, None):
        answer = await asked(trial, operation, Caller(tenant=named, token=token))
        expect(answer.error is None, f"{operation} with the claims {sorted(claims)}: {answer.error}")
        if answer.header is not None:
            same(f"the tenant of a token with {sorted(claims)}", answer.header["tenant_id"], tenant)


async def no_tenant_claim(trial: Trial) -> None:
    """A tenant of the transport is not taken for the token's."""
    token = trial.callers.token({"scope": _SCOPE})
    await refused_everywhere(trial, Caller(tenant=trial.own.tenant, token=token), "MIG_FORBIDDEN")
    if trial.binding != "nats":
        await refused_everywhere(trial, Caller(tenant=None, token=token), "MIG_FORBIDDEN")


async def other_tenant_of_transport(trial: Trial) -> None:
    """X-Tenant-ID, x-tenant-id, the subject."""
    other = replace(trial.own, tenant=trial.subject.other_tenant)
    await refused_everywhere(trial, other, "MIG_FORBIDDEN")


async def other_tenant_of_message(trial: Trial) -> None:
    """The header's tenant_id, with the token's own tenant on the transport and without any there."""
    header = {"tenant_id": trial.subject.other_tenant}
    await refused_everywhere(trial, trial.own, "MIG_FORBIDDEN", header=header)
    if trial.binding != "nats":
        nameless = replace(trial.own, tenant=None)
        await refused_everywhere(trial, nameless, "MIG_FORBIDDEN", header=header)


async def scopes(trial: Trial) -> None:
    """Of both claims together; neither hides the other."""
    for claims, held in (
        ({"scope": "capability:infer"}, ["capability:infer"]),
        ({"scope": "first capability:infer"}, ["capability:infer", "first"]),
        ({"scopes": ["capability:infer", "second"]}, ["capability:infer", "second"]),
        ({"scope": "first", "scopes": ["capability:infer"]}, ["capability:infer", "first"]),
        ({"scope": "capability:infer", "scopes": ["second"]}, ["capability:infer", "second"]),
    ):
        answer = await _invoked_with(trial, claims)
        found = (answer.accepted()["header"].get("meta") or {}).get("idg.principal_scopes")
        same(f"the scopes of a token with {claims}", found, held)


async def no_scopes(trial: Trial) -> None:
    """Neither claim, and values in which the scope is but a part of something else."""
    for claims in (
        {},
        {"scope": "", "scopes": []},
        {"scope": "capability:infer,second"},
        {"scope": "capability:inference capability"},
        {"scopes": ["capability:infer second"]},
    ):
        (await _invoked_with(trial, claims)).refused("MIG_FORBIDDEN")


async def _invoked_with(trial: Trial, claims: Mapping[str, Any]) -> Any:
    token = trial.callers.token({"tenant_id": trial.own.tenant, **claims})
    return await trial.call("INVOKE", invocation(), caller=replace(trial.own, token=token))


@asynccontextmanager
async def _forger(trial: Trial) -> AsyncIterator[tuple[Forger, list[str]]]:
    """One, and a key set for it that says who fetches it: nobody may."""
    fetched: list[str] = []

    async def serve(request: web.BaseRequest) -> web.Response:
        fetched.append(request.path)
        return web.json_response({"keys": [forger.other_key()]})

    runner = web.ServerRunner(web.Server(serve))
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        secret = trial.callers.secret()
        forger = forger_for(str(trial.own.tenant), _SCOPE, secret, f"http://127.0.0.1:{port}/jwks.json")
        yield forger, fetched
    finally:
        await runner.cleanup()
