# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""The HTTP routes: which operation a method and path mean, found by dictionary and never by pattern.

A route has at most one parameter and it is the last segment, so whatever comes before it is a key as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import msgspec

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

Form = Literal["json", "text", "events", "websocket"]
_KEPT: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Route:
    """One method on one path.

    `handler` is the method of HttpService that serves it, "" for the WebSocket. `request` is what that
    method takes, read from the body or, where `from_query` is true, from the query parameters in
    `query_fields` (name -> whether it is an integer). `has_header` says that `request` carries a message
    header. `parameter` is the name of the path parameter and `bound_field` the field of `request` that it
    must agree with, both "" where there is none. `media_type` is that of a success; `varies` says that the
    answer has other documented forms. `public` routes look at no credential and no tenant.
    """

    operation: str
    handler: str
    method: str
    template: str
    status: int
    form: Form
    media_type: str
    request: type[msgspec.Struct] | None
    response: type[msgspec.Struct] | None
    from_query: bool
    query_fields: Mapping[str, bool]
    has_header: bool
    parameter: str
    bound_field: str
    varies: bool
    public: bool


ROUTES: Final = (
    Route(
        operation="HELLO",
        handler="hello",
        method="POST",
        template="/mig/v0.1/hello",
        status=200,
        form="json",
        media_type="application/json",
        request=HelloRequest,
        response=HelloResponse,
        from_query=False,
        query_fields={},
        has_header=True,
        parameter="",
        bound_field="",
        varies=False,
        public=False,
    ),
    Route(
        operation="DISCOVER",
        handler="discover",
        method="POST",
        template="/mig/v0.1/discover",
        status=200,
        form="json",
        media_type="application/json",
        request=DiscoverRequest,
        response=DiscoverResponse,
        from_query=False,
        query_fields={},
        has_header=True,
        parameter="",
        bound_field="",
        varies=False,
        public=False,
    ),
    Route(
        operation="INVOKE",
        handler="invoke",
        method="POST",
        template="/mig/v0.1/invoke/{capability}",
        status=200,
        form="json",
        media_type="application/json",
        request=InvokeRequest,
        response=InvokeResponse,
        from_query=False,
        query_fields={},
        has_header=True,
        parameter="capability",
        bound_field="capability",
        varies=False,
        public=False,
    ),
    Route(
        operation="STREAM",
        handler="",
        method="GET",
        template="/mig/v0.1/stream",
        status=101,
        form="websocket",
        media_type="application/json",
        request=None,
        response=None,
        from_query=False,
        query_fields={},
        has_header=True,
        parameter="",
        bound_field="",
        varies=False,
        public=False,
    ),
    Route(
        operation="PUBLISH",
        handler="publish",
        method="POST",
        template="/mig/v0.1/publish/{topic}",
        status=200,
        form="json",
        media_type="application/json",
        request=PublishRequest,
        response=PublishAck,
        from_query=False,
        query_fields={},
        has_header=True,
        parameter="topic",
        bound_field="topic",
        varies=False,
        public=False,
    ),
    Route(
        operation="SUBSCRIBE",
        handler="subscribe",
        method="GET",
        template="/mig/v0.1/subscribe/{topic}",
        status=200,
        form="events",
        media_type="text/event-stream",
        request=SubscribeRequest,
        response=EventMessage,
        from_query=True,
        query_fields={"consumer_id": False, "resume_cursor": False, "max_inflight": True},
        has_header=True,
        parameter="topic",
        bound_field="topic",
        varies=False,
        public=False,
    ),
    Route(
        operation="CANCEL",
        handler="cancel",
        method="POST",
        template="/mig/v0.1/cancel/{message_id}",
        status=200,
        form="json",
        media_type="application/json",
        request=CancelRequest,
        response=CancelAck,
        from_query=False,
        query_fields={},
        has_header=True,
        parameter="message_id",
        bound_field="target_message_id",
        varies=False,
        public=False,
    ),
    Route(
        operation="HEARTBEAT",
        handler="heartbeat",
        method="POST",
        template="/mig/v0.1/heartbeat",
        status=200,
        form="json",
        media_type="application/json",
        request=HeartbeatRequest,
        response=HeartbeatAck,
        from_query=False,
        query_fields={},
        has_header=True,
        parameter="",
        bound_field="",
        varies=False,
        public=False,
    ),
    Route(
        operation="REGISTER_CAPABILITY",
        handler="register_capability",
        method="POST",
        template="/admin/v0.1/capabilities",
        status=201,
        form="json",
        media_type="application/json",
        request=CapabilityRegistration,
        response=CapabilityDescriptor,
        from_query=False,
        query_fields={},
        has_header=False,
        parameter="",
        bound_field="",
        varies=False,
        public=False,
    ),
    Route(
        operation="LIST_CAPABILITIES",
        handler="list_capabilities",
        method="GET",
        template="/admin/v0.1/capabilities",
        status=200,
        form="json",
        media_type="application/json",
        request=None,
        response=CapabilityList,
        from_query=False,
        query_fields={},
        has_header=False,
        parameter="",
        bound_field="",
        varies=False,
        public=False,
    ),
    Route(
        operation="REGISTER_SCHEMA",
        handler="register_schema",
        method="POST",
        template="/admin/v0.1/schemas",
        status=201,
        form="json",
        media_type="application/json",
        request=SchemaRegistration,
        response=SchemaReference,
        from_query=False,
        query_fields={},
        has_header=False,
        parameter="",
        bound_field="",
        varies=False,
        public=False,
    ),
    Route(
        operation="CONFORMANCE_HEALTH",
        handler="conformance_health",
        method="GET",
        template="/admin/v0.1/health/conformance",
        status=200,
        form="json",
        media_type="application/json",
        request=None,
        response=ConformanceHealth,
        from_query=False,
        query_fields={},
        has_header=False,
        parameter="",
        bound_field="",
        varies=False,
        public=False,
    ),
    Route(
        operation="LIST_CONNECTIONS",
        handler="list_connections",
        method="GET",
        template="/admin/v0.1/connections",
        status=200,
        form="json",
        media_type="application/json",
        request=ConnectionQuery,
        response=ConnectionSnapshot,
        from_query=True,
        query_fields={"tenant_id": False, "protocol": False, "kind": False},
        has_header=False,
        parameter="",
        bound_field="",
        varies=False,
        public=False,
    ),
    Route(
        operation="VALIDATE_POLICY",
        handler="validate_policy",
        method="POST",
        template="/pro/v0.1/policies/validate",
        status=200,
        form="json",
        media_type="application/json",
        request=PolicyCheck,
        response=PolicyDecision,
        from_query=False,
        query_fields={},
        has_header=False,
        parameter="",
        bound_field="",
        varies=False,
        public=False,
    ),
    Route(
        operation="SET_QUOTA",
        handler="set_quota",
        method="POST",
        template="/pro/v0.1/quotas",
        status=200,
        form="json",
        media_type="application/json",
        request=Quota,
        response=Quota,
        from_query=False,
        query_fields={},
        has_header=False,
        parameter="",
        bound_field="",
        varies=False,
        public=False,
    ),
    Route(
        operation="EXPORT_AUDIT",
        handler="export_audit",
        method="GET",
        template="/pro/v0.1/audit/export",
        status=200,
        form="json",
        media_type="application/json",
        request=AuditQuery,
        response=AuditExport,
        from_query=True,
        query_fields={
            "tenant_id": False,
            "capability": False,
            "outcome": False,
            "actor": False,
            "operation": False,
            "since": False,
            "until": False,
            "after": True,
            "limit": True,
            "format": False,
        },
        has_header=False,
        parameter="",
        bound_field="",
        varies=True,
        public=False,
    ),
    Route(
        operation="CREATE_ORG",
        handler="create_org",
        method="POST",
        template="/cloud/v0.1/orgs",
        status=201,
        form="json",
        media_type="application/json",
        request=OrgCreation,
        response=Org,
        from_query=False,
        query_fields={},
        has_header=False,
        parameter="",
        bound_field="",
        varies=False,
        public=False,
    ),
    Route(
        operation="CREATE_TENANT",
        handler="create_tenant",
        method="POST",
        template="/cloud/v0.1/tenants",
        status=201,
        form="json",
        media_type="application/json",
        request=TenantCreation,
        response=Tenant,
        from_query=False,
        query_fields={},
        has_header=False,
        parameter="",
        bound_field="",
        varies=False,
        public=False,
    ),
    Route(
        operation="CREATE_GATEWAY",
        handler="create_gateway",
        method="POST",
        template="/cloud/v0.1/gateways",
        status=201,
        form="json",
        media_type="application/json",
        request=GatewayCreation,
        response=GatewayRecord,
        from_query=False,
        query_fields={},
        has_header=False,
        parameter="",
        bound_field="",
        varies=False,
        public=False,
    ),
    Route(
        operation="USAGE",
        handler="usage",
        method="GET",
        template="/cloud/v0.1/usage",
        status=200,
        form="json",
        media_type="application/json",
        request=None,
        response=UsageReport,
        from_query=False,
        query_fields={},
        has_header=False,
        parameter="",
        bound_field="",
        varies=False,
        public=False,
    ),
    Route(
        operation="LIVENESS",
        handler="liveness",
        method="GET",
        template="/healthz",
        status=200,
        form="json",
        media_type="application/json",
        request=None,
        response=HealthStatus,
        from_query=False,
        query_fields={},
        has_header=False,
        parameter="",
        bound_field="",
        varies=False,
        public=True,
    ),
    Route(
        operation="READINESS",
        handler="readiness",
        method="GET",
        template="/readyz",
        status=200,
        form="json",
        media_type="application/json",
        request=None,
        response=HealthStatus,
        from_query=False,
        query_fields={},
        has_header=False,
        parameter="",
        bound_field="",
        varies=True,
        public=True,
    ),
    Route(
        operation="METRICS",
        handler="metrics",
        method="GET",
        template="/metrics",
        status=200,
        form="text",
        media_type="text/plain",
        request=None,
        response=None,
        from_query=False,
        query_fields={},
        has_header=False,
        parameter="",
        bound_field="",
        varies=True,
        public=True,
    ),
)


