"""A request's header, normalised: who, which tenant, which message, until when (protocol section 1)."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from mig_protocol import MIG_VERSION
from mig_protocol.errors import MigFault
from mig_protocol.messages import MessageHeader, MigErrorCode, RequestHeader
from migd.core.call import Call, Principal
from migd.core.clock import Clock
from migd.core.depth import check_depth
from migd.core.limits import Limits
from migd.core.provider import JsonObject
from migd.core.rules import ONE_TENANT, Decision
from migd.core.tokens import is_tenant_id

UNKNOWN_TENANT = "unknown"
_RESERVED = "idg."


class Context:
    """What the header, the transport and the principal say together. Made by `Contexts.open` only."""

    __slots__ = (
        "call",
        "deadline",
        "deadline_ms",
        "idempotency_key",
        "message_id",
        "meta",
        "principal",
        "session_id",
        "started",
        "tenant_id",
        "traceparent",
    )

    call: Call
    principal: Principal
    message_id: str
    tenant_id: str
    session_id: str | UnsetType
    traceparent: str | UnsetType
    idempotency_key: str | UnsetType
    deadline_ms: int
    meta: JsonObject
    started: float
    deadline: float

    @property
    def onward(self) -> str | None:
        """The traceparent of what is done for this request: within its span, else within what sent it."""
        span = self.call.span
        return (self.traceparent if span is None else span.traceparent) or None


class Contexts:
    """Opens requests. The one place where a tenant is decided."""

    def __init__(self, clock: Clock, limits: Limits, *, require_tenant_header: bool = False) -> None:
        self._clock = clock
        self._limits = limits
        self._require_tenant_header = require_tenant_header

    def configure(self, limits: Limits) -> None:
        """Other limits, for requests that are opened from now on."""
        self._limits = limits

    def open(self, call: Call, header: RequestHeader | UnsetType) -> Context:
        """Fill what the request left out and check what it said.

        Raises MigFault MIG_VERSION_MISMATCH, MIG_INVALID_REQUEST (no tenant) or MIG_FORBIDDEN (a tenant
        that is not the caller's), with the header of the answer attached.
        """
        context = self._fill(call, header)
        try:
            if header is not UNSET and header.mig_version is not UNSET and header.mig_version != MIG_VERSION:
                raise MigFault(
                    MigErrorCode.MIG_VERSION_MISMATCH,
                    f"mig_version {header.mig_version!r} is not supported; this server speaks {MIG_VERSION}",
                    details={"supported_versions": [MIG_VERSION]},
                )
            context.tenant_id = self._tenant(call, header)
            if context.meta:
                check_depth("/header/meta", context.meta, self._limits.max_depth)
        except MigFault as fault:
            fault.header = self.respond(context)
            raise
        return context

    def refuse_foreign(self, call: Call) -> None:
        """For routes that have no tenant of their own. Raises MigFault MIG_FORBIDDEN for a transport tenant
        that is not the token's.
        """
        own = call.principal.tenant_id
        if own is not None and call.tenant is not None and call.tenant != own:
            raise _foreign()

    def tentative(self, call: Call, header: RequestHeader | UnsetType) -> MessageHeader:
        """The header of an answer to a request that was not, or not yet, accepted."""
        return self.respond(self._fill(call, header))

    def respond(self, context: Context, extra: JsonObject | None = None) -> MessageHeader:
        """The header of an answer to this request; `extra` are meta keys of the answer's own."""
        principal = context.principal
        meta: JsonObject = {}
        if context.meta:
            meta = {key: value for key, value in context.meta.items() if not key.startswith(_RESERVED)}
        meta["idg.product_tier"] = "core"
        meta["idg.meter_key"] = "invocations_capability_tier"
        meta["idg.principal_subject"] = principal.subject
        meta["idg.principal_scopes"] = sorted(principal.scopes)
        if extra:
            meta.update(extra)
        return MessageHeader(
            mig_version=MIG_VERSION,
            message_id=context.message_id,
            timestamp=self._clock.now(),
            tenant_id=context.tenant_id,
            session_id=context.session_id,
            traceparent=context.traceparent,
            idempotency_key=context.idempotency_key,
            deadline_ms=context.deadline_ms,
            meta=meta,
        )

    def _fill(self, call: Call, header: RequestHeader | UnsetType) -> Context:
        context = Context()
        context.call = call
        context.principal = call.principal
        context.tenant_id = call.principal.tenant_id or UNKNOWN_TENANT
        context.started = self._clock.monotonic()
        if header is UNSET:
            context.message_id = self._clock.new_id()
            context.session_id = context.traceparent = context.idempotency_key = UNSET
            context.meta = {}
            context.deadline_ms = self._limits.default_deadline_ms
        else:
            context.message_id = header.message_id or self._clock.new_id()
            context.session_id = header.session_id
            context.traceparent = header.traceparent
            context.idempotency_key = header.idempotency_key
            context.meta = header.meta or {}
            context.deadline_ms = header.deadline_ms or self._limits.default_deadline_ms
        bounded_s = min(context.deadline_ms, self._limits.max_deadline_ms) / 1000.0
        if call.time_left_s is not None and call.time_left_s < bounded_s:
            bounded_s = call.time_left_s
        context.deadline = context.started + bounded_s
        return context

    def _tenant(self, call: Call, header: RequestHeader | UnsetType) -> str:
        transport = call.tenant
        if transport is not None and not is_tenant_id(transport):
            raise MigFault(
                MigErrorCode.MIG_INVALID_REQUEST,
                "the transport's tenant must be 1 to 64 characters of A-Z a-z 0-9 _ -",
            )
        if transport is None and self._require_tenant_header and call.binding in ("http", "websocket"):
            raise MigFault(MigErrorCode.MIG_INVALID_REQUEST, "X-Tenant-ID is required on this server")
        claimed = header.tenant_id if header is not UNSET else UNSET
        decided: str | None = call.principal.tenant_id
        for other in (transport, claimed):
            if not other:
                continue
            if decided is None:
                decided = other
            elif decided != other:
                raise _foreign()
        if decided is None:
            raise MigFault(MigErrorCode.MIG_INVALID_REQUEST, "tenant_id is required")
        return decided


def _foreign() -> MigFault:
    return Decision(False, ONE_TENANT, "", "", "").fault()
