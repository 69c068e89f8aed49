"""What is found in the audit trail of what was asked for [MIG-AUD-001, MIG-AUD-004, MIG-GOV-003]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from mig_conformance.checks.expectation import compare
from mig_conformance.checks.matching import differences
from mig_conformance.checks.trial import SCRIPT, Trial
from mig_conformance.drivers.frames import read_out
from mig_conformance.drivers.port import Caller, JsonObject, RefusedError
from mig_conformance.flaws import expect, same
from mig_conformance.subject.callers import SCOPES
from mig_conformance.temporal.asking import OPERATIONS, asked, invocation
from mig_conformance.temporal.awaiting import eventually

_PAGES = 50
_UTC = "Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the caller was told of an invocation."""

    message_id: str
    capability: str
    outcome: str


async def invocations(trial: Trial) -> None:
    """Of a tenant that has no others: one record each, whatever came of it."""
    caller = trial.callers.of_tenant(trial.new_tenant())
    unknown = f"conformance.c{trial.new_id()}"
    fails = {"fail": {"code": "MIG_NOT_FOUND", "message": "as it was told to"}}
    waits = {"wait_ms": 30000}
    told = [
        await _told(trial, caller, invocation(), "success"),
        await _told(trial, caller, invocation(payload={}), "MIG_INVALID_REQUEST"),
        await _told(trial, caller, invocation(capability=unknown), "MIG_UNSUPPORTED_CAPABILITY"),
        await _told(trial, caller, trial.scripted(fails), "MIG_NOT_FOUND"),
        await _told(trial, caller, trial.scripted({"crash": "as it was told to"}), "MIG_INTERNAL"),
        await _told(trial, caller, trial.scripted(waits, header={"deadline_ms": 20}), "MIG_TIMEOUT"),
    ]
    await _found(trial, caller, told)


async def streams(trial: Trial) -> None:
    """A streamed invocation leaves one record, however many frames it has."""
    caller = trial.callers.of_tenant(trial.new_tenant())
    told = []
    for last, outcome in (
        ({"emit": {"times": 2}}, "success"),
        ({"fail": {"code": "MIG_NOT_FOUND", "message": "as it was told to"}}, "MIG_NOT_FOUND"),
    ):
        message_id = trial.new_id()
        message = trial.scripted({"emit": {"times": 2}}, last, header={"message_id": message_id})
        stream = await trial.stream({**message, "stream_preference": "server_stream"}, caller=caller)
        ended = (await read_out(stream))[-1]
        same("how the stream ended", ended.get("error", {}).get("code", "success"), outcome)
        told.append(_Told(message_id=message_id, capability=SCRIPT, outcome=outcome))
    await _found(trial, caller, told)


async def _told(trial: Trial, caller: Caller, message: JsonObject, outcome: str) -> _Told:
    message_id = trial.new_id()
    header = {**message.get("header", {}), "message_id": message_id}
    answer = await trial.call("INVOKE", {**message, "header": header}, caller=caller)
    same("how the invocation ended", (answer.error or {"code": "success"})["code"], outcome)
    return _Told(message_id=message_id, capability=message["capability"], outcome=outcome)


async def _found(trial: Trial, caller: Caller, told: list[_Told]) -> None:
    wanted = sorted((each.message_id, each.outcome) for each in told)
    await eventually(trial, partial(_missing, trial, caller, wanted))
    records = {record["message_id"]: record for record in await _exported(trial, str(caller.tenant))}
    for each in told:
        compare(
            {
                "actor": "anonymous" if caller.token is None else "mig-conformance",
                "tenant_id": caller.tenant,
                "capability": each.capability,
            },
            records[each.message_id],
            f"the record of {each.outcome}",
        )
        expect(records[each.message_id]["timestamp"].endswith(_UTC), "a timestamp is not in UTC")


async def _missing(trial: Trial, caller: Caller, wanted: list[tuple[str, str]]) -> str:
    records = await _exported(trial, str(caller.tenant))
    found = sorted((record["message_id"], record["outcome"]) for record in records)
    return "; ".join(
        differences([list(each) for each in wanted], [list(each) for each in found], "the audit trail")
    )


