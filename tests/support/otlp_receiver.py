"""A receiver of traces as a collector is one: OTLP over HTTP, protobuf."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from support.local_web import serving


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSpan:
    """One span; ids are hexadecimal, `parent_id` empty for a root, `kind` and `status` OTLP's names."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    status: str
    attributes: dict[str, Any]


class OtlpReceiver:
    """Takes what is exported to `endpoint`; with `status` other than 200 it refuses."""

    def __init__(self) -> None:
        self.endpoint = ""
        self.spans: list[ReceivedSpan] = []
        self.status = 200
        self.requests = 0
        self._came = asyncio.Event()

    async def until(self, count: int) -> list[ReceivedSpan]:
        """The spans, once there are so many; the test's timeout bounds it."""
        while len(self.spans) < count:
            self._came.clear()
            await self._came.wait()
        return self.spans

    def named(self, name: str, service: str = "migd") -> ReceivedSpan:
        """The one span of that name."""
        (found,) = [span for span in self.spans if (span.name, span.service) == (name, service)]
        return found

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        self.requests += 1
        if self.status == 200:
            self.spans += _spans(ExportTraceServiceRequest.FromString(body))
        self._came.set()
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(status=self.status, body=answer, content_type="application/x-protobuf")


@asynccontextmanager
async def otlp_receiver() -> AsyncIterator[OtlpReceiver]:
    receiver = OtlpReceiver()
    async with serving("POST", "/v1/traces", receiver.take) as receiver.endpoint:
        yield receiver


def _spans(request: ExportTraceServiceRequest) -> list[ReceivedSpan]:
    return [
        ReceivedSpan(
            service=_attributes(resource.resource.attributes)["service.name"],
            name=span.name,
            kind=span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_id=span.parent_span_id.hex(),
            status=span.status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
            attributes=_attributes(span.attributes),
        )
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
