# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""What a server implements to serve MIG over HTTP: one method per operation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable

from mig_protocol.errors import MigFault
from mig_protocol.http_exchange import Answer, Exchange
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
    GatewayCreation,
    GatewayRecord,
    HealthStatus,
    HeartbeatAck,
    HeartbeatRequest,
    HelloRequest,
    HelloResponse,
    InvokeRequest,
    InvokeResponse,
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


class HttpService(ABC):
    """One method per HTTP operation, each taking the checked request and giving the answer or an awaitable
    of it.

    A method refuses by raising MigFault; anything else that it raises is answered as MIG_INTERNAL. A plain
    value is answered at once: no task and no coroutine is made for it. An awaitable is cancelled when the
    client goes away.
    """

    @abstractmethod
    def failed(self, exchange: Exchange, fault: MigFault) -> ErrorEnvelope:
        """The envelope of a refusal. Called exactly once per failed exchange, whatever failed.

        For MIG_INTERNAL `fault.__cause__` is the exception that was not expected; it is for the log only.
        The exchange may not be routed yet (`exchange.operation` is "").
        """

    @abstractmethod
    def hello(self, exchange: Exchange, request: HelloRequest) -> HelloResponse | Awaitable[HelloResponse]:
        """HELLO: Agree on version, binding and features."""

    @abstractmethod
    def discover(
        self, exchange: Exchange, request: DiscoverRequest
    ) -> DiscoverResponse | Awaitable[DiscoverResponse]:
        """DISCOVER: List the capabilities that the caller may see."""

    @abstractmethod
    def invoke(
        self, exchange: Exchange, request: InvokeRequest
    ) -> InvokeResponse | Awaitable[InvokeResponse]:
        """INVOKE: Call a capability and wait for its answer."""

    @abstractmethod
    def publish(self, exchange: Exchange, request: PublishRequest) -> PublishAck | Awaitable[PublishAck]:
        """PUBLISH: Append an event to a topic."""

    @abstractmethod
    def subscribe(
        self, exchange: Exchange, request: SubscribeRequest
    ) -> AsyncIterator[bytes] | Awaitable[AsyncIterator[bytes]]:
        """SUBSCRIBE: Follow a topic as Server-Sent Events.

        Gives the stream as framed Server-Sent Events. The status is sent as soon as the iterator is
        given, so a refusal has to be raised before that; the iterator is closed with aclose() where it
        has one.
        """

    @abstractmethod
    def cancel(self, exchange: Exchange, request: CancelRequest) -> CancelAck | Awaitable[CancelAck]:
        """CANCEL: Stop an invocation."""

    @abstractmethod
    def heartbeat(
        self, exchange: Exchange, request: HeartbeatRequest
    ) -> HeartbeatAck | Awaitable[HeartbeatAck]:
        """HEARTBEAT: Say that one is alive and learn how busy the server is."""

    @abstractmethod
    def register_capability(
        self, exchange: Exchange, request: CapabilityRegistration
    ) -> CapabilityDescriptor | Awaitable[CapabilityDescriptor]:
        """REGISTER_CAPABILITY: Register a capability, or replace its descriptor."""

    @abstractmethod
    def list_capabilities(self, exchange: Exchange) -> CapabilityList | Awaitable[CapabilityList]:
        """LIST_CAPABILITIES: List every capability."""

    @abstractmethod
    def register_schema(
        self, exchange: Exchange, request: SchemaRegistration
    ) -> SchemaReference | Awaitable[SchemaReference]:
        """REGISTER_SCHEMA: Register a JSON Schema under a URI."""

    @abstractmethod
    def conformance_health(self, exchange: Exchange) -> ConformanceHealth | Awaitable[ConformanceHealth]:
        """CONFORMANCE_HEALTH: Which conformance profiles are really served."""

    @abstractmethod
    def list_connections(
        self, exchange: Exchange, query: ConnectionQuery
    ) -> ConnectionSnapshot | Awaitable[ConnectionSnapshot]:
        """LIST_CONNECTIONS: List the long-lived connections that are open now."""

    @abstractmethod
    def validate_policy(
        self, exchange: Exchange, request: PolicyCheck
    ) -> PolicyDecision | Awaitable[PolicyDecision]:
        """VALIDATE_POLICY: Would this be allowed."""

    @abstractmethod
    def set_quota(self, exchange: Exchange, request: Quota) -> Quota | Awaitable[Quota]:
        """SET_QUOTA: Bound how many invocations a tenant may run."""

    @abstractmethod
    def export_audit(
        self, exchange: Exchange, query: AuditQuery
    ) -> (
        AuditExport
        | Answer[AuditExport]
        | Answer[AsyncIterator[bytes]]
        | Awaitable[AuditExport | Answer[AuditExport] | Answer[AsyncIterator[bytes]]]
    ):
        """EXPORT_AUDIT: Export the audit trail.

        Give an Answer to answer as application/x-ndjson (its value an iterator of whole lines, closed
        with aclose() where it has one) instead.
        """

    @abstractmethod
    def create_org(self, exchange: Exchange, request: OrgCreation) -> Org | Awaitable[Org]:
        """CREATE_ORG: Create an organisation."""

    @abstractmethod
    def create_tenant(self, exchange: Exchange, request: TenantCreation) -> Tenant | Awaitable[Tenant]:
        """CREATE_TENANT: Create a tenant of an organisation."""

    @abstractmethod
    def create_gateway(
        self, exchange: Exchange, request: GatewayCreation
    ) -> GatewayRecord | Awaitable[GatewayRecord]:
        """CREATE_GATEWAY: Record a gateway that serves a tenant."""

    @abstractmethod
    def usage(self, exchange: Exchange) -> UsageReport | Awaitable[UsageReport]:
        """USAGE: How many invocations have run."""

    @abstractmethod
    def liveness(self, exchange: Exchange) -> HealthStatus | Awaitable[HealthStatus]:
        """LIVENESS: Is the process alive."""

    @abstractmethod
    def readiness(
        self, exchange: Exchange
    ) -> HealthStatus | Answer[HealthStatus] | Awaitable[HealthStatus | Answer[HealthStatus]]:
        """READINESS: Can the server take work.

        Give an Answer to answer under status 503 instead.
        """

    @abstractmethod
    def metrics(self, exchange: Exchange) -> str | Answer[str] | Awaitable[str | Answer[str]]:
        """METRICS: Counters and histograms for Prometheus.

        Give an Answer to answer as application/openmetrics-text instead.
        """
