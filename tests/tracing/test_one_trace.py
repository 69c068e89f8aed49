"""One trace from a caller over HTTP through the gateway to a worker on NATS, as a collector sees it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

from migd.capability import Work, capability
from migd.providers.python import python_capability
from support.gateway_under_test import Scripted
from support.gateway_under_test import capability as scripted
from support.nats_gateway import asked_migd, nats_client
from support.nats_servers import NatsServer
from support.otlp_receiver import OtlpReceiver
from support.running_migd import local_migd

SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE_ID, CALLER = SAMPLED[3:35], SAMPLED[36:52]
WORKERS = "workers.shout"


@asynccontextmanager
async def shouting_worker(client: Client, receiver: OtlpReceiver) -> AsyncIterator[None]:
    """A service in a queue group that traces with OpenTelemetry and knows nothing of migd."""
    provider = TracerProvider(resource=Resource({"service.name": "worker"}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{receiver.endpoint}/v1/traces")))
    tracer = provider.get_tracer("worker")

    async def shout(message: Msg) -> None:
        with tracer.start_as_current_span("shout", extract(message.headers or {}), SpanKind.SERVER):
            text = json.loads(message.data)["text"]
            await message.respond(json.dumps({"text": text.upper()}).encode())

    subscription = await client.subscribe(WORKERS, "shouters", cb=shout)
    await client.flush()
    try:
        yield
    finally:
        await subscription.unsubscribe()
        # It exports to this event loop, so it must not hold it up.
        await asyncio.to_thread(provider.shutdown)


async def test_http_gateway_and_nats_worker_are_one_trace(
    nats_server: NatsServer, receiver: OtlpReceiver
) -> None:
    async with nats_client(nats_server) as client:

        @capability(id="text.shout", version="1.0.0")
        async def shout(payload: dict[str, Any], work: Work) -> dict[str, Any]:
            headers = {"traceparent": work.traceparent or ""}
            reply = await client.request(WORKERS, json.dumps(payload).encode(), timeout=20, headers=headers)
            answer: dict[str, Any] = json.loads(reply.data)
            return answer

        async with (
            shouting_worker(client, receiver),
            local_migd(python_capability(shout), MIGD_OTLP_ENDPOINT=receiver.endpoint) as migd,
        ):
            answer = await migd.post(
                "/mig/v0.1/invoke/text.shout",
                {"payload": {"text": "hello"}},
                x_tenant_id="acme",
                traceparent=SAMPLED,
            )

    assert answer.json["payload"] == {"text": "HELLO"}
    server, asked = receiver.named("INVOKE"), receiver.named("text.shout")
    worker = receiver.named("shout", service="worker")
    assert {span.trace_id for span in receiver.spans} == {TRACE_ID}
    assert [server.parent_id, asked.parent_id, worker.parent_id] == [CALLER, server.span_id, asked.span_id]
    assert [server.kind, asked.kind, worker.kind] == ["SERVER", "CLIENT", "SERVER"]


async def test_nats_headers_carry_the_trace_in_and_out(
    nats_server: NatsServer, receiver: OtlpReceiver
) -> None:
    provider = Scripted()
    provider.items = [{"n": 1}]
    tracing = {"MIGD_OTLP_ENDPOINT": receiver.endpoint}
    async with asked_migd(nats_server, scripted(provider), **tracing) as (_, acme):
        reply = await acme.invoke("test.scripted", traceparent=SAMPLED)
        frames = await acme.frames("s-1")
        await acme.stream("test.scripted", traceparent=SAMPLED, stream_id="s-1")
        await frames.rest()

    unary, streamed = receiver.named("INVOKE"), receiver.named("STREAM")
    assert [span.parent_id for span in (unary, streamed)] == [CALLER, CALLER]
    assert {span.attributes["mig.binding"] for span in (unary, streamed)} == {"nats"}
    assert reply.headers["traceparent"] == reply.json["header"]["traceparent"] == SAMPLED
    assert frames.headers[-1]["traceparent"] == SAMPLED
    assert [work.traceparent for work in provider.seen] == [
        f"00-{TRACE_ID}-{span.span_id}-01" for span in receiver.spans if span.name == "test.scripted"
    ]
