# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""Every MIG operation and where it is on each binding; features, profiles and header carriers.

From spec/registry/operations.yaml and features.yaml, joined with the routes, RPCs and subjects that they
name.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import msgspec

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
    EventMessage,
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
    RequestFrame,
    SchemaReference,
    SchemaRegistration,
    StreamFrame,
    SubscribeRequest,
    Tenant,
    TenantCreation,
    UsageReport,
)

Shape = Literal["unary", "server_stream", "duplex"]
Rights = Literal["caller", "admin", "public"]


class Operation(NamedTuple):
    """One operation. A place is None where a binding does not have it; `absent` then says why.

    `response` is None where the answer is text. `query` is read from HTTP query parameters. `path_fields`
    maps a path or subject parameter to the field of the request that must agree with it.
    """

    id: str
    method: str
    rpc: str | None
    http_method: str | None
    http_path: str | None
    nats: str | None
    request: type[msgspec.Struct] | None
    query: type[msgspec.Struct] | None
    response: type[msgspec.Struct] | None
    shape: Shape
    rights: Rights
    status: int
    path_fields: Mapping[str, str]
    absent: Mapping[str, str]


class HeaderCarrier(NamedTuple):
    """Where a field of the message header may travel outside the body; None where a binding has no such
    place.
    """

    field: str
    http: str | None
    grpc: str | None
    nats: str | None


class Profile(NamedTuple):
    """A conformance profile and the features that declaring it requires."""

    id: str
    requires: tuple[str, ...]
    description: str


