"""The store that forgets with the process: for tests and for trying things out.

Everything is bounded: logs by `Retention`, records by number and by their window.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

from mig_protocol.errors import MigFault
from mig_protocol.messages import CapabilityDescriptor, GatewayRecord, MigErrorCode, Org, Tenant
from migd.core.clock import Clock
from migd.core.mirroring import Head, Outgoing
from migd.core.ports import IdempotencyRecord, new_server_id
from migd.core.provider import JsonObject
from migd.stores.expiring import Expiring
from migd.stores.memory_audit import MemoryAudit
from migd.stores.memory_consumers import MemoryConsumers
from migd.stores.memory_events import MemoryEventLog
from migd.stores.retention import Retention

T = TypeVar("T")
OTHER_TENANTS = "_other"


class MemoryStore:
    """All parts of the port, in plain objects."""

    durable = False

    def __init__(self, clock: Clock, retention: Retention | None = None) -> None:
        kept = retention or Retention()
        self.server_id = new_server_id(clock)
        self.events = MemoryEventLog(clock, kept)
        self.mirror = MemoryMirrorPositions(clock.new_id(), self.events)
        self.consumers = MemoryConsumers(clock, kept)
        self.idempotency = MemoryIdempotency(clock, kept.idempotency_records)
        self.tombstones = MemoryTombstones(clock, kept.tombstones)
        self.catalog = MemoryCatalog()
        self.quotas = MemoryQuotas(kept.quotas)
        self.usage = MemoryUsage(kept.usage_rows)
        self.audit = MemoryAudit(kept.audit_records)
        self.directory = MemoryDirectory(kept.directory_entries)

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to flush."""

    def health(self) -> str | None:
        return None


class MemoryMirrorPositions:
    """Of a log that lives as long as the process, and has an id of its own."""

    def __init__(self, log: str, events: MemoryEventLog) -> None:
        self.log = log
        self._events = events

    async def begin(self) -> None:
        """At the start of the process there is nothing that would not be owed."""

    async def outgoing(self, after: int, limit: int, *, owed: bool) -> Sequence[Outgoing]:
        return self._events.outgoing(after, limit, owed)

    async def mirrored(self, tenant_id: str, topic: str) -> int:
        return self._events.mirrored(tenant_id, topic)

    async def put_mirrored(self, heads: Sequence[Head]) -> None:
        self._events.put_mirrored(heads)

    async def knows(self, log: str) -> bool:
        return self._events.sources.knows(log)

    async def last_taken(self, log: str, tenant_id: str, topic: str) -> int:
        return self._events.sources.last(log, (tenant_id, topic)) or 0

    async def skip(self, log: str, heads: Sequence[Head], *, join: bool) -> None:
        sources = self._events.sources
        if not sources.heard(log):
            sources.add(log)
        for head in heads:
            sources.move(log, (head.tenant_id, head.topic), head.sequence)
        if join:
            sources.join(log)


class MemoryIdempotency:
    def __init__(self, clock: Clock, limit: int) -> None:
        self._records: Expiring[tuple[str, str, str], IdempotencyRecord] = Expiring(clock, limit)

    async def get(self, tenant_id: str, capability: str, key: str) -> IdempotencyRecord | None:
        return self._records.get((tenant_id, capability, key))

    async def put(
        self, tenant_id: str, capability: str, key: str, record: IdempotencyRecord, window_s: float
    ) -> None:
        self._records.put((tenant_id, capability, key), record, window_s)


class MemoryTombstones:
    def __init__(self, clock: Clock, limit: int) -> None:
        self._reasons: Expiring[tuple[str, str], str] = Expiring(clock, limit)

    def reason(self, tenant_id: str, message_id: str) -> str | None:
        return self._reasons.get((tenant_id, message_id))

    async def put(self, tenant_id: str, message_id: str, reason: str, window_s: float) -> None:
        self._reasons.put((tenant_id, message_id), reason, window_s)


class MemoryCatalog:
    def __init__(self) -> None:
        self._capabilities: dict[str, CapabilityDescriptor] = {}
        self._schemas: dict[str, JsonObject] = {}

    async def put_capability(self, descriptor: CapabilityDescriptor) -> None:
        self._capabilities[descriptor.id] = descriptor

    async def put_schema(self, uri: str, schema: JsonObject) -> None:
        self._schemas[uri] = schema

    async def capabilities(self) -> Sequence[CapabilityDescriptor]:
        return list(self._capabilities.values())

    async def schemas(self) -> Mapping[str, JsonObject]:
        return dict(self._schemas)


class MemoryQuotas:
    def __init__(self, limit: int) -> None:
        self._most = limit
        self._limits: dict[str, int] = {}
        self._used: Counter[str] = Counter()

    def limit(self, tenant_id: str) -> int | None:
        return self._limits.get(tenant_id)

    def used(self, tenant_id: str) -> int:
        return self._used[tenant_id]

    async def set_limit(self, tenant_id: str, max_invocations: int) -> None:
        if tenant_id not in self._limits:
            _refuse_when(
                len(self._limits) >= self._most, f"the gateway holds its limit of {self._most} quotas"
            )
        self._limits[tenant_id] = max_invocations

    async def debit(self, tenant_id: str) -> bool:
        limit = self._limits.get(tenant_id)
        if limit is None:
            return True
        if self._used[tenant_id] >= limit:
            return False
        self._used[tenant_id] += 1
        return True


class MemoryUsage:
    """Past `limit` rows, new tenants are counted together: the sums stay true, memory bounded."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: dict[tuple[str, str], int] = {}

    def count(self, tenant_id: str, capability: str) -> None:
        key = (tenant_id, capability)
        if key not in self._counts and len(self._counts) >= self._limit:
            key = (OTHER_TENANTS, capability)
        self._counts[key] = self._counts.get(key, 0) + 1

    async def by_tenant(self) -> Mapping[str, int]:
        return self._sums(0)

    async def by_capability(self) -> Mapping[str, int]:
        return self._sums(1)

    def _sums(self, part: int) -> Mapping[str, int]:
        sums: Counter[str] = Counter()
        for key, number in self._counts.items():
            sums[key[part]] += number
        return dict(sorted(sums.items()))


class MemoryDirectory:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._orgs: dict[str, Org] = {}
        self._tenants: dict[str, Tenant] = {}
        self._gateways: dict[str, GatewayRecord] = {}

    async def put_org(self, org: Org) -> bool:
        return self._put(self._orgs, org.id, org)

    async def put_tenant(self, tenant: Tenant) -> bool:
        return self._put(self._tenants, tenant.id, tenant)

    async def put_gateway(self, gateway: GatewayRecord) -> bool:
        return self._put(self._gateways, gateway.id, gateway)

    async def has_org(self, org_id: str) -> bool:
        return org_id in self._orgs

    async def has_tenant(self, tenant_id: str) -> bool:
        return tenant_id in self._tenants

    def _put(self, entries: dict[str, T], identifier: str, entry: T) -> bool:
        if identifier in entries:
            return False
        _refuse_when(
            len(entries) >= self._limit, f"the gateway holds its limit of {self._limit} entries of this kind"
        )
        entries[identifier] = entry
        return True


def _refuse_when(full: bool, message: str) -> None:
    if full:
        raise MigFault(MigErrorCode.MIG_RATE_LIMITED, message, retry_after_s=60.0)
