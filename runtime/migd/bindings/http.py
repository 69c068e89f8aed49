"""HTTP requests as calls of the gateway (protocol sections 2 and 7)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from msgspec import UNSET
from msgspec.structs import replace

from mig_protocol.errors import MigFault
from mig_protocol.http_exchange import Answer
from mig_protocol.http_server import Exchange, HttpService
from mig_protocol.messages import (
    AuditExport,
    AuditFormat,
    AuditQuery,
    CancelAck,
    CancelRequest,
    CapabilityDescriptor,
    CapabilityList,
    CapabilityRegistration,
    ConformanceHealth,
    ConnectionKind,
    ConnectionQuery,
    ConnectionSnapshot,
    DiscoverRequest,
    DiscoverResponse,
    ErrorEnvelope,
    GatewayCreation,
    GatewayRecord,
    HealthState,
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
    SchemaReference,
    SchemaRegistration,
    SubscribeRequest,
    Tenant,
    TenantCreation,
    UsageReport,
)
from migd.bindings.peer import plain_peer
from migd.bindings.sse import EventStream
from migd.core.administration import Administration
from migd.core.call import ANONYMOUS, Call, Principal
from migd.core.gateway import Gateway

_LINES = "application/x-ndjson"
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Scrape(Protocol):
    """The measurements, in the formats that scrapers read."""

    def text(self) -> str: ...
    def openmetrics(self) -> str: ...


class HttpBinding(HttpService):
    """`scrape` gives the texts of GET /metrics; None where metrics are switched off."""

    def __init__(self, gateway: Gateway, scrape: Callable[[], Scrape] | None) -> None:
        self._gateway = gateway
        self._authenticate = gateway.authenticate
        self._scrape = scrape

    # -- the protocol's operations: rights "caller" ------------------------------------------------

    def hello(self, exchange: Exchange, request: HelloRequest) -> HelloResponse:
        return self._gateway.hello(self._call(exchange), request)

    def discover(self, exchange: Exchange, request: DiscoverRequest) -> DiscoverResponse:
        return self._gateway.discover(self._call(exchange), request)

    def invoke(
        self, exchange: Exchange, request: InvokeRequest
    ) -> InvokeResponse | Awaitable[InvokeResponse]:
        return self._gateway.invoke(self._call(exchange), request)

    def publish(self, exchange: Exchange, request: PublishRequest) -> Awaitable[PublishAck]:
        return self._gateway.publish(self._call(exchange), request)

    async def subscribe(self, exchange: Exchange, request: SubscribeRequest) -> AsyncIterator[bytes]:
        """The position in the log is taken before the first byte of the answer is sent."""
        call = replace(self._call(exchange), peer=plain_peer(exchange.peer))
        return EventStream(await self._gateway.subscribe(call, request, ConnectionKind.sse_subscribe))

    def cancel(self, exchange: Exchange, request: CancelRequest) -> Awaitable[CancelAck]:
        return self._gateway.cancel(self._call(exchange), request)

    def heartbeat(self, exchange: Exchange, request: HeartbeatRequest) -> HeartbeatAck:
        return self._gateway.heartbeat(self._call(exchange), request)

    # -- beside the protocol: rights "admin" ---------------------------------------------------------

    def register_capability(
        self, exchange: Exchange, request: CapabilityRegistration
    ) -> Awaitable[CapabilityDescriptor]:
        return self._administration(exchange).register_capability(request)

    def list_capabilities(self, exchange: Exchange) -> CapabilityList:
        return self._administration(exchange).list_capabilities()

    def register_schema(self, exchange: Exchange, request: SchemaRegistration) -> Awaitable[SchemaReference]:
        return self._administration(exchange).register_schema(request)

    def conformance_health(self, exchange: Exchange) -> ConformanceHealth:
        self._administration(exchange)
        return self._gateway.conformance_health()

    def list_connections(self, exchange: Exchange, query: ConnectionQuery) -> ConnectionSnapshot:
        self._administration(exchange)
        return self._gateway.list_connections(query)

    def validate_policy(self, exchange: Exchange, request: PolicyCheck) -> PolicyDecision:
        asking = self._call(exchange).principal
        return self._administration(exchange).validate_policy(asking, request)

    def set_quota(self, exchange: Exchange, request: Quota) -> Awaitable[Quota]:
        return self._administration(exchange).set_quota(request)

    async def export_audit(
        self, exchange: Exchange, query: AuditQuery
    ) -> AuditExport | Answer[AsyncIterator[bytes]]:
        administration = self._administration(exchange)
        if query.format is AuditFormat.jsonl or (query.format is UNSET and _accepts(exchange, _LINES)):
            return Answer(await administration.audit_lines(query), media_type=_LINES)
        return await administration.export_audit(query)

    def create_org(self, exchange: Exchange, request: OrgCreation) -> Awaitable[Org]:
        return self._administration(exchange).create_org(request)

    def create_tenant(self, exchange: Exchange, request: TenantCreation) -> Awaitable[Tenant]:
        return self._administration(exchange).create_tenant(request)

    def create_gateway(self, exchange: Exchange, request: GatewayCreation) -> Awaitable[GatewayRecord]:
        return self._administration(exchange).create_gateway(request)

    def usage(self, exchange: Exchange) -> Awaitable[UsageReport]:
        return self._administration(exchange).usage()

    # -- rights "public" -----------------------------------------------------------------------------

    def metrics(self, exchange: Exchange) -> str | Answer[str]:
        if self._scrape is None:
            raise MigFault(MigErrorCode.MIG_NOT_FOUND, "metrics are switched off (MIGD_ENABLE_METRICS)")
        if _accepts(exchange, "application/openmetrics-text"):
            return Answer(self._scrape().openmetrics(), media_type=_OPENMETRICS)
        return Answer(self._scrape().text(), media_type=_PROMETHEUS)

    def liveness(self, exchange: Exchange) -> HealthStatus:  # noqa: ARG002 - the stub's signature
        return self._gateway.liveness()

    def readiness(self, exchange: Exchange) -> HealthStatus | Answer[HealthStatus]:  # noqa: ARG002
        health = self._gateway.readiness()
        return health if health.status is HealthState.ok else Answer(health, status=503)

    # -- refusals ------------------------------------------------------------------------------------

    def failed(self, exchange: Exchange, fault: MigFault) -> ErrorEnvelope:
        """Called once for every request that was refused or failed, whoever refused it."""
        call = _as_call(exchange, self._known_principal(exchange))
        return self._gateway.envelope(exchange.operation, fault, call, exchange.carried or UNSET)

    def _call(self, exchange: Exchange) -> Call:
        return _as_call(exchange, self._authenticate(exchange.authorization, exchange.certificate))

    def _administration(self, exchange: Exchange) -> Administration:
        """Raises MigFault MIG_FORBIDDEN unless the caller may administer the gateway."""
        self._gateway.require_admin(self._call(exchange))
        return self._gateway.administration

    def _known_principal(self, exchange: Exchange) -> Principal:
        try:
            return self._authenticate(exchange.authorization, exchange.certificate)
        except MigFault:
            return ANONYMOUS


def _accepts(exchange: Exchange, media_type: str) -> bool:
    """Whether the client names that media type."""
    accepted = b",".join(value for name, value in exchange.headers if name == b"accept").lower()
    named = media_type.encode()
    return any(part.partition(b";")[0].strip() == named for part in accepted.split(b","))


def _as_call(exchange: Exchange, principal: Principal) -> Call:
    return Call(
        principal=principal,
        binding="http",
        tenant=exchange.tenant,
        wire_bytes=exchange.wire_bytes,
    )
