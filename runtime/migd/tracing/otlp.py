"""The core's tracer on the OpenTelemetry SDK: imported only where traces are exported (extra `otel`).

Spans that have ended wait in a bounded queue, and a thread of the SDK's exports them: a collector that is
slow, away or full costs spans, and neither time nor failures of requests. Sampling, the queue, headers and
TLS of the export are the SDK's own variables, OTEL_*.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from contextlib import suppress

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_SERVICE_NAME
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags, set_span_in_context

from migd.core.tracing import Span
from migd.tracing.span import OtlpSpan, Unsampled, is_sampled, rpc_attributes

_log = logging.getLogger("migd.tracing")
_FLUSH_S = 3.0


class OtlpTracer:
    """Exports to `endpoint`, the URL of an OTLP/HTTP receiver for traces; None: where OTEL_* variables say.

    `environ` may name the service (OTEL_SERVICE_NAME); it is "migd" otherwise. The instance is `server_id`,
    where it is given.
    """

    def __init__(
        self, endpoint: str | None, *, server_id: str, version: str, environ: Mapping[str, str]
    ) -> None:
        self._exporter = OTLPSpanExporter(endpoint=endpoint)
        self._processor = BatchSpanProcessor(self._exporter)
        provider = TracerProvider(resource=_resource(server_id, version, environ), shutdown_on_exit=False)
        provider.add_span_processor(self._processor)
        self._tracer = provider.get_tracer("migd", version)

    def server(self, operation: str, binding: str, capability: str, traceparent: str | None) -> OtlpSpan:
        attributes = rpc_attributes(operation, binding, capability)
        return self._begin(operation, SpanKind.SERVER, attributes, traceparent)

    def client(self, capability: str, traceparent: str | None) -> Span:
        if traceparent is not None and not is_sampled(traceparent):
            return Unsampled(traceparent)
        return self._begin(capability, SpanKind.CLIENT, {"mig.capability": capability}, traceparent)

    async def close(self) -> None:
        """What has ended is exported, as far as that can be done in a few seconds."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def end() -> None:
            self._processor.shutdown()  # type: ignore[no-untyped-call]
            with suppress(RuntimeError):  # the loop is gone: nobody waits any more
                loop.call_soon_threadsafe(ended.set)

        # Not of the loop's executor, for whose threads a process waits at its end.
        threading.Thread(target=end, name="migd-otlp-end", daemon=True).start()
        try:
            async with asyncio.timeout(_FLUSH_S):
                await ended.wait()
        except TimeoutError:
            _log.warning("the last spans could not be exported in time and are given up")
            self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _begin(
        self, name: str, kind: SpanKind, attributes: Mapping[str, str], traceparent: str | None
    ) -> OtlpSpan:
        return OtlpSpan(self._tracer.start_span(name, _within(traceparent), kind, attributes), kind)


def _within(traceparent: str | None) -> Context:
    """Only this is the parent, and no span that some library left open in the task.

    OpenTelemetry's propagator would check anew what the message's schema has checked.
    """
    if not traceparent:
        return Context()
    _, trace_id, span_id, flags = traceparent.split("-")
    parent = SpanContext(int(trace_id, 16), int(span_id, 16), True, TraceFlags(int(flags, 16)))
    return set_span_in_context(NonRecordingSpan(parent), Context())


def _resource(server_id: str, version: str, environ: Mapping[str, str]) -> Resource:
    attributes = {SERVICE_VERSION: version}
    if not environ.get(OTEL_SERVICE_NAME):
        attributes[SERVICE_NAME] = "migd"
    if server_id:
        attributes[SERVICE_INSTANCE_ID] = server_id
    return Resource.create(attributes)
