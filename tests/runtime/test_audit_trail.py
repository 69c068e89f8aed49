"""The audit trail as an operator meets it: what is on record, the export, and a disk that fails."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.stores.audit_backlog import MOST_HELD
from support.audit_trail import verified
from support.full_disk import no_room
from support.http_requests import BODIES, REFERENCE, requests
from support.running_migd import LocalMigd, local_migd
from support.tokens import JWT_MODE, bearer

EXPORT = "/pro/v0.1/audit/export"
ADMIN = bearer("acme", "mig:admin")


async def exported(migd: LocalMigd, query: str = "") -> list[dict[str, Any]]:
    answer = await migd.get(f"{EXPORT}?{query}", authorization=ADMIN)
    records: list[dict[str, Any]] = answer.json["records"]
    return records


async def test_every_denial_of_any_operation_is_one_record() -> None:
    guarded = requests("caller") + requests("admin")
    async with local_migd(**JWT_MODE) as migd:
        for operation, method, path in guarded:
            body = None if method == "GET" else BODIES.get(path, {})
            assert (await migd.request(method, path, body)).status == 401
            foreign = await migd.request(method, path, body, authorization=ADMIN, x_tenant_id="other")
            assert foreign.status == 403, operation
        records = await exported(migd)

    assert [(each["operation"], each["outcome"], each["actor"], each["tenant_id"]) for each in records] == [
        row
        for operation, _, _ in guarded
        for row in (
            (operation, "MIG_UNAUTHORIZED", "anonymous", "unknown"),
            (operation, "MIG_FORBIDDEN", "alice", "acme"),
        )
    ]


async def test_a_denied_invocation_is_one_record_whichever_check_denied_it() -> None:
    message = {"header": {"message_id": "m-1"}, "payload": {"input": "hi"}}
    async with local_migd(**JWT_MODE) as migd:
        no_scope = bearer("acme", "other")
        await migd.post(f"/mig/v0.1/invoke/{REFERENCE}", message, authorization=no_scope)
        await migd.post(f"/mig/v0.1/invoke/{REFERENCE}", message, authorization=no_scope, x_tenant_id="other")
        records = await exported(migd)

    assert [(each["capability"], each["outcome"], each["message_id"]) for each in records] == [
        (REFERENCE, "MIG_FORBIDDEN", "m-1")
    ] * 2


async def test_denials_on_a_websocket_are_one_record_each() -> None:
    def request(**header: str) -> dict[str, Any]:
        return {"kind": "request", "capability": REFERENCE, "payload": {"input": ""}, "header": header}

    async with local_migd(**JWT_MODE) as migd:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await migd.http.ws_connect("/mig/v0.1/stream")
        authorization = {"authorization": bearer("acme", "other")}
        async with migd.http.ws_connect("/mig/v0.1/stream", headers=authorization) as socket:
            cancel = {"kind": "control", "payload": {"action": "cancel"}, "stream_id": "s"}
            for frame in (
                request(message_id="m-1"),
                request(message_id="m-2", tenant_id="other"),
                {**cancel, "header": {"message_id": "m-3", "tenant_id": "other"}},
            ):
                await socket.send_json(frame)
                assert (await socket.receive_json())["error"]["code"] == "MIG_FORBIDDEN"
        records = await exported(migd)

    assert [(each["operation"], each["outcome"], each["binding"]) for each in records] == [
        ("STREAM", "MIG_UNAUTHORIZED", "http"),
        *[("STREAM", "MIG_FORBIDDEN", "websocket")] * 3,
    ]
    assert [each["message_id"] for each in records[1:]] == ["m-1", "m-2", "m-3"]


async def test_a_denial_is_no_invocation_in_the_metrics_and_other_refusals_are_no_records() -> None:
    async with local_migd(**JWT_MODE) as migd:
        await migd.post("/mig/v0.1/hello", {})
        await migd.get("/nowhere")
        await migd.post("/mig/v0.1/hello", b"{", authorization=ADMIN)
        assert len(await exported(migd)) == 1
        assert "mig_gateway_invocations_total{" not in (await migd.get("/metrics")).raw.decode()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    return {"MIGD_STORE": request.param, "MIGD_DATA_DIR": str(tmp_path / "data")}


async def test_the_export_is_given_in_pages_that_join(store: dict[str, str]) -> None:
    async with local_migd(**store) as migd:
        for number in range(5):
            await migd.invoke(REFERENCE, {"input": "hi"}, message_id=f"m-{number}")
        whole = (await migd.get(EXPORT)).json
        pages, after = [], 0
        while after is not None:
            page = (await migd.get(f"{EXPORT}?limit=2&after={after}")).json
            pages.append([record["message_id"] for record in page["records"]])
            after = page.get("next_after")

    assert pages == [["m-0", "m-1"], ["m-2", "m-3"], ["m-4"]]
    assert [record["sequence"] for record in whole["records"]] == [1, 2, 3, 4, 5]
    assert "next_after" not in whole
    assert whole["head"] == page["head"]
    assert whole["head"]["sequence"] == 5


@pytest.mark.parametrize("asked", [{"accept": "application/x-ndjson;q=1, */*;q=0.1"}, {}])
async def test_an_export_as_lines_is_the_chain_itself(store: dict[str, str], asked: dict[str, str]) -> None:
    query = "" if asked else "?format=jsonl"
    async with local_migd(**store) as migd:
        for number in range(2500):
            await migd.invoke(REFERENCE, {"input": "hi"}, message_id=f"m-{number}")
        lines = await migd.get(EXPORT + query, **asked)
        some = await migd.get(f"{EXPORT}?format=jsonl&after=7&limit=3")
        head = (await migd.get(f"{EXPORT}?limit=1")).json["head"]

    assert lines.headers["content-type"] == "application/x-ndjson"
    assert verified(lines.raw.splitlines()) == f"2500 records, 1 to 2500, last hash {head['hash']}"
    assert lines.raw.endswith(b"}\n")
    assert [json.loads(line)["sequence"] for line in some.raw.splitlines()] == [8, 9, 10]


async def test_an_export_as_json_may_be_asked_for_in_spite_of_the_accept_field() -> None:
    async with local_migd() as migd:
        answer = await migd.get(f"{EXPORT}?format=json", accept="application/x-ndjson")
    assert answer.json == {"records": [], "head": {"sequence": 0, "hash": "0" * 64}}


async def test_an_export_gives_what_all_its_filters_want(store: dict[str, str]) -> None:
    async with local_migd(**store) as migd:
        await migd.invoke(REFERENCE, {"input": "hi"}, message_id="m-1")
        await migd.invoke("no.such", {}, message_id="m-2")
        await migd.invoke(REFERENCE, {"input": "hi"}, tenant="other", message_id="m-3")
        moment = (await exported(migd))[1]["timestamp"]
        for query, wanted in (
            ("tenant_id=acme", ["m-1", "m-2"]),
            ("outcome=success", ["m-1", "m-3"]),
            ("capability=no.such", ["m-2"]),
            ("operation=INVOKE&actor=anonymous&tenant_id=other", ["m-3"]),
            ("operation=PUBLISH", []),
            (f"since={moment}", ["m-2", "m-3"]),
            (f"until={moment}", ["m-1"]),
        ):
            assert [record["message_id"] for record in await exported(migd, query)] == wanted, query
        for query in ("since=yesterday", "limit=0", "limit=10001", "after=-1", "format=csv"):
            assert (await migd.get(f"{EXPORT}?{query}")).code == "MIG_INVALID_REQUEST", query


async def stream(migd: LocalMigd) -> str:
    """The kind of the terminal frame."""
    async with migd.http.ws_connect("/mig/v0.1/stream") as socket:
        header = {"tenant_id": "acme"}
        await socket.send_json(
            {"header": header, "kind": "request", "capability": REFERENCE, "payload": {"input": ""}}
        )
        frame = await socket.receive_json()
        return str(frame.get("error", {}).get("code", "success"))


async def test_by_default_a_full_disk_stops_no_invocation(caplog: pytest.LogCaptureFixture) -> None:
    async with local_migd(MIGD_AUDIT_LOG_PATH="/dev/full") as migd:
        answers = [await migd.invoke(REFERENCE, {"input": "hi"}) for _ in range(3)]
        assert [answer.status for answer in answers] == [200] * 3
        assert await stream(migd) == "success"
        assert (await migd.get("/readyz")).status == 200
        assert "mig_gateway_audit_lost_total 0.0" in (await migd.get("/metrics")).raw.decode()

    assert caplog.messages.count("audit records can not be written and are held") == 1
    assert caplog.messages[-1] == "4 audit records can not be written and are lost"


async def test_records_that_were_given_up_are_in_the_metrics() -> None:
    async with local_migd(MIGD_AUDIT_LOG_PATH="/dev/full") as migd:
        for _ in range(MOST_HELD + 3):
            migd.gateway.envelope("HELLO", MigFault(MigErrorCode.MIG_UNAUTHORIZED, "no"), None)
        assert "mig_gateway_audit_lost_total 3.0" in (await migd.get("/metrics")).raw.decode()


async def test_a_store_that_fails_is_refused_work_and_recovers(tmp_path: Path) -> None:
    environ = {"MIGD_STORE": "sqlite", "MIGD_DATA_DIR": str(tmp_path), "MIGD_AUDIT_ON_FAILURE": "refuse"}
    async with local_migd(**environ) as migd:
        with no_room():
            assert (await migd.invoke(REFERENCE, {"input": "hi"}, message_id="m-1")).status == 200
            for query in ("", "?format=jsonl"):
                assert (await migd.get(EXPORT + query)).code == "MIG_UNAVAILABLE"
            assert (await migd.invoke(REFERENCE, {"input": "hi"}, message_id="m-2")).code == "MIG_UNAVAILABLE"
        while (await migd.get("/readyz")).status != 200:
            pass
        assert (await migd.invoke(REFERENCE, {"input": "hi"}, message_id="m-3")).status == 200
        records = await exported(migd)

    assert [(each["message_id"], each["outcome"]) for each in records] == [
        ("m-1", "success"),
        ("m-2", "MIG_UNAVAILABLE"),
        ("m-3", "success"),
    ]


async def test_a_gateway_that_must_record_refuses_while_it_can_not() -> None:
    async with local_migd(MIGD_AUDIT_LOG_PATH="/dev/full", MIGD_AUDIT_ON_FAILURE="refuse") as migd:
        assert (await migd.get("/readyz")).status == 200
        assert (await migd.invoke(REFERENCE, {"input": "hi"})).status == 200
        await asyncio.sleep(0)
        refused = await migd.invoke(REFERENCE, {"input": "hi"})
        ready = await migd.get("/readyz")
        streamed = await stream(migd)
        published = await migd.post("/mig/v0.1/publish/a.b", {"payload": {}}, x_tenant_id="acme")
        records = (await migd.get(EXPORT)).json["records"]

    why = "the audit trail can not be written: No space left on device"
    assert (refused.status, refused.code) == (503, "MIG_UNAVAILABLE")
    assert (refused.json["error"]["message"], refused.json["error"]["retryable"]) == (why, True)
    assert (ready.status, ready.json) == (503, {"status": "unavailable", "reasons": [why]})
    assert streamed == "MIG_UNAVAILABLE"
    assert published.status == 200
    assert [record["outcome"] for record in records] == ["success", "MIG_UNAVAILABLE", "MIG_UNAVAILABLE"]