async def refusals(trial: Trial) -> None:
    """By a caller whom nobody else goes by the name of; nobody knows whose those without a token are."""
    since = await _moment(trial)
    name = trial.new_id()
    claims = {"sub": name, "tenant_id": trial.own.tenant, "scope": SCOPES["own"]}
    stranger = Caller(tenant=trial.subject.other_tenant, token=trial.callers.token(claims))
    operations = OPERATIONS[trial.binding]
    for operation in operations:
        await _refused(trial, operation, stranger, {})
    # A refused handshake is asked for twice: the driver shows the answer of the second one.
    times = 2 if trial.binding == "websocket" else 1
    wanted = {"actor": name, "tenant_id": trial.own.tenant, "outcome": "MIG_FORBIDDEN"}
    await eventually(trial, partial(_not_so_many, trial, since, wanted, times * len(operations)))


async def refusals_of_nobody(trial: Trial) -> None:
    """Without a token it is the message id that they are known by, on the message or on the transport."""
    since = await _moment(trial)
    times = 2 if trial.binding == "websocket" else 1
    for operation in OPERATIONS[trial.binding]:
        if (trial.binding, operation) in (("grpc", "STREAM"), ("grpc", "SUBSCRIBE")):
            continue  # refused before any message with an id in it has come
        message_id = trial.new_id()
        await _refused(trial, operation, trial.callers.named("nobody"), {"message_id": message_id})
        wanted = {"message_id": message_id, "outcome": "MIG_UNAUTHORIZED"}
        await eventually(trial, partial(_not_so_many, trial, since, wanted, times))


async def _refused(trial: Trial, operation: str, caller: Caller, header: Mapping[str, Any]) -> None:
    if (trial.binding, operation) == ("grpc", "STREAM"):
        # Without a frame, since the driver may have to ask again where one comes too late for its status.
        connection = await trial.connect(caller)
        try:
            await connection.next()
        except RefusedError as refused:
            answer = refused.answer
        finally:
            await connection.close()
    else:
        over_http = trial.binding in ("sse", "websocket") and header
        carried = {"MIG-Message-ID": str(header["message_id"])} if over_http else {}
        answer = await asked(trial, operation, caller, header=header, carried=carried)
    expect(answer.error is not None, f"{operation} was not refused")


async def _not_so_many(trial: Trial, since: str, wanted: Mapping[str, Any], number: int) -> str:
    records = await _exported(trial, since=since)
    found = [record for record in records if not list(differences(wanted, record))]
    return "" if len(found) == number else f"{len(found)} records of {dict(wanted)}, expected {number}"


async def one_tenant(trial: Trial) -> None:
    """The records of one tenant, and those of all."""
    own, other = (trial.callers.of_tenant(trial.new_tenant()) for _ in range(2))
    since = await _moment(trial)
    ids = {}
    for caller in (own, other):
        ids[caller] = (await _told(trial, caller, invocation(), "success")).message_id
        wanted = [(ids[caller], "success")]
        await eventually(trial, partial(_missing, trial, caller, wanted))
    everything = {record["message_id"] for record in await _exported(trial, since=since)}
    expect(everything >= set(ids.values()), "the export of all tenants has not the records of two of them")


async def _exported(trial: Trial, tenant: str = "", **query: str) -> list[JsonObject]:
    """The records, from as many pages as there are. A server that knows no further filters ignores them."""
    filters = {**({"tenant_id": tenant} if tenant else {}), **query}
    records: list[JsonObject] = []
    for _ in range(_PAGES):
        page = await export(trial, **filters)
        records += page["records"]
        if "next_after" not in page:
            break
        filters["after"] = str(page["next_after"])
    return records


async def export(trial: Trial, **query: str) -> JsonObject:
    """One page as JSON."""
    admin = trial.callers.named("admin")
    answer = await trial.call("EXPORT_AUDIT", {}, caller=admin, driver=trial.http, query=query)
    return answer.accepted()


async def _moment(trial: Trial) -> str:
    """Now, by the server's own clock."""
    answer = await trial.call("HELLO", {}, driver=trial.http)
    return str(answer.accepted()["header"]["timestamp"])