class Router:
    """Finds routes. A public GET route answers HEAD as well.

    Nearly every request has one of few paths: what was found for the last of them is kept.
    """

    def __init__(self) -> None:
        self.knows = lru_cache(maxsize=_KEPT)(self._knows)
        self.match = lru_cache(maxsize=_KEPT)(self._match)
        self._exact: dict[str, dict[str, Route]] = {}
        self._below: dict[str, dict[str, Route]] = {}
        for route in ROUTES:
            prefix, brace, _ = route.template.partition("{")
            methods = (self._below if brace else self._exact).setdefault(prefix, {})
            methods[route.method] = route
            if route.method == "GET" and route.public:
                methods["HEAD"] = route

    def _knows(self, path: str) -> bool:
        """Whether any method is routed at this path."""
        if path in self._exact:
            return True
        cut = path.rfind("/") + 1
        return cut < len(path) and path[:cut] in self._below

    def _match(self, method: str, path: str) -> tuple[Route, str]:
        """The route and its path parameter as it was sent, "" where it has none.

        Raises MigFault MIG_NOT_FOUND for an unknown path, and MIG_INVALID_REQUEST with the variant
        "method_not_allowed" and `details.allow` for a known one.
        """
        methods, parameter = self._exact.get(path), ""
        if methods is None:
            cut = path.rfind("/") + 1
            methods, parameter = self._below.get(path[:cut]), path[cut:]
            if methods is None or not parameter:
                raise MigFault(MigErrorCode.MIG_NOT_FOUND, f"there is no route {path}")
        route = methods.get(method)
        if route is None:
            raise _not_allowed(method, path, sorted(methods))
        return route, parameter


def _not_allowed(method: str, path: str, allowed: list[str]) -> MigFault:
    return MigFault(
        MigErrorCode.MIG_INVALID_REQUEST,
        f"{method} is not allowed on {path}, only {', '.join(allowed)}",
        details={"allow": allowed},
        variant="method_not_allowed",
    )
