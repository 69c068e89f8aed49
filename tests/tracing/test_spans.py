"""Spans as a collector gets them: one per request on every binding, one per provider call below it."""

from __future__ import annotations

import logging

import pytest

from migd.core.provider import Final
from support.gateway_under_test import Scripted, capability
from support.grpc_client import connected, grpc_migd
from support.otlp_receiver import OtlpReceiver
from support.running_migd import local_migd
from support.sse import subscribed

REFERENCE = "observatory.models.infer"
SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOT_SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
TRACE_ID = SAMPLED[3:35]
CALLER = SAMPLED[36:52]


async def test_a_traced_request_has_a_server_span_and_a_client_span_whose_context_the_provider_gets(
    receiver: OtlpReceiver,
) -> None:
    provider = Scripted()
    async with local_migd(capability(provider), MIGD_OTLP_ENDPOINT=receiver.endpoint) as migd:
        answer = await migd.invoke("test.scripted", traceparent=SAMPLED, message_id="m-1")

    server, client = receiver.named("INVOKE"), receiver.named("test.scripted")
    assert (server.kind, server.trace_id, server.parent_id, server.status) == (
        "SERVER",
        TRACE_ID,
        CALLER,
        "UNSET",
    )
    assert (client.kind, client.trace_id, client.parent_id) == ("CLIENT", TRACE_ID, server.span_id)
    assert provider.seen[0].traceparent == f"00-{TRACE_ID}-{client.span_id}-01"
    assert answer.json["header"]["traceparent"] == SAMPLED
    assert server.attributes == {
        "rpc.system.name": "mig",
        "rpc.system": "mig",
        "rpc.method": "mig.v0_1.Invocation/Invoke",
        "mig.operation": "INVOKE",
        "mig.binding": "http",
        "mig.capability": "test.scripted",
        "mig.tenant_id": "acme",
        "mig.message_id": "m-1",
    }


async def test_a_request_without_a_trace_begins_one_and_is_told_which(receiver: OtlpReceiver) -> None:
    provider = Scripted()
    async with local_migd(capability(provider), MIGD_OTLP_ENDPOINT=receiver.endpoint) as migd:
        answer = await migd.invoke("test.scripted")

    server = receiver.named("INVOKE")
    assert server.parent_id == ""
    version, trace_id, span_id, flags = answer.json["header"]["traceparent"].split("-")
    assert (version, trace_id, span_id) == ("00", server.trace_id, server.span_id)
    assert int(flags, 16) & 1


async def test_a_trace_that_is_not_sampled_is_passed_on_and_not_exported(receiver: OtlpReceiver) -> None:
    provider = Scripted()
    async with local_migd(capability(provider), MIGD_OTLP_ENDPOINT=receiver.endpoint) as migd:
        await migd.invoke("test.scripted", traceparent=NOT_SAMPLED)
        await migd.invoke("test.scripted", traceparent=SAMPLED)

    assert {span.parent_id for span in receiver.spans if span.kind == "SERVER"} == {CALLER}
    assert len(receiver.spans) == 2
    unsampled = provider.seen[0].traceparent or ""
    assert unsampled.startswith(f"00-{TRACE_ID}-")
    assert unsampled.endswith("-00")


async def test_without_an_endpoint_a_trace_goes_through_untouched_and_none_is_invented() -> None:
    provider = Scripted()
    async with local_migd(capability(provider)) as migd:
        traced = await migd.invoke("test.scripted", traceparent=SAMPLED)
        untraced = await migd.invoke("test.scripted")

    assert [work.traceparent for work in provider.seen] == [SAMPLED, None]
    assert traced.json["header"]["traceparent"] == SAMPLED
    assert "traceparent" not in untraced.json["header"]


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [(RuntimeError("broken"), "MIG_INTERNAL", "ERROR"), (None, "MIG_INVALID_REQUEST", "UNSET")],
)
async def test_a_failure_is_an_outcome_and_only_what_is_no_fault_of_the_caller_an_error(
    receiver: OtlpReceiver, error: Exception | None, code: str, status: str
) -> None:
    provider = Scripted()
    provider.error = error
    schema = {"type": "object", "required": ["needed"]}
    scripted = capability(provider, input_schema=None if error else schema)
    async with local_migd(scripted, MIGD_OTLP_ENDPOINT=receiver.endpoint) as migd:
        await migd.invoke("test.scripted")

    server = receiver.named("INVOKE")
    assert (server.attributes["mig.code"], server.attributes["error.type"], server.status) == (
        code,
        code,
        status,
    )
    assert {span.status for span in receiver.spans if span.kind == "CLIENT"} == (
        {"ERROR"} if error else set()
    )


async def test_what_is_refused_at_the_door_has_one_span_too(receiver: OtlpReceiver) -> None:
    async with local_migd(MIGD_OTLP_ENDPOINT=receiver.endpoint) as migd:
        await migd.post(f"/mig/v0.1/invoke/{REFERENCE}", b"{no json", traceparent=SAMPLED)
        await migd.post("/mig/v0.1/publish/a.b", {}, traceparent=SAMPLED)
        await migd.get("/nowhere")
        await migd.get("/metrics")

    assert {(span.name, span.attributes["mig.code"], span.parent_id) for span in receiver.spans} == {
        ("INVOKE", "MIG_INVALID_REQUEST", CALLER),
        ("PUBLISH", "MIG_INVALID_REQUEST", CALLER),
    }
    assert len(receiver.spans) == 2


