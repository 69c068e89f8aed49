"""The facade of the core: what every binding calls, and nothing that any binding could do by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from msgspec import UNSET, UnsetType

from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    CancelAck,
    CancelRequest,
    ConformanceHealth,
    ConnectionKind,
    ConnectionQuery,
    ConnectionSnapshot,
    DiscoverRequest,
    DiscoverResponse,
    ErrorEnvelope,
    HealthStatus,
    HeartbeatAck,
    HeartbeatRequest,
    HelloRequest,
    HelloResponse,
    MessageHeader,
    PublishAck,
    PublishRequest,
    RequestHeader,
    StreamFrame,
    SubscribeRequest,
)
from migd.core.administration import Administration
from migd.core.admission import Admission
from migd.core.call import ANONYMOUS, Call
from migd.core.cancellation import Cancellation
from migd.core.catalog import Capability, Catalog
from migd.core.condition import Condition
from migd.core.connections import Connections
from migd.core.context import UNKNOWN_TENANT, Contexts
from migd.core.drain import Drain
from migd.core.events import Events
from migd.core.failure_log import log_failure
from migd.core.flights import Flights
from migd.core.invoker import Invoker
from migd.core.ledger import Ledger
from migd.core.negotiation import Negotiation
from migd.core.neighbours import Neighbours
from migd.core.once import Once
from migd.core.parts import Parts
from migd.core.policy import Policy
from migd.core.provider import JsonObject
from migd.core.reconfiguration import Reconfiguration
from migd.core.schemas import SchemaCatalog
from migd.core.sessions import StreamSession
from migd.core.streaming import Streaming
from migd.core.subscription import Subscription
from migd.core.tracing import Tracing

__all__ = ["Gateway", "Parts"]

log = logging.getLogger("migd.gateway")

_NOBODY = Call(principal=ANONYMOUS, binding="http")


class Gateway:
    """One gateway. `start` before the first call, `drain` then `close` at the end."""

    def __init__(self, parts: Parts) -> None:
        store, clock, limits, recorder = parts.store, parts.clock, parts.limits, parts.recorder
        self._parts = parts
        self._contexts = Contexts(clock, limits, require_tenant_header=parts.require_tenant_header)
        self._flights = Flights(limits.max_concurrent_invocations, limits.completed_remembered)
        self._catalog = Catalog(SchemaCatalog(limits.max_schemas, limits.schema), limits.max_capabilities)
        self._tracing = Tracing(parts.tracer)
        self._ledger = Ledger(
            (store.audit, *parts.audit_sinks),
            recorder,
            self._tracing,
            clock,
            on_failure=parts.audit_on_failure,
        )
        self._policy = Policy(self._catalog, topic_scopes=parts.topic_scopes)
        self._admission = Admission(
            self._catalog,
            self._policy,
            self._flights,
            store.quotas,
            store.tombstones,
            limits,
            clock,
            self._ledger,
            parts.tracer,
        )
        self._connections = Connections(clock, recorder, limits)
        self._cancellation = Cancellation(self._contexts, self._flights, store.tombstones, limits)
        once = Once(store.idempotency, limits)
        self._invoker = Invoker(
            contexts=self._contexts,
            admission=self._admission,
            flights=self._flights,
            once=once,
            usage=store.usage,
            ledger=self._ledger,
            clock=clock,
            failpoints=parts.failpoints,
        )
        self._events = Events(
            contexts=self._contexts,
            policy=self._policy,
            log=store.events,
            consumers=store.consumers,
            connections=self._connections,
            recorder=recorder,
            clock=clock,
            limits=limits,
            failpoints=parts.failpoints,
        )
        self._negotiation = Negotiation(
            contexts=self._contexts,
            catalog=self._catalog,
            policy=self._policy,
            flights=self._flights,
            identity=parts.identity,
            server_id=lambda: self.server_id,
            limits=limits,
        )
        # Not through methods of our own: these are asked for every request.
        self.authenticate = parts.authenticator.authenticate
        """As `Authenticator.authenticate`, which decides and raises."""
        self.invoke = self._invoker.invoke
        """As `Invoker.invoke`."""
        self.stream = Streaming(self._contexts, self._invoker, clock, self._failure_header).run
        """As `Streaming.run`."""
        self._drain = Drain(self._admission, self._flights, self._events)
        self.neighbours = Neighbours(self._events, self._cancellation)
        self.condition = Condition(
            admission=self._admission,
            authenticator=parts.authenticator,
            flights=self._flights,
            events=self._events,
            catalog=self._catalog,
            ledger=self._ledger,
            store=store,
            checks=parts.health,
            declared=self._negotiation.profiles,
        )
        bounded = (self._contexts, self._flights, self._admission, self._connections, self._cancellation)
        self.reconfiguration = Reconfiguration(
            self._catalog, self._flights, limits, (*bounded, once, self._events, self._negotiation)
        )
        self.administration = Administration(self._catalog, self._policy, self._admission, store, clock)

    @property
    def server_id(self) -> str:
        """The name that HELLO gives, and by which other gateways know this one. There after `start`."""
        return self._parts.identity.server_id or self._parts.store.server_id

    # -- life ------------------------------------------------------------------------------------

    async def start(self, capabilities: Iterable[Capability]) -> None:
        """Open the store, register `capabilities` and what was registered before, start the providers."""
        await self._parts.store.open()
        await self.reconfiguration.begin(capabilities, self._parts.store.catalog)

    async def drain(self, grace_s: float) -> None:
        """Take nothing new, end the streams, and give what runs `grace_s` seconds before it is failed."""
        await self._drain.run(grace_s)

    async def close(self) -> None:
        """Let go of providers, sinks, store and tracer, in that order."""
        served = (*self._catalog.providers(), *await self.reconfiguration.finish())
        providers = [provider.close() for provider in served]
        sinks = [sink.close() for sink in self._parts.audit_sinks]
        tracer = self._parts.tracer
        tracers = [] if tracer is None else [tracer.close()]
        for stage in (providers, sinks, [self._parts.store.close()], tracers):
            for failure in await asyncio.gather(*stage, return_exceptions=True):
                if isinstance(failure, BaseException):
                    # One that can not let go must not keep the others from writing down what they hold.
                    log.error("closing failed", exc_info=failure)

    # -- who -------------------------------------------------------------------------------------

    def require_admin(self, call: Call) -> None:
        """Admin, pro and cloud routes need the scope mig:admin once callers are authenticated.

        A transport tenant that is not the token's is MIG_FORBIDDEN here as everywhere.
        """
        self._contexts.refuse_foreign(call)
        self._policy.require(call.principal, call.principal.tenant_id or UNKNOWN_TENANT, "admin")

    # -- the protocol's operations -----------------------------------------------------------------

    def hello(self, call: Call, request: HelloRequest) -> HelloResponse:
        with self._tracing.span("HELLO", call, request):
            return self._negotiation.hello(call, request)

    def discover(self, call: Call, request: DiscoverRequest) -> DiscoverResponse:
        with self._tracing.span("DISCOVER", call, request):
            return self._negotiation.discover(call, request)

    def heartbeat(self, call: Call, request: HeartbeatRequest) -> HeartbeatAck:
        with self._tracing.span("HEARTBEAT", call, request):
            return self._negotiation.heartbeat(call, request)

    async def publish(self, call: Call, request: PublishRequest) -> PublishAck:
        with self._tracing.span("PUBLISH", call, request):
            return await self._events.publish(call, request)

    async def subscribe(self, call: Call, request: SubscribeRequest, kind: ConnectionKind) -> Subscription:
        with self._tracing.span("SUBSCRIBE", call, request):
            return await self._events.subscribe(call, request, kind)

    async def cancel(self, call: Call, request: CancelRequest) -> CancelAck:
        with self._tracing.span("CANCEL", call, request):
            return await self._cancellation.cancel(call, request)

    def open_session(
        self, call: Call, send: Callable[[StreamFrame], Awaitable[None]], kind: ConnectionKind
    ) -> StreamSession:
        """A connection that carries stream frames; close it when the client is gone.

        Raises MigFault MIG_FORBIDDEN for a transport tenant that is not the token's: no frame could be taken.
        """
        self._contexts.refuse_foreign(call)
        tenant_id = call.principal.tenant_id or call.tenant or UNKNOWN_TENANT
        connection_id = self._connections.opened(call, kind, tenant_id, {})
        return StreamSession(
            call=call,
            send=send,
            contexts=self._contexts,
            invoker=self._invoker,
            cancellation=self._cancellation,
            takes_input=self._takes_input,
            answer_header=self._failure_header,
            clock=self._parts.clock,
            limits=self.reconfiguration.limits,
            closed=lambda: self._connections.closed(connection_id),
        )

    # -- beside the protocol -----------------------------------------------------------------------

    def conformance_health(self) -> ConformanceHealth:
        return self.condition.conformance()

    def list_connections(self, query: ConnectionQuery) -> ConnectionSnapshot:
        active = self._parts.identity.nats_binding_active()
        return self._connections.snapshot(query, nats_binding_active=active)

    def liveness(self) -> HealthStatus:
        return self.condition.liveness()

    def readiness(self) -> HealthStatus:
        return self.condition.readiness()

    def in_flight(self) -> int:
        return self.condition.in_flight()

    def reopen_audit(self) -> None:
        """The audit files were moved away: go on in new ones."""
        for sink in self._parts.audit_sinks:
            sink.reopen()

    def input_schema(self, call: Call, capability: str) -> JsonObject | None:
        """The JSON Schema of the capability's payload, None where it has none.

        Raises MigFault as INVOKE would for a capability that the caller may not see.
        """
        context = self._contexts.open(call, UNSET)
        entry = self._admission.visible(context, capability)
        return None if entry.input is None else entry.input.document

    def envelope(
        self, operation: str, fault: MigFault, call: Call | None, header: RequestHeader | UnsetType = UNSET
    ) -> ErrorEnvelope:
        """The answer to a failed request: with a header, counted, logged and, where the caller was denied
        something, on record. Once for each failure.

        `header` is what is known of the request's header where the fault came before it was looked at.
        """
        who = call or _NOBODY
        answered = fault.header or self._contexts.tentative(who, header)
        self._parts.recorder.error(fault.code.value, operation, who.binding)
        self._ledger.answered(who, operation, fault, answered)
        within = self._tracing.answered(operation, who, fault, answered)
        log_failure(operation, fault, answered, within, who)
        return ErrorEnvelope(header=answered, error=fault.error())

    def _failure_header(self, operation: str, fault: MigFault, call: Call) -> MessageHeader:
        return self.envelope(operation, fault, call).header

    def _takes_input(self, capability: str) -> bool:
        entry = self._catalog.find(capability)
        return entry is not None and entry.bidirectional