OPERATIONS: Final = (
    Operation(
        id="HELLO",
        method="hello",
        rpc="/mig.v0_1.Discovery/Hello",
        http_method="POST",
        http_path="/mig/v0.1/hello",
        nats="mig.v0_1.{tenant}.hello",
        request=HelloRequest,
        query=None,
        response=HelloResponse,
        shape="unary",
        rights="caller",
        status=200,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType({}),
    ),
    Operation(
        id="DISCOVER",
        method="discover",
        rpc="/mig.v0_1.Discovery/Discover",
        http_method="POST",
        http_path="/mig/v0.1/discover",
        nats="mig.v0_1.{tenant}.discover",
        request=DiscoverRequest,
        query=None,
        response=DiscoverResponse,
        shape="unary",
        rights="caller",
        status=200,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType({}),
    ),
    Operation(
        id="INVOKE",
        method="invoke",
        rpc="/mig.v0_1.Invocation/Invoke",
        http_method="POST",
        http_path="/mig/v0.1/invoke/{capability}",
        nats="mig.v0_1.{tenant}.invoke.{capability}",
        request=InvokeRequest,
        query=None,
        response=InvokeResponse,
        shape="unary",
        rights="caller",
        status=200,
        path_fields=MappingProxyType({"capability": "capability"}),
        absent=MappingProxyType({}),
    ),
    Operation(
        id="STREAM",
        method="stream",
        rpc="/mig.v0_1.Invocation/StreamInvoke",
        http_method="GET",
        http_path="/mig/v0.1/stream",
        nats="mig.v0_1.{tenant}.stream.{stream_id}",
        request=RequestFrame,
        query=None,
        response=StreamFrame,
        shape="duplex",
        rights="caller",
        status=101,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType({}),
    ),
    Operation(
        id="PUBLISH",
        method="publish",
        rpc="/mig.v0_1.Events/Publish",
        http_method="POST",
        http_path="/mig/v0.1/publish/{topic}",
        nats="mig.v0_1.{tenant}.events.{topic}",
        request=PublishRequest,
        query=None,
        response=PublishAck,
        shape="unary",
        rights="caller",
        status=200,
        path_fields=MappingProxyType({"topic": "topic"}),
        absent=MappingProxyType({}),
    ),
    Operation(
        id="SUBSCRIBE",
        method="subscribe",
        rpc="/mig.v0_1.Events/Subscribe",
        http_method="GET",
        http_path="/mig/v0.1/subscribe/{topic}",
        nats="mig.v0_1.{tenant}.events.{topic}",
        request=SubscribeRequest,
        query=None,
        response=EventMessage,
        shape="server_stream",
        rights="caller",
        status=200,
        path_fields=MappingProxyType({"topic": "topic"}),
        absent=MappingProxyType({}),
    ),
    Operation(
        id="CANCEL",
        method="cancel",
        rpc="/mig.v0_1.Control/Cancel",
        http_method="POST",
        http_path="/mig/v0.1/cancel/{message_id}",
        nats="mig.v0_1.{tenant}.control.cancel.{message_id}",
        request=CancelRequest,
        query=None,
        response=CancelAck,
        shape="unary",
        rights="caller",
        status=200,
        path_fields=MappingProxyType({"message_id": "target_message_id"}),
        absent=MappingProxyType({}),
    ),
    Operation(
        id="HEARTBEAT",
        method="heartbeat",
        rpc="/mig.v0_1.Control/Heartbeat",
        http_method="POST",
        http_path="/mig/v0.1/heartbeat",
        nats="mig.v0_1.{tenant}.control.heartbeat",
        request=HeartbeatRequest,
        query=None,
        response=HeartbeatAck,
        shape="unary",
        rights="caller",
        status=200,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType({}),
    ),
    Operation(
        id="REGISTER_CAPABILITY",
        method="register_capability",
        rpc=None,
        http_method="POST",
        http_path="/admin/v0.1/capabilities",
        nats=None,
        request=CapabilityRegistration,
        query=None,
        response=CapabilityDescriptor,
        shape="unary",
        rights="admin",
        status=201,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType(
            {
                "nats": "administration is offered over HTTP only",
                "rpc": "administration is offered over HTTP only",
            }
        ),
    ),
    Operation(
        id="LIST_CAPABILITIES",
        method="list_capabilities",
        rpc=None,
        http_method="GET",
        http_path="/admin/v0.1/capabilities",
        nats=None,
        request=None,
        query=None,
        response=CapabilityList,
        shape="unary",
        rights="admin",
        status=200,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType(
            {
                "nats": "administration is offered over HTTP only",
                "rpc": "administration is offered over HTTP only",
            }
        ),
    ),
    Operation(
        id="REGISTER_SCHEMA",
        method="register_schema",
        rpc=None,
        http_method="POST",
        http_path="/admin/v0.1/schemas",
        nats=None,
        request=SchemaRegistration,
        query=None,
        response=SchemaReference,
        shape="unary",
        rights="admin",
        status=201,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType(
            {
                "nats": "administration is offered over HTTP only",
                "rpc": "administration is offered over HTTP only",
            }
        ),
    ),
    Operation(
        id="CONFORMANCE_HEALTH",
        method="conformance_health",
        rpc=None,
        http_method="GET",
        http_path="/admin/v0.1/health/conformance",
        nats=None,
        request=None,
        query=None,
        response=ConformanceHealth,
        shape="unary",
        rights="admin",
        status=200,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType(
            {
                "nats": "administration is offered over HTTP only",
                "rpc": "administration is offered over HTTP only",
            }
        ),
    ),
    Operation(
        id="LIST_CONNECTIONS",
        method="list_connections",
        rpc=None,
        http_method="GET",
        http_path="/admin/v0.1/connections",
        nats=None,
        request=None,
        query=ConnectionQuery,
        response=ConnectionSnapshot,
        shape="unary",
        rights="admin",
        status=200,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType(
            {
                "nats": "administration is offered over HTTP only",
                "rpc": "administration is offered over HTTP only",
            }
        ),
    ),
    Operation(
        id="VALIDATE_POLICY",
        method="validate_policy",
        rpc=None,
        http_method="POST",
        http_path="/pro/v0.1/policies/validate",
        nats=None,
        request=PolicyCheck,
        query=None,
        response=PolicyDecision,
        shape="unary",
        rights="admin",
        status=200,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType(
            {
                "nats": "administration is offered over HTTP only",
                "rpc": "administration is offered over HTTP only",
            }
        ),
    ),
    Operation(
        id="SET_QUOTA",
        method="set_quota",
        rpc=None,
        http_method="POST",
        http_path="/pro/v0.1/quotas",
        nats=None,
        request=Quota,
        query=None,
        response=Quota,
        shape="unary",
        rights="admin",
        status=200,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType(
            {
                "nats": "administration is offered over HTTP only",
                "rpc": "administration is offered over HTTP only",
            }
        ),
    ),
    Operation(
        id="EXPORT_AUDIT",
        method="export_audit",
        rpc=None,
        http_method="GET",
        http_path="/pro/v0.1/audit/export",
        nats=None,
        request=None,
        query=AuditQuery,
        response=AuditExport,
        shape="unary",
        rights="admin",
        status=200,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType(
            {
                "nats": "administration is offered over HTTP only",
                "rpc": "administration is offered over HTTP only",
            }
        ),
    ),
    Operation(
        id="CREATE_ORG",
        method="create_org",
        rpc=None,
        http_method="POST",
        http_path="/cloud/v0.1/orgs",
        nats=None,
        request=OrgCreation,
        query=None,
        response=Org,
        shape="unary",
        rights="admin",
        status=201,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType(
            {
                "nats": "administration is offered over HTTP only",
                "rpc": "administration is offered over HTTP only",
            }
        ),
    ),
    Operation(
        id="CREATE_TENANT",
        method="create_tenant",
        rpc=None,
        http_method="POST",
        http_path="/cloud/v0.1/tenants",
        nats=None,
        request=TenantCreation,
        query=None,
        response=Tenant,
        shape="unary",
        rights="admin",
        status=201,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType(
            {
                "nats": "administration is offered over HTTP only",
                "rpc": "administration is offered over HTTP only",
            }
        ),
    ),
    Operation(
        id="CREATE_GATEWAY",
        method="create_gateway",
        rpc=None,
        http_method="POST",
        http_path="/cloud/v0.1/gateways",
        nats=None,
        request=GatewayCreation,
        query=None,
        response=GatewayRecord,
        shape="unary",
        rights="admin",
        status=201,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType(
            {
                "nats": "administration is offered over HTTP only",
                "rpc": "administration is offered over HTTP only",
            }
        ),
    ),
    Operation(
        id="USAGE",
        method="usage",
        rpc=None,
        http_method="GET",
        http_path="/cloud/v0.1/usage",
        nats=None,
        request=None,
        query=None,
        response=UsageReport,
        shape="unary",
        rights="admin",
        status=200,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType(
            {
                "nats": "administration is offered over HTTP only",
                "rpc": "administration is offered over HTTP only",
            }
        ),
    ),
    Operation(
        id="LIVENESS",
        method="liveness",
        rpc=None,
        http_method="GET",
        http_path="/healthz",
        nats=None,
        request=None,
        query=None,
        response=HealthStatus,
        shape="unary",
        rights="public",
        status=200,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType(
            {"nats": "$SRV.PING answers for NATS", "rpc": "grpc.health.v1 answers for gRPC"}
        ),
    ),
    Operation(
        id="READINESS",
        method="readiness",
        rpc=None,
        http_method="GET",
        http_path="/readyz",
        nats=None,
        request=None,
        query=None,
        response=HealthStatus,
        shape="unary",
        rights="public",
        status=200,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType(
            {"nats": "$SRV.PING answers for NATS", "rpc": "grpc.health.v1 answers for gRPC"}
        ),
    ),
    Operation(
        id="METRICS",
        method="metrics",
        rpc=None,
        http_method="GET",
        http_path="/metrics",
        nats=None,
        request=None,
        query=None,
        response=None,
        shape="unary",
        rights="public",
        status=200,
        path_fields=MappingProxyType({}),
        absent=MappingProxyType(
            {"nats": "Prometheus scrapes over HTTP", "rpc": "Prometheus scrapes over HTTP"}
        ),
    ),
)

