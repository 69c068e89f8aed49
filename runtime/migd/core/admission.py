"""The admission pipeline of INVOKE: which check decides, and in which order (protocol section 2).

The order is part of the protocol; the first check that fails gives the answer:
header, tenant (both in `Contexts.open`), capability known and scope (both decided by `policy.Policy`),
payload size, payload schema, cancelled beforehand, an audit trail that must be written and can not be (all in
`check`), idempotency (`once.Once`), then quota and rate, room to run, a provider to run it (`admit` and
`running`). These are the only places that refuse an invocation. What is refused takes nothing: a token, a
place and the quota are taken once all is decided.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
from msgspec import UNSET, UnsetType

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.catalog import Catalog, Entry
from migd.core.clock import Clock
from migd.core.context import Context
from migd.core.depth import check_depth
from migd.core.flights import Flights
from migd.core.invocation import cancelled
from migd.core.ledger import Ledger
from migd.core.limits import Limits
from migd.core.policy import Policy
from migd.core.ports import QuotaStore, TombstoneStore
from migd.core.provider import JsonObject, Provider
from migd.core.throttles import Throttle, Throttles
from migd.core.traced_provider import TracedProvider
from migd.core.tracing import Tracer

_encode = msgspec.json.Encoder().encode


class Admission:
    """Refuses by raising MigFault; admits by returning."""

    def __init__(
        self,
        catalog: Catalog,
        policy: Policy,
        flights: Flights,
        quotas: QuotaStore,
        tombstones: TombstoneStore,
        limits: Limits,
        clock: Clock,
        ledger: Ledger,
        tracer: Tracer | None,
    ) -> None:
        self._catalog = catalog
        self._policy = policy
        self._flights = flights
        self._quotas = quotas
        self._tombstones = tombstones
        self._limits = limits
        self._clock = clock
        self._throttles = Throttles(limits.tenant, limits.tenants, limits.max_tenants_throttled)
        self._ledger = ledger
        self._tracer = tracer
        self._draining = False

    def configure(self, limits: Limits) -> None:
        """Other limits, from the next invocation on; called when the catalog is what it will be."""
        self._limits = limits
        self._throttles.configure(limits.tenant, limits.tenants)
        self._throttles.forget_capabilities({entry.id for entry in self._catalog.all()})

    def drain(self) -> None:
        """From now on nothing new is taken."""
        self._draining = True

    @property
    def draining(self) -> bool:
        return self._draining

    def check(self, context: Context, capability: str | UnsetType, payload: JsonObject) -> Entry:
        """Everything that can be decided without taking anything."""
        entry = self.visible(context, capability)
        # The encoded request is never smaller than the payload in it: only a large one is measured.
        if not 0 < context.call.wire_bytes <= entry.max_payload_bytes:
            _check_size(entry, payload)
        check_depth("/payload", payload, self._limits.max_depth)
        if entry.input is not None and not entry.input.is_valid(payload):
            raise self._schema_fault(entry, payload)
        reason = self._tombstones.reason(context.tenant_id, context.message_id)
        if reason is not None:
            raise cancelled(reason)
        # Before a kept answer is given and before a quota is debited: neither may go unrecorded.
        self._ledger.require()
        return entry

    def visible(self, context: Context, capability: str | UnsetType) -> Entry:
        """A capability that exists for this tenant, and that the caller's scopes allow."""
        if not capability:
            raise MigFault(MigErrorCode.MIG_INVALID_REQUEST, "capability is required")
        return self._policy.open(context.principal, context.tenant_id, "invoke", capability)

    def room(self, tenant_id: str, capability: str) -> None:
        """Raises MigFault as an invocation now would, for what the tenant or the capability may take."""
        entry = self._catalog.find(capability)
        if entry is not None:
            self.permit(tenant_id, entry)

    def permit(self, tenant_id: str, entry: Entry) -> Sequence[Throttle]:
        """What the tenant may take decides: its quota, the rates, then the places to run. Takes nothing.

        The throttles that an invocation has to take of, when it is started.
        """
        limit = self._quotas.limit(tenant_id)
        if limit is not None and self._quotas.used(tenant_id) >= limit:
            raise _used_up(limit)
        if entry.allowance is None and not self._throttles.by_tenant:
            return ()
        now = self._clock.monotonic()
        throttles = self._throttles.of(tenant_id, entry.id, entry.allowance, now)
        slowest = max(throttles, key=lambda throttle: throttle.wait_s(now))
        if wait_s := slowest.wait_s(now):
            raise slowest.too_fast(wait_s)
        for throttle in throttles:
            if throttle.is_busy():
                raise throttle.too_many()
        return throttles

    def must_run(self, context: Context, entry: Entry) -> bool:
        """Whether `running` is the way and not `admit`: there is a quota to debit, or a place to keep."""
        return (
            self._quotas.limit(context.tenant_id) is not None
            or self._throttles.counts_tenants
            or (entry.allowance is not None and bool(entry.allowance.concurrency))
        )

    def admit(self, context: Context, entry: Entry) -> Provider:
        """Everything that is left to decide, for an invocation that keeps nothing while it runs."""
        if entry.allowance is None and not self._throttles.by_tenant:
            return self._provider(entry)
        throttles = self.permit(context.tenant_id, entry)
        provider = self._provider(entry)
        self._take(throttles)
        return provider

    @asynccontextmanager
    async def running(self, context: Context, entry: Entry) -> AsyncIterator[Provider]:
        """Everything that is left to decide, for an invocation in flight that runs inside the block.

        The quota counts what ran: it is debited last, and what can not be debited does not run.
        """
        throttles = self.permit(context.tenant_id, entry)
        provider = self._provider(entry, aboard=True)
        self._take(throttles)
        for throttle in throttles:
            throttle.enter()
        try:
            await self._debit(context.tenant_id, throttles)
            yield provider
        finally:
            for throttle in throttles:
                throttle.left()

    async def _debit(self, tenant_id: str, throttles: Sequence[Throttle]) -> None:
        limit = self._quotas.limit(tenant_id)
        if limit is None:
            return
        try:
            if not await self._quotas.debit(tenant_id):
                raise _used_up(limit)
        except BaseException:
            for throttle in throttles:
                throttle.give_back()
            raise

    def _take(self, throttles: Sequence[Throttle]) -> None:
        now = self._clock.monotonic()
        for throttle in throttles:
            throttle.take(now)

    def _provider(self, entry: Entry, *, aboard: bool = False) -> Provider:
        """Room to run, and a provider to run it. `aboard`: the invocation is in flight already."""
        if not self._flights.has_room(aboard=aboard):
            raise MigFault(
                MigErrorCode.MIG_BACKPRESSURE,
                "the gateway runs as many invocations as it may",
                retry_after_s=1.0,
            )
        if self._draining:
            raise MigFault(MigErrorCode.MIG_UNAVAILABLE, "the gateway is going down")
        provider = entry.provider
        if provider is None:
            raise MigFault(MigErrorCode.MIG_UNAVAILABLE, f"no provider is attached to {entry.id}")
        health = provider.health()
        if not health.ok:
            raise MigFault(
                MigErrorCode.MIG_UNAVAILABLE,
                f"the provider of {entry.id} is not available",
                details={"reason": health.reason},
            )
        return provider if self._tracer is None else TracedProvider(provider, self._tracer)

    def _schema_fault(self, entry: Entry, payload: JsonObject) -> MigFault:
        schema = entry.input
        violations = schema.violations(payload, self._limits.max_violations) if schema is not None else []
        first = violations[0]["message"] if violations else "it does not match"
        return MigFault(
            MigErrorCode.MIG_INVALID_REQUEST,
            f"the payload does not match the input schema of {entry.id}: {first}",
            details={"violations": violations, "schema_uri": entry.descriptor.input_schema_uri or None},
        )


def _check_size(entry: Entry, payload: JsonObject) -> None:
    size = len(_encode(payload))
    if size > entry.max_payload_bytes:
        raise MigFault(
            MigErrorCode.MIG_INVALID_REQUEST,
            f"the payload has {size} bytes; {entry.id} takes at most {entry.max_payload_bytes}",
            details={"payload_bytes": size, "max_payload_bytes": entry.max_payload_bytes},
            variant="too_large",
        )


def _used_up(limit: int) -> MigFault:
    return MigFault(
        MigErrorCode.MIG_RATE_LIMITED,
        f"the tenant has used its quota of {limit} invocations",
        details={"max_invocations": limit},
        retry_after_s=60.0,
    )


def payload_of(payload: JsonObject | UnsetType) -> JsonObject:
    """An absent payload is an empty one."""
    return {} if payload is UNSET else payload