async def test_every_operation_of_http_has_its_span(receiver: OtlpReceiver) -> None:
    async with local_migd(MIGD_OTLP_ENDPOINT=receiver.endpoint) as migd:
        for path in ("hello", "discover", "heartbeat", "publish/a.b", "cancel/m-9"):
            answer = await migd.post(f"/mig/v0.1/{path}", {}, x_tenant_id="acme", traceparent=SAMPLED)
            assert answer.json["header"]["traceparent"] == SAMPLED
        async with subscribed(migd.http, "a.b"):
            pass

    names = [span.name for span in receiver.spans]
    assert sorted(names) == ["CANCEL", "DISCOVER", "HEARTBEAT", "HELLO", "PUBLISH", "SUBSCRIBE"]
    assert {span.attributes["mig.tenant_id"] for span in receiver.spans} == {"acme"}


async def test_an_event_carries_the_trace_of_its_publisher(receiver: OtlpReceiver) -> None:
    async with (
        local_migd(MIGD_OTLP_ENDPOINT=receiver.endpoint) as migd,
        subscribed(migd.http, "a.b") as events,
    ):
        await migd.post("/mig/v0.1/publish/a.b", {}, x_tenant_id="acme", traceparent=SAMPLED)
        ack = await migd.post("/mig/v0.1/publish/a.b", {}, x_tenant_id="acme")
        carried = [(await events.next()).data["header"]["traceparent"] for _ in range(2)]

    begun = ack.json["header"]["traceparent"]
    assert carried == [SAMPLED, begun]
    assert begun[36:52] in {span.span_id for span in receiver.spans if span.name == "PUBLISH"}


async def test_every_stream_of_a_websocket_has_a_span_of_its_own(receiver: OtlpReceiver) -> None:
    provider = Scripted()
    provider.items = [{"n": 1}, Final({"n": 2})]
    async with (
        local_migd(capability(provider), MIGD_OTLP_ENDPOINT=receiver.endpoint) as migd,
        migd.http.ws_connect("/mig/v0.1/stream") as socket,
    ):
        for stream in ("s-1", "s-2"):
            header = {"tenant_id": "acme", "message_id": stream, "traceparent": SAMPLED}
            await socket.send_json(
                {"header": header, "kind": "request", "stream_id": stream, "capability": "test.scripted"}
            )
            while not (await socket.receive_json())["end_stream"]:
                pass

    servers = [span for span in receiver.spans if span.name == "STREAM"]
    clients = [span for span in receiver.spans if span.name == "test.scripted"]
    assert [span.attributes["mig.message_id"] for span in servers] == ["s-1", "s-2"]
    assert {span.attributes["mig.binding"] for span in servers} == {"websocket"}
    assert [span.parent_id for span in clients] == [span.span_id for span in servers]
    assert "mig.code" not in {name for span in receiver.spans for name in span.attributes}


async def test_grpc_metadata_carries_the_trace(receiver: OtlpReceiver) -> None:
    provider = Scripted()
    async with (
        grpc_migd(capability(provider), MIGD_OTLP_ENDPOINT=receiver.endpoint) as (migd, _),
        connected(migd, traceparent=SAMPLED) as client,
    ):
        answer = await client.invoke("test.scripted", {})
        assert answer.header.traceparent == SAMPLED

    server = receiver.named("INVOKE")
    assert (server.parent_id, server.attributes["mig.binding"]) == (CALLER, "grpc")
    assert provider.seen[0].traceparent == f"00-{TRACE_ID}-{receiver.named('test.scripted').span_id}-01"


async def test_a_stopped_invocation_ends_its_spans(receiver: OtlpReceiver) -> None:
    provider = Scripted()
    provider.waits = True
    async with local_migd(capability(provider), MIGD_OTLP_ENDPOINT=receiver.endpoint) as migd:
        await migd.invoke("test.scripted", deadline_ms=1)

    codes = [(span.kind, span.attributes["mig.code"], span.status) for span in receiver.spans]
    assert sorted(codes) == [("CLIENT", "MIG_TIMEOUT", "ERROR"), ("SERVER", "MIG_TIMEOUT", "ERROR")]


async def test_a_collector_that_refuses_fails_no_request_and_keeps_no_gateway_from_ending(
    receiver: OtlpReceiver,
) -> None:
    receiver.status = 400
    async with local_migd(MIGD_OTLP_ENDPOINT=receiver.endpoint) as migd:
        statuses = [(await migd.invoke(REFERENCE, {"input": "x"})).status for _ in range(20)]

    assert statuses == [200] * 20
    assert receiver.requests >= 1
    assert receiver.spans == []


async def test_a_failure_in_the_log_names_the_span_it_happened_in(
    receiver: OtlpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    provider = Scripted()
    provider.error = RuntimeError("broken")
    async with local_migd(capability(provider), MIGD_OTLP_ENDPOINT=receiver.endpoint) as migd:
        await migd.invoke("test.scripted", traceparent=SAMPLED)

    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.__dict__["trace_id"] == TRACE_ID
    assert record.__dict__["span_id"] == receiver.named("INVOKE").span_id