OPERATION_BY_ID: Final[Mapping[str, Operation]] = MappingProxyType({one.id: one for one in OPERATIONS})

HEADER_CARRIERS: Final = (
    HeaderCarrier(field="mig_version", http=None, grpc=None, nats="mig_version"),
    HeaderCarrier(field="message_id", http="MIG-Message-ID", grpc=None, nats="message_id"),
    HeaderCarrier(field="tenant_id", http="X-Tenant-ID", grpc="x-tenant-id", nats="tenant_id"),
    HeaderCarrier(field="session_id", http="MIG-Session-ID", grpc=None, nats="session_id"),
    HeaderCarrier(field="traceparent", http="traceparent", grpc="traceparent", nats="traceparent"),
    HeaderCarrier(field="idempotency_key", http="Idempotency-Key", grpc=None, nats="idempotency_key"),
    HeaderCarrier(field="deadline_ms", http="MIG-Deadline-Ms", grpc=None, nats=None),
)

FEATURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "streaming": "Invocations that take or answer several frames: the WebSocket, StreamInvoke, stream subjects.",
        "events": "PUBLISH and SUBSCRIBE: a log of events for each tenant and topic.",
        "replay": "SUBSCRIBE gives retained events again, from a cursor on.",
        "cancel": "CANCEL stops work in flight.",
        "idempotency": "A repeated idempotency_key runs or appends once and gives the first success again.",
        "deadlines": "deadline_ms bounds the whole invocation; when it passes, the work is stopped.",
        "tracing": "traceparent is carried in, through to the provider, and out.",
        "backpressure": "A sender of input is told to pause and to resume, and work beyond the server's room is refused with MIG_BACKPRESSURE.",
        "heartbeat": "HEARTBEAT, with the load factor and a suggested interval.",
        "mcp-bridge": "Capabilities are offered as MCP tools, resources and prompts.",
    }
)
"""What HELLO can negotiate, with what it means."""

PROFILES: Final = (
    Profile(id="core", requires=(), description="HELLO, DISCOVER, unary INVOKE, errors."),
    Profile(id="streaming", requires=("streaming", "cancel"), description="Core, stream invoke and CANCEL."),
    Profile(
        id="evented", requires=("events",), description="Core, PUBLISH and SUBSCRIBE, replay where declared."
    ),
    Profile(
        id="full",
        requires=(
            "streaming",
            "cancel",
            "events",
            "replay",
            "idempotency",
            "deadlines",
            "tracing",
            "backpressure",
            "heartbeat",
        ),
        description="All of it, with telemetry.",
    ),
)
"""The conformance profiles, weakest first."""
