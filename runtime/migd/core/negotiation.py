"""HELLO, DISCOVER and HEARTBEAT: what this server is, has, and how busy it is (protocol section 2)."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from mig_protocol import MIG_VERSION
from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    BindingType,
    CapabilityDescriptor,
    DiscoverRequest,
    DiscoverResponse,
    HeartbeatAck,
    HeartbeatRequest,
    HelloRequest,
    HelloResponse,
    MigErrorCode,
)
from migd.core.call import Call
from migd.core.catalog import Catalog
from migd.core.context import Contexts
from migd.core.flights import Flights
from migd.core.limits import Identity, Limits
from migd.core.policy import Policy

SUPPORTED_FEATURES = frozenset(
    {
        "streaming",
        "events",
        "replay",
        "cancel",
        "idempotency",
        "deadlines",
        "tracing",
        "backpressure",
        "heartbeat",
    }
)
_CARRY_FRAMES_AND_EVENTS = frozenset({"http", "grpc", "nats"})
# What a caller of a binding would call the binding; WebSocket and MCP are spoken over HTTP.
_BINDING_TYPES = {"grpc": BindingType.grpc, "nats": BindingType.nats}


class Negotiation:
    """Answers from what is really switched on."""

    def __init__(
        self,
        *,
        contexts: Contexts,
        catalog: Catalog,
        policy: Policy,
        flights: Flights,
        identity: Identity,
        server_id: Callable[[], str],
        limits: Limits,
    ) -> None:
        self._contexts = contexts
        self._catalog = catalog
        self._policy = policy
        self._flights = flights
        self._identity = identity
        self._server_id = server_id
        self._limits = limits

    def configure(self, limits: Limits) -> None:
        """Other limits, for what is answered from now on."""
        self._limits = limits

    def hello(self, call: Call, request: HelloRequest) -> HelloResponse:
        """The same request always gives the same selection."""
        context = self._contexts.open(call, request.header)
        versions = request.supported_versions or [MIG_VERSION]
        if MIG_VERSION not in versions:
            fault = MigFault(
                MigErrorCode.MIG_VERSION_MISMATCH,
                f"no common version; this server speaks {MIG_VERSION}",
                details={"supported_versions": [MIG_VERSION]},
            )
            fault.header = self._contexts.respond(context)
            raise fault
        arrived_on = _BINDING_TYPES.get(call.binding, BindingType.http)
        selected = next(
            (b for b in request.requested_bindings or () if b.value in self._identity.bindings), arrived_on
        )
        requested = dict.fromkeys(request.requested_features or ())
        return HelloResponse(
            header=self._contexts.respond(context, {"mig.profiles": self.profiles()}),
            selected_version=MIG_VERSION,
            selected_binding=selected,
            enabled_features=[feature for feature in requested if feature in SUPPORTED_FEATURES],
            server_id=self._server_id(),
        )

    def discover(self, call: Call, request: DiscoverRequest) -> DiscoverResponse:
        """The descriptors that the tenant and the caller's scopes may see, by id."""
        context = self._contexts.open(call, request.header)
        query = (request.query or "").lower()
        visible = [
            _trimmed(entry.descriptor, request)
            for entry in self._catalog.all()
            if query in entry.id.lower()
            and self._policy.decide(call.principal, context.tenant_id, "discover", entry.id).allowed
        ]
        return DiscoverResponse(header=self._contexts.respond(context), capabilities=visible)

    def heartbeat(self, call: Call, request: HeartbeatRequest) -> HeartbeatAck:
        """The interval asked for, kept within bounds; how much of the gateway's room is in use."""
        context = self._contexts.open(call, request.header)
        wanted = request.interval_ms or self._limits.heartbeat_default_ms
        return HeartbeatAck(
            header=self._contexts.respond(context),
            suggested_interval_ms=max(
                self._limits.heartbeat_min_ms, min(wanted, self._limits.heartbeat_max_ms)
            ),
            load_factor=self._flights.load_factor,
        )

    def profiles(self) -> list[str]:
        """The profiles of what is switched on, each with those it includes.

        Streams and events need a binding that carries them. Full asks for telemetry: trace context and audit
        fields are always there, so it goes with the metrics.
        """
        named = ["core"]
        if self._identity.bindings & _CARRY_FRAMES_AND_EVENTS:
            named += ["streaming", "evented"]
            if self._identity.metrics_enabled:
                named.append("full")
        return named


def _trimmed(descriptor: CapabilityDescriptor, request: DiscoverRequest) -> CapabilityDescriptor:
    if request.include_schema_refs and request.include_qos:
        return descriptor
    changes: dict[str, UnsetType] = {}
    if not request.include_schema_refs:
        changes |= {"input_schema_uri": UNSET, "output_schema_uri": UNSET}
    if not request.include_qos:
        changes |= {"qos": UNSET}
    return replace(descriptor, **changes)
