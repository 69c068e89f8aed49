# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""The HTTP client stub: one typed method per operation, over whatever can send a request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Final, NamedTuple, Protocol, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from msgspec import UNSET, UnsetType

from mig_protocol import codec
from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    AuditExport,
    AuditQuery,
    CancelAck,
    CancelRequest,
    CapabilityDescriptor,
    CapabilityList,
    CapabilityRegistration,
    ConformanceHealth,
    ConnectionQuery,
    ConnectionSnapshot,
    DiscoverRequest,
    DiscoverResponse,
    ErrorEnvelope,
    EventMessage,
    GapNotice,
    GatewayCreation,
    GatewayRecord,
    HealthStatus,
    HeartbeatAck,
    HeartbeatRequest,
    HelloRequest,
    HelloResponse,
    InvokeRequest,
    InvokeResponse,
    MigErrorCode,
    Org,
    OrgCreation,
    PolicyCheck,
    PolicyDecision,
    PublishAck,
    PublishRequest,
    Quota,
    RequestHeader,
    SchemaReference,
    SchemaRegistration,
    SubscribeRequest,
    Tenant,
    TenantCreation,
    UsageReport,
)
from mig_protocol.sse import ServerSentEvent, SseParser, parse_sse

__all__ = ["HttpClient", "HttpStream", "HttpTransport", "ServerSentEvent", "parse_sse"]

Headers = Sequence[tuple[str, str]]
M = TypeVar("M", bound=msgspec.Struct)

_JSON: Final = ("content-type", "application/json")
_CARRIERS: Final = (
    ("message_id", "MIG-Message-ID"),
    ("tenant_id", "X-Tenant-ID"),
    ("session_id", "MIG-Session-ID"),
    ("traceparent", "traceparent"),
    ("idempotency_key", "Idempotency-Key"),
    ("deadline_ms", "MIG-Deadline-Ms"),
)
_SHOWN: Final = 200  # bytes of an answer that is no ErrorEnvelope
_CODE_OF_STATUS: Final = {
    401: MigErrorCode.MIG_UNAUTHORIZED,
    403: MigErrorCode.MIG_FORBIDDEN,
    404: MigErrorCode.MIG_NOT_FOUND,
    429: MigErrorCode.MIG_RATE_LIMITED,
    502: MigErrorCode.MIG_UNAVAILABLE,
    503: MigErrorCode.MIG_UNAVAILABLE,
    504: MigErrorCode.MIG_UNAVAILABLE,
}


class HttpStream(NamedTuple):
    """An answer whose body comes in chunks. Closing `chunks` gives the connection up."""

    status: int
    headers: Headers
    chunks: AsyncGenerator[bytes, None]


class HttpTransport(Protocol):
    """How requests travel. `url_path` is percent-encoded; `query` is without "?", and "" for none."""

    async def send(
        self, method: str, url_path: str, query: str, headers: Headers, body: bytes
    ) -> tuple[int, Headers, bytes]:
        """Send one request and wait for all of the answer: status, headers, body."""
        ...

    async def stream(self, method: str, url_path: str, query: str, headers: Headers) -> HttpStream:
        """Send one request and wait for the head of the answer."""
        ...


