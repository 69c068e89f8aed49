"""What an operator sees of a call: metrics, the audit file, the log."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from mig_protocol.messages import ConnectionKind, RequestHeader, SubscribeRequest
from migd.core.call import ANONYMOUS, Call
from support.gateway_under_test import Scripted, capability
from support.running_migd import LocalMigd, local_migd, running_migd
from support.sse import subscribed

REFERENCE = "observatory.models.infer"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_a_scrape_has_requests_errors_streams_invocations_and_events() -> None:
    async with local_migd() as migd:
        await migd.invoke(REFERENCE, {"input": "hi"})
        await migd.invoke("guess.this")
        await migd.get("/nowhere")
        async with subscribed(migd.http, "a.b") as events:
            await migd.post("/mig/v0.1/publish/a.b", {}, x_tenant_id="acme")
            await events.next()
            scrape = await migd.get("/metrics")

    lines = scrape.raw.decode().splitlines()
    assert scrape.headers["content-type"].startswith("text/plain")
    invoke = 'method="POST",path="/mig/v0.1/invoke/{capability}"'
    for line in (
        f'mig_gateway_http_requests_total{{{invoke},status="200"}} 1.0',
        f'mig_gateway_http_requests_total{{{invoke},status="404"}} 1.0',
        'mig_gateway_http_requests_total{method="GET",path="other",status="404"} 1.0',
        f"mig_gateway_http_request_duration_seconds_count{{{invoke}}} 2.0",
        'mig_gateway_errors_total{code="MIG_UNSUPPORTED_CAPABILITY",operation="INVOKE"} 1.0',
        'mig_gateway_errors_total{code="MIG_NOT_FOUND",operation="other"} 1.0',
        'mig_gateway_active_streams{type="sse_subscribe"} 1.0',
        f'mig_gateway_invocations_total{{capability="{REFERENCE}",outcome="success"}} 1.0',
        'mig_gateway_invocations_total{capability="other",outcome="MIG_UNSUPPORTED_CAPABILITY"} 1.0',
        f'mig_gateway_invocation_duration_seconds_count{{capability="{REFERENCE}"}} 1.0',
        "mig_gateway_events_published_total 1.0",
        "mig_gateway_events_delivered_total 1.0",
        "mig_gateway_invocations_in_flight 0.0",
    ):
        assert line in lines


async def test_a_scrape_has_what_the_store_has_committed(tmp_path: Path) -> None:
    async with local_migd(MIGD_DATA_DIR=str(tmp_path)) as migd:
        before = await numbers(migd)
        await migd.post("/mig/v0.1/publish/a.b", {}, x_tenant_id="acme")
        after = await numbers(migd)

    assert after["mig_gateway_store_writes_total"] > before["mig_gateway_store_writes_total"]
    commits = "mig_gateway_store_commit_duration_seconds"
    assert after[f"{commits}_count"] > before[f"{commits}_count"]
    assert after[f"{commits}_sum"] > before[f"{commits}_sum"]


async def test_a_scrape_has_how_far_a_subscriber_is_behind() -> None:
    async with local_migd() as migd:
        for _ in range(3):
            await migd.post("/mig/v0.1/publish/a.b", {}, x_tenant_id="acme")
        header = RequestHeader(tenant_id="acme")
        request = SubscribeRequest(topic="a.b", header=header, resume_cursor="1")
        call = Call(principal=ANONYMOUS, binding="http")
        async with await migd.gateway.subscribe(call, request, ConnectionKind.sse_subscribe):
            scraped = await numbers(migd)

    assert scraped["mig_gateway_subscriber_lag_events"] == 2
    assert scraped["mig_gateway_subscribers_behind"] == 1


async def numbers(migd: LocalMigd) -> dict[str, float]:
    """The samples without labels, by name."""
    lines = (await migd.get("/metrics")).raw.decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#") and "{" not in line)
    return {name: float(value) for name, value in pairs}


async def test_a_scraper_may_ask_for_openmetrics() -> None:
    asked = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
    async with local_migd() as migd:
        plain = await migd.get("/metrics")
        openmetrics = await migd.get("/metrics", accept=asked)

    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert openmetrics.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert openmetrics.raw.endswith(b"# EOF\n")
    assert not plain.raw.endswith(b"# EOF\n")


async def test_names_that_callers_make_up_make_no_series() -> None:
    async def one_of_each(migd: LocalMigd, name: str) -> None:
        await migd.invoke(f"guess.{name}", tenant=name)
        await migd.invoke(REFERENCE, {"input": name}, tenant=name, session_id=name, idempotency_key=name)
        await migd.post(f"/mig/v0.1/publish/made.{name}", {}, x_tenant_id=name)
        await migd.request("POST", f"/{name}")
        await migd.request(f"BREW{name}", "/healthz")
        async with (
            subscribed(migd.http, f"made.{name}", tenant=name),
            migd.http.ws_connect("/mig/v0.1/stream") as socket,
        ):
            await socket.send_json({"kind": name, "stream_id": name, "capability": f"guess.{name}"})
            await socket.receive()

    async def series(migd: LocalMigd) -> set[str]:
        lines = (await migd.get("/metrics")).raw.decode().splitlines()
        return {line.rpartition(" ")[0] for line in lines if not line.startswith("#")}

    async with local_migd() as migd:
        await one_of_each(migd, "A")
        await series(migd)
        before = await series(migd)
        for number in range(30):
            await one_of_each(migd, f"A{number}")

        assert await series(migd) == before


async def test_every_invocation_is_one_line_of_the_audit_file_and_nothing_else_is(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    async with local_migd(MIGD_AUDIT_LOG_PATH=str(path)) as migd:
        await migd.invoke(REFERENCE, {"input": "hi"}, message_id="m-1")
        await migd.invoke(REFERENCE, {}, message_id="m-2")
        await migd.invoke("no.such", message_id="m-3")
        await migd.post("/mig/v0.1/hello", {}, x_tenant_id="acme")
        async with migd.http.ws_connect("/mig/v0.1/stream") as socket:
            header = {"tenant_id": "acme", "message_id": "m-4"}
            await socket.send_json(
                {"header": header, "kind": "request", "capability": REFERENCE, "payload": {"input": ""}}
            )
            await socket.receive()

    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(each["message_id"], each["outcome"], each["binding"]) for each in records] == [
        ("m-1", "success", "http"),
        ("m-2", "MIG_INVALID_REQUEST", "http"),
        ("m-3", "MIG_UNSUPPORTED_CAPABILITY", "http"),
        ("m-4", "success", "websocket"),
    ]
    assert {(each["actor"], each["tenant_id"]) for each in records} == {("anonymous", "acme")}


async def test_an_unexpected_failure_is_in_the_log_under_its_message_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    provider = Scripted()
    provider.error = RuntimeError("the disk is on fire")
    async with local_migd(capability(provider)) as migd:
        await migd.invoke("test.scripted", {"secret": "hunter2"}, message_id="m-1", traceparent=TRACE)

    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.__dict__["message_id"] == "m-1"
    assert record.__dict__["traceparent"] == TRACE
    assert record.__dict__["operation"] == "INVOKE"
    assert record.exc_info is not None
    assert "the disk is on fire" in str(record.exc_info[1])
    assert "hunter2" not in caplog.text


def test_log_lines_are_json_when_asked(tmp_path: Path) -> None:
    module = tmp_path / "broken.py"
    module.write_text(
        "from migd.capability import capability\n\n"
        "@capability(id='broken.thing', version='1.0.0')\n"
        "async def broken(payload: dict) -> dict:\n"
        "    raise RuntimeError('the disk is on fire')\n"
    )
    (tmp_path / "migd.yaml").write_text("migd: 1\ncapabilities:\n  - python: broken:broken\n")
    with running_migd("--config", "migd.yaml", cwd=tmp_path, MIGD_LOG_FORMAT="json") as migd:
        _post(
            f"{migd.url}/mig/v0.1/invoke/broken.thing", {"header": {"tenant_id": "acme", "message_id": "m-1"}}
        )
        migd.stop()

    lines = [json.loads(line) for line in migd.stderr]
    (failure,) = [line for line in lines if line["level"] == "error"]
    assert (failure["message_id"], failure["tenant_id"], failure["code"]) == ("m-1", "acme", "MIG_INTERNAL")
    assert "the disk is on fire" in failure["exception"]
    assert lines[-1]["event"] == "going down"


def _post(url: str, body: object) -> None:
    import urllib.error
    import urllib.request

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode()))
    refused.value.close()
