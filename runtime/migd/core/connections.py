"""The long-lived connections that are open now (protocol section 7, /admin/v0.1/connections)."""

from __future__ import annotations

from collections import Counter

from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    ConnectionEntry,
    ConnectionKind,
    ConnectionProtocol,
    ConnectionQuery,
    ConnectionSnapshot,
    ConnectionSummary,
    MigErrorCode,
)
from migd.core.call import Call
from migd.core.clock import Clock
from migd.core.limits import Limits
from migd.core.provider import JsonObject
from migd.core.recorder import Recorder

_PROTOCOLS = {
    ConnectionKind.sse_subscribe: ConnectionProtocol.http,
    ConnectionKind.ws_stream: ConnectionProtocol.http,
    ConnectionKind.stream_invoke: ConnectionProtocol.grpc,
    ConnectionKind.event_subscribe: ConnectionProtocol.grpc,
}


class Connections:
    """Opened and closed by the core; listed for administrators."""

    def __init__(self, clock: Clock, recorder: Recorder, limits: Limits) -> None:
        self._clock = clock
        self._recorder = recorder
        self._limits = limits
        self._open: dict[str, ConnectionEntry] = {}
        self._per_tenant: Counter[str] = Counter()

    def configure(self, limits: Limits) -> None:
        """Other limits, for connections that are opened from now on; those that are too many stay."""
        self._limits = limits

    def opened(self, call: Call, kind: ConnectionKind, tenant_id: str, meta: JsonObject) -> str:
        """List a connection and give its id.

        Raises MigFault MIG_RATE_LIMITED past the tenant's limit, MIG_BACKPRESSURE past that of all tenants.
        """
        if self._per_tenant[tenant_id] >= self._limits.max_connections_per_tenant:
            raise MigFault(
                MigErrorCode.MIG_RATE_LIMITED,
                f"the tenant has its limit of {self._limits.max_connections_per_tenant} open streams",
                retry_after_s=5.0,
            )
        # In open mode a caller can make tenants up.
        if len(self._open) >= self._limits.max_connections:
            raise MigFault(
                MigErrorCode.MIG_BACKPRESSURE,
                f"the gateway has its limit of {self._limits.max_connections} open streams",
                retry_after_s=5.0,
            )
        entry = ConnectionEntry(
            id=self._clock.new_id(),
            protocol=_PROTOCOLS[kind],
            kind=kind,
            tenant_id=tenant_id,
            actor=call.principal.subject,
            remote_addr=call.peer,
            started_at=self._clock.now(),
            meta=meta,
        )
        self._open[entry.id] = entry
        self._per_tenant[tenant_id] += 1
        self._recorder.stream_opened(kind.value)
        return entry.id

    def closed(self, connection_id: str) -> None:
        """Take it off the list; a second time changes nothing."""
        entry = self._open.pop(connection_id, None)
        if entry is None:
            return
        self._per_tenant[entry.tenant_id] -= 1
        if not self._per_tenant[entry.tenant_id]:
            del self._per_tenant[entry.tenant_id]
        self._recorder.stream_closed(entry.kind.value)

    def snapshot(self, query: ConnectionQuery, *, nats_binding_active: bool) -> ConnectionSnapshot:
        """Those that match every filter given, oldest first."""
        chosen = [
            entry
            for entry in self._open.values()
            if (not query.tenant_id or entry.tenant_id == query.tenant_id)
            and (not query.protocol or entry.protocol == query.protocol)
            and (not query.kind or entry.kind == query.kind)
        ]
        return ConnectionSnapshot(
            generated_at=self._clock.now(),
            summary=ConnectionSummary(
                total=len(chosen),
                by_protocol=dict(Counter(entry.protocol.value for entry in chosen)),
                by_kind=dict(Counter(entry.kind.value for entry in chosen)),
                by_tenant=dict(Counter(entry.tenant_id for entry in chosen)),
                nats_binding_active=nats_binding_active,
            ),
            connections=chosen,
            filter_tenant=query.tenant_id,
            filter_kind=query.kind,
            filter_protocol=query.protocol,
        )