class HttpClient:
    """Calls MIG over HTTP. `headers` are sent with every request, such as X-Tenant-ID and Authorization.

    Every method raises MigFault for an ErrorEnvelope, with the header of the envelope, and for an answer
    that is not MIG's at all. What the transport raises passes through.
    """

    def __init__(self, transport: HttpTransport, *, headers: Mapping[str, str] | None = None) -> None:
        self._transport = transport
        self._headers = tuple((headers or {}).items())

    async def hello(self, request: HelloRequest) -> HelloResponse:
        """HELLO: Agree on version, binding and features."""
        path = "/mig/v0.1/hello"
        return _decoded(HelloResponse, await self._send("POST", path, "", codec.encode(request)))

    async def discover(self, request: DiscoverRequest) -> DiscoverResponse:
        """DISCOVER: List the capabilities that the caller may see."""
        path = "/mig/v0.1/discover"
        return _decoded(DiscoverResponse, await self._send("POST", path, "", codec.encode(request)))

    async def invoke(self, request: InvokeRequest) -> InvokeResponse:
        """INVOKE: Call a capability and wait for its answer."""
        path = "/mig/v0.1/invoke/" + _segment(request.capability, "capability")
        return _decoded(InvokeResponse, await self._send("POST", path, "", codec.encode(request)))

    async def publish(self, request: PublishRequest) -> PublishAck:
        """PUBLISH: Append an event to a topic."""
        path = "/mig/v0.1/publish/" + _segment(request.topic, "topic")
        return _decoded(PublishAck, await self._send("POST", path, "", codec.encode(request)))

    async def subscribe(self, request: SubscribeRequest) -> AsyncGenerator[EventMessage | GapNotice, None]:
        """SUBSCRIBE: Follow a topic as Server-Sent Events.

        Events and notices of gaps, until the server ends the stream or the iterator is closed.
        """
        path = "/mig/v0.1/subscribe/" + _segment(request.topic, "topic")
        async with aclosing(
            self._events(path, _query(request, ("consumer_id", "resume_cursor", "max_inflight")), request)
        ) as events:
            async for event in events:
                if event.event == "mig-gap":
                    yield _decoded(GapNotice, event.data.encode())
                else:
                    yield _decoded(EventMessage, event.data.encode())

    async def cancel(self, request: CancelRequest) -> CancelAck:
        """CANCEL: Stop an invocation."""
        path = "/mig/v0.1/cancel/" + _segment(request.target_message_id, "target_message_id")
        return _decoded(CancelAck, await self._send("POST", path, "", codec.encode(request)))

    async def heartbeat(self, request: HeartbeatRequest) -> HeartbeatAck:
        """HEARTBEAT: Say that one is alive and learn how busy the server is."""
        path = "/mig/v0.1/heartbeat"
        return _decoded(HeartbeatAck, await self._send("POST", path, "", codec.encode(request)))

    async def register_capability(self, request: CapabilityRegistration) -> CapabilityDescriptor:
        """REGISTER_CAPABILITY: Register a capability, or replace its descriptor."""
        path = "/admin/v0.1/capabilities"
        return _decoded(CapabilityDescriptor, await self._send("POST", path, "", codec.encode(request)))

    async def list_capabilities(self) -> CapabilityList:
        """LIST_CAPABILITIES: List every capability."""
        return _decoded(CapabilityList, await self._send("GET", "/admin/v0.1/capabilities", "", b""))

    async def register_schema(self, request: SchemaRegistration) -> SchemaReference:
        """REGISTER_SCHEMA: Register a JSON Schema under a URI."""
        path = "/admin/v0.1/schemas"
        return _decoded(SchemaReference, await self._send("POST", path, "", codec.encode(request)))

    async def conformance_health(self) -> ConformanceHealth:
        """CONFORMANCE_HEALTH: Which conformance profiles are really served."""
        return _decoded(ConformanceHealth, await self._send("GET", "/admin/v0.1/health/conformance", "", b""))

    async def list_connections(self, query: ConnectionQuery) -> ConnectionSnapshot:
        """LIST_CONNECTIONS: List the long-lived connections that are open now."""
        body = await self._send(
            "GET", "/admin/v0.1/connections", _query(query, ("tenant_id", "protocol", "kind")), b""
        )
        return _decoded(ConnectionSnapshot, body)

    async def validate_policy(self, request: PolicyCheck) -> PolicyDecision:
        """VALIDATE_POLICY: Would this be allowed."""
        path = "/pro/v0.1/policies/validate"
        return _decoded(PolicyDecision, await self._send("POST", path, "", codec.encode(request)))

    async def set_quota(self, request: Quota) -> Quota:
        """SET_QUOTA: Bound how many invocations a tenant may run."""
        path = "/pro/v0.1/quotas"
        return _decoded(Quota, await self._send("POST", path, "", codec.encode(request)))

    async def export_audit(self, query: AuditQuery) -> AuditExport:
        """EXPORT_AUDIT: Export the audit trail."""
        body = await self._send(
            "GET",
            "/pro/v0.1/audit/export",
            _query(
                query,
                (
                    "tenant_id",
                    "capability",
                    "outcome",
                    "actor",
                    "operation",
                    "since",
                    "until",
                    "after",
                    "limit",
                    "format",
                ),
            ),
            b"",
        )
        return _decoded(AuditExport, body)

    async def create_org(self, request: OrgCreation) -> Org:
        """CREATE_ORG: Create an organisation."""
        path = "/cloud/v0.1/orgs"
        return _decoded(Org, await self._send("POST", path, "", codec.encode(request)))

    async def create_tenant(self, request: TenantCreation) -> Tenant:
        """CREATE_TENANT: Create a tenant of an organisation."""
        path = "/cloud/v0.1/tenants"
        return _decoded(Tenant, await self._send("POST", path, "", codec.encode(request)))

    async def create_gateway(self, request: GatewayCreation) -> GatewayRecord:
        """CREATE_GATEWAY: Record a gateway that serves a tenant."""
        path = "/cloud/v0.1/gateways"
        return _decoded(GatewayRecord, await self._send("POST", path, "", codec.encode(request)))

    async def usage(self) -> UsageReport:
        """USAGE: How many invocations have run."""
        return _decoded(UsageReport, await self._send("GET", "/cloud/v0.1/usage", "", b""))

    async def liveness(self) -> HealthStatus:
        """LIVENESS: Is the process alive."""
        return _decoded(HealthStatus, await self._send("GET", "/healthz", "", b""))

    async def readiness(self) -> HealthStatus:
        """READINESS: Can the server take work."""
        return _decoded(HealthStatus, await self._send("GET", "/readyz", "", b"", accept=(503,)))

    async def metrics(self) -> str:
        """METRICS: Counters and histograms for Prometheus."""
        return (await self._send("GET", "/metrics", "", b"")).decode()

    async def _send(
        self, method: str, path: str, query: str, body: bytes, accept: tuple[int, ...] = ()
    ) -> bytes:
        headers = (_JSON, *self._headers) if body else self._headers
        status, answered, answer = await self._transport.send(method, path, query, headers, body)
        if not 200 <= status < 300 and status not in accept:
            raise _fault(status, answered, answer)
        return answer

    async def _events(
        self, path: str, query: str, request: SubscribeRequest
    ) -> AsyncGenerator[ServerSentEvent, None]:
        headers = (*self._headers, *_carried(request.header))
        stream = await self._transport.stream("GET", path, query, headers)
        async with aclosing(stream.chunks) as chunks:
            if stream.status != 200:
                raise _fault(stream.status, stream.headers, b"".join([chunk async for chunk in chunks]))
            parser = SseParser()
            async for chunk in chunks:
                for event in parser.feed(chunk):
                    yield event


