"""A WebSocket whose caller says who it is in the first frame [MIG-AUT-009, MIG-AUT-010]."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from mig_conformance.checks.expectation import compare
from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import Caller, Frames, JsonObject
from mig_conformance.flaws import ClosedError, FlawError, UncheckedError, same
from mig_conformance.subject.callers import SCOPES
from mig_conformance.temporal.asking import invocation

_OFFERED = {"Sec-WebSocket-Protocol": "mig.authenticate"}
_POLICY_VIOLATION = 1008
_PATIENT = 2


async def authenticated(trial: Trial) -> None:
    """The connection is that of the token's caller from then on."""
    async with _opened(trial, trial.own.tenant) as connection:
        await connection.send(_authenticate(str(trial.own.token)))
        answer = await connection.next()
        compare(
            {"kind": "control", "payload": {"accepted": True, "status": "authenticated"}},
            answer,
            "the answer to the first frame",
        )
        await connection.send({"kind": "request", "stream_id": "s", "end_stream": True, **invocation()})
        last = (await connection.until_end("s"))[-1]
    compare(
        {"kind": "response", "header": {"tenant_id": trial.own.tenant}}, last, "the answer to an invocation"
    )


async def tenant_of_the_token(trial: Trial) -> None:
    """Where the handshake names no tenant."""
    async with _opened(trial, None) as connection:
        await connection.send(_authenticate(str(trial.own.token)))
        same("the kind of the answer to the first frame", (await connection.next())["kind"], "control")
        await connection.send({"kind": "request", "stream_id": "s", "end_stream": True, **invocation()})
        last = (await connection.until_end("s"))[-1]
    same("the tenant of an invocation", last["header"]["tenant_id"], trial.own.tenant)


async def something_else(trial: Trial) -> None:
    """Also what would be right on a connection that is authenticated, and a token that is not."""
    token = str(trial.own.token)
    payloads: tuple[Mapping[str, Any], ...] = (
        {"action": "authenticate"},
        {"action": "authenticate", "token": 1},
        {"action": "authenticate", "token": ""},
        {"action": "authenticate", "token": f"{token}x"},
        {"action": "cancel", "target_message_id": trial.new_id()},
        {"token": token},
    )
    await _refused(trial, {"kind": "request", "stream_id": "s", "end_stream": True, **invocation()})
    await _refused(trial, {**_authenticate(token), "kind": "request"})
    await _refused(trial, b"not JSON")
    for payload in payloads:
        await _refused(trial, {"kind": "control", "payload": dict(payload)})


async def other_tenant(trial: Trial) -> None:
    """The handshake's, and with a token that has none."""
    first = _authenticate(str(trial.own.token))
    await _refused(trial, first, "MIG_FORBIDDEN", tenant=trial.subject.other_tenant)
    tenantless = _authenticate(trial.callers.token({"scope": SCOPES["own"]}))
    await _refused(trial, tenantless, "MIG_FORBIDDEN")


async def nothing_in_time(trial: Trial) -> None:
    """How long a server waits is its own affair, as long as it is not twice the suite's patience."""
    async with _opened(trial, trial.own.tenant) as connection:
        await _is_refusal(connection, await _next(trial, connection), "MIG_UNAUTHORIZED")


async def _next(trial: Trial, connection: Frames) -> JsonObject:
    for _ in range(_PATIENT):
        try:
            return await connection.next()
        except ClosedError:
            raise
        except FlawError:
            continue
    waited = _PATIENT * trial.patience_s
    raise UncheckedError(f"the server waits longer than {waited:g} seconds for the first frame")


async def _refused(
    trial: Trial, first: Mapping[str, Any] | bytes, code: str = "MIG_UNAUTHORIZED", *, tenant: str = ""
) -> None:
    async with _opened(trial, tenant or trial.own.tenant) as connection:
        await connection.send(first)
        await _is_refusal(connection, await connection.next(), code)


async def _is_refusal(connection: Frames, frame: JsonObject, code: str) -> None:
    compare({"kind": "error", "error": {"code": code}}, frame, "the answer to the first frame")
    same("the code of the close", await connection.closed(), _POLICY_VIOLATION)


@asynccontextmanager
async def _opened(trial: Trial, tenant: str | None) -> AsyncIterator[Frames]:
    connection = await trial.connect(Caller(tenant=tenant), _OFFERED)
    try:
        yield connection
    finally:
        await connection.close()


def _authenticate(token: str) -> JsonObject:
    return {"kind": "control", "payload": {"action": "authenticate", "token": token}}
