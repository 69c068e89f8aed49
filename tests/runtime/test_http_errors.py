"""Whatever goes wrong over HTTP is an ErrorEnvelope with the right code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from support.gateway_under_test import Scripted, capability
from support.running_migd import Answer, LocalMigd, local_migd

REFERENCE = "observatory.models.infer"
INVOKE = f"/mig/v0.1/invoke/{REFERENCE}"
ACME = {"header": {"tenant_id": "acme"}}


@pytest.fixture
async def migd() -> AsyncIterator[LocalMigd]:
    async with local_migd(MIGD_MAX_BODY_BYTES="2048", MIGD_BODY_TIMEOUT_S="0.1") as running:
        yield running


def refused(answer: Answer, status: int, code: str) -> str:
    """The message of an ErrorEnvelope that is complete."""
    assert (answer.status, answer.code) == (status, code), answer.raw
    assert answer.headers["content-type"] == "application/json"
    assert {"mig_version", "message_id", "timestamp", "tenant_id"} <= answer.json["header"].keys()
    assert answer.json["error"]["retryable"] is (
        code in ("MIG_TIMEOUT", "MIG_RATE_LIMITED", "MIG_BACKPRESSURE", "MIG_UNAVAILABLE")
    )
    return str(answer.json["error"]["message"])


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"x"',
        b"null",
        b'{"header":null}',
        b'{"header":{"tenant_id":5}}',
        b'{"header":{"tenant_id":"a/b"}}',
        b'{"header":{"tenant_id":"acme","deadline_ms":-1}}',
        b'{"header":{"tenant_id":"acme"},"payload":[]}',
        b'{"payload":{"input":"\xff"}}',
        b"[" * 1000,
        b'{"a":NaN}',
    ],
)
async def test_a_body_that_is_not_the_message_is_400(migd: LocalMigd, body: bytes) -> None:
    refused(await migd.post(INVOKE, body), 400, "MIG_INVALID_REQUEST")


async def test_a_wrong_field_is_named_by_its_pointer(migd: LocalMigd) -> None:
    answer = await migd.post(INVOKE, {"header": {"tenant_id": 5}})

    assert "/header/tenant_id" in refused(answer, 400, "MIG_INVALID_REQUEST")
    assert answer.json["error"]["details"]["violations"][0]["pointer"] == "/header/tenant_id"
    assert answer.json["header"]["tenant_id"] == "unknown"


async def test_a_refusal_keeps_the_ids_that_came_in_http_fields(migd: LocalMigd) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    header = (await migd.post(INVOKE, b"{", mig_message_id="m-1", traceparent=trace)).json["header"]

    assert (header["message_id"], header["traceparent"]) == ("m-1", trace)


async def test_no_tenant_is_400(migd: LocalMigd) -> None:
    for path in ("hello", "discover", f"invoke/{REFERENCE}", "publish/a.b", "cancel/m-1", "heartbeat"):
        assert (
            refused(await migd.post(f"/mig/v0.1/{path}", {}), 400, "MIG_INVALID_REQUEST")
            == "tenant_id is required"
        )
    assert (
        refused(await migd.get("/mig/v0.1/subscribe/a.b"), 400, "MIG_INVALID_REQUEST")
        == "tenant_id is required"
    )


async def test_two_tenants_that_differ_are_403(migd: LocalMigd) -> None:
    for path in ("hello", "discover", f"invoke/{REFERENCE}", "publish/a.b", "cancel/m-1", "heartbeat"):
        refused(await migd.post(f"/mig/v0.1/{path}", ACME, x_tenant_id="globex"), 403, "MIG_FORBIDDEN")


async def test_a_tenant_field_that_is_no_tenant_is_400(migd: LocalMigd) -> None:
    refused(await migd.post("/mig/v0.1/hello", {}, x_tenant_id="a b"), 400, "MIG_INVALID_REQUEST")


async def test_the_tenant_field_can_be_made_compulsory() -> None:
    async with local_migd(MIGD_REQUIRE_TENANT_HEADER="true") as migd:
        refused(await migd.post("/mig/v0.1/hello", ACME), 400, "MIG_INVALID_REQUEST")
        assert (await migd.post("/mig/v0.1/hello", ACME, x_tenant_id="acme")).status == 200


async def test_another_version_is_a_mismatch(migd: LocalMigd) -> None:
    other = {"header": {"tenant_id": "acme", "mig_version": "0.2"}}

    refused(await migd.post(INVOKE, other), 400, "MIG_VERSION_MISMATCH")
    refused(
        await migd.post("/mig/v0.1/hello", {**ACME, "supported_versions": ["9.9"]}),
        400,
        "MIG_VERSION_MISMATCH",
    )


@pytest.mark.parametrize(
    "path", ["/", "/mig/v0.1", "/mig/v0.1/invoke/", "/mig/v0.1/invoke/a/b", "/mig/v0.2/hello", "/admin", "//"]
)
async def test_an_unknown_path_is_404(migd: LocalMigd, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        refused(await migd.request(method, path), 404, "MIG_NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/mig/v0.1/hello", "POST"),
        ("OPTIONS", "/mig/v0.1/hello", "POST"),
        ("PUT", INVOKE, "POST"),
        ("POST", "/mig/v0.1/subscribe/a.b", "GET"),
        ("DELETE", "/admin/v0.1/capabilities", "GET, POST"),
        ("POST", "/healthz", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_405_with_allow(migd: LocalMigd, method: str, path: str, allow: str) -> None:
    answer = await migd.request(method, path)

    refused(answer, 405, "MIG_INVALID_REQUEST")
    assert answer.headers["allow"] == allow


async def test_an_unknown_capability_is_404(migd: LocalMigd) -> None:
    refused(await migd.invoke("no.such.thing"), 404, "MIG_UNSUPPORTED_CAPABILITY")


async def test_path_and_body_must_agree(migd: LocalMigd) -> None:
    refused(await migd.post(INVOKE, {**ACME, "capability": "x.y"}), 400, "MIG_INVALID_REQUEST")
    refused(await migd.post("/mig/v0.1/publish/a.b", {**ACME, "topic": "a.c"}), 400, "MIG_INVALID_REQUEST")
    refused(
        await migd.post("/mig/v0.1/cancel/m-1", {**ACME, "target_message_id": "m-2"}),
        400,
        "MIG_INVALID_REQUEST",
    )


@pytest.mark.parametrize("topic", ["flat", "a..b", "a.*", "a.%3E", "a.b%20c"])
async def test_a_topic_that_is_none_is_400(migd: LocalMigd, topic: str) -> None:
    refused(await migd.post(f"/mig/v0.1/publish/{topic}", ACME), 400, "MIG_INVALID_REQUEST")
    refused(await migd.get(f"/mig/v0.1/subscribe/{topic}", x_tenant_id="acme"), 400, "MIG_INVALID_REQUEST")


@pytest.mark.parametrize(
    "query",
    [
        "resume_cursor=-1",
        "resume_cursor=x",
        "resume_cursor=",
        "max_inflight=-1",
        "max_inflight=x",
        "resume_cursor=1&resume_cursor=2",
    ],
)
async def test_a_bad_query_is_400(migd: LocalMigd, query: str) -> None:
    refused(
        await migd.get(f"/mig/v0.1/subscribe/a.b?{query}", x_tenant_id="acme"), 400, "MIG_INVALID_REQUEST"
    )


async def test_a_payload_that_breaks_the_schema_is_400_with_every_violation() -> None:
    provider = Scripted()
    schema = {"type": "object", "required": ["a"], "properties": {"b": {"type": "string"}}}
    async with local_migd(capability(provider, input_schema=schema)) as migd:
        answer = await migd.invoke("test.scripted", {"b": 1})

    refused(answer, 400, "MIG_INVALID_REQUEST")
    assert sorted(each["pointer"] for each in answer.json["error"]["details"]["violations"]) == ["", "/b"]
    assert provider.seen == []


async def test_a_body_over_the_limit_is_413_and_closes(migd: LocalMigd) -> None:
    answer = await migd.post(INVOKE, b" " * 3000)

    refused(answer, 413, "MIG_INVALID_REQUEST")
    assert answer.headers["connection"] == "close"


async def test_a_chunked_body_over_the_limit_is_413(migd: LocalMigd) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b" " * 1000

    async with migd.http.post(INVOKE, data=chunks()) as response:
        assert response.status == 413
        assert json.loads(await response.read())["error"]["code"] == "MIG_INVALID_REQUEST"


async def test_a_payload_over_the_capabilitys_limit_is_413() -> None:
    async with local_migd(capability(Scripted())) as migd:
        answer = await migd.invoke("test.scripted", {"text": "x" * 1000})

    assert "takes at most 1000" in refused(answer, 413, "MIG_INVALID_REQUEST")


async def test_a_body_that_does_not_come_is_refused(migd: LocalMigd) -> None:
    host, port = migd.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST {INVOKE} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode())

    answer = await reader.read()
    writer.close()

    assert b"body not received within 0.1 s" in answer


async def test_an_unexpected_failure_tells_nothing_of_itself() -> None:
    provider = Scripted()
    provider.error = RuntimeError("the password is hunter2")
    async with local_migd(capability(provider)) as migd:
        answer = await migd.invoke("test.scripted", message_id="m-1")

    assert refused(answer, 500, "MIG_INTERNAL") == "internal error"
    assert answer.json["header"]["message_id"] == "m-1"
    assert b"hunter2" not in answer.raw


async def test_no_room_is_503_with_retry_after() -> None:
    provider = Scripted()
    provider.waits = True
    async with local_migd(capability(provider), MIGD_MAX_CONCURRENT_INVOCATIONS="1") as migd:
        running = asyncio.create_task(migd.invoke("test.scripted"))
        await provider.started.wait()
        answer = await migd.invoke("test.scripted")
        provider.release.set()

        assert (await running).status == 200
    refused(answer, 503, "MIG_BACKPRESSURE")
    assert answer.headers["retry-after"] == "1"


async def test_a_deadline_stops_the_work() -> None:
    provider = Scripted()
    provider.waits = True
    async with local_migd(capability(provider)) as migd:
        answer = await migd.invoke("test.scripted", deadline_ms=20)

        assert provider.stopped.is_set()
    refused(answer, 504, "MIG_TIMEOUT")


async def test_a_plain_get_of_the_stream_is_400(migd: LocalMigd) -> None:
    refused(await migd.get("/mig/v0.1/stream", x_tenant_id="acme"), 400, "MIG_INVALID_REQUEST")


async def test_metrics_that_are_switched_off_are_not_there() -> None:
    async with local_migd(MIGD_ENABLE_METRICS="false") as migd:
        refused(await migd.get("/metrics"), 404, "MIG_NOT_FOUND")
        assert (await migd.get("/admin/v0.1/health/conformance")).json["full"] is False