def _segment(value: str | UnsetType, name: str) -> str:
    if value is UNSET:
        raise ValueError(f"the request needs {name}: it is part of the path")
    return quote(value, safe="")


def _query(message: msgspec.Struct, names: Sequence[str]) -> str:
    values = msgspec.to_builtins(message)
    return urlencode({name: values[name] for name in names if name in values})


def _carried(header: RequestHeader | UnsetType) -> list[tuple[str, str]]:
    """The message header as HTTP header fields, for a request without a body."""
    if header is UNSET:
        return []
    values = ((spelling, getattr(header, field)) for field, spelling in _CARRIERS)
    return [(spelling, str(value)) for spelling, value in values if value is not UNSET]


def _decoded(message: type[M], body: bytes) -> M:
    try:
        return codec.decode(message, body)
    except MigFault as fault:
        raise MigFault(MigErrorCode.MIG_INTERNAL, f"the server's answer is wrong: {fault.message}") from fault


def _fault(status: int, headers: Headers, body: bytes) -> MigFault:
    wait = next((value for name, value in headers if name.lower() == "retry-after" and value.isdigit()), None)
    retry_after_s = None if wait is None else float(wait)
    try:
        return MigFault.from_envelope(codec.decode(ErrorEnvelope, body), retry_after_s=retry_after_s)
    except MigFault:
        code = _CODE_OF_STATUS.get(status, MigErrorCode.MIG_INTERNAL)
        shown = body[:_SHOWN].decode(errors="replace")
        return MigFault(
            code, f"HTTP {status} without an ErrorEnvelope: {shown!r}", retry_after_s=retry_after_s
        )
