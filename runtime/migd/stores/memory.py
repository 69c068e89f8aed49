"""The store that forgets with the process: for tests and for trying things out.

Everything is bounded: logs by `Retention`, records by number and by their window.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence

from mig_protocol.errors import MigFault
from mig_protocol.messages import AuditRecord, CapabilityDescriptor, GatewayRecord, MigErrorCode, Org, Tenant

from migd.core.clock import Clock
from migd.core.ports import EventDraft, IdempotencyRecord, StoredEvent
from migd.core.provider import JsonObject
from migd.stores.expiring import Expiring
from migd.stores.retention import Retention


class MemoryStore:
    """All parts of the port, in plain objects."""

    durable = False

    def __init__(self, clock: Clock, retention: Retention | None = None) -> None:
        kept = retention or Retention()
        self.events = MemoryEventLog(clock, kept)
        self.idempotency = MemoryIdempotency(clock, kept.idempotency_records)
        self.tombstones = MemoryTombstones(clock, kept.tombstones)
        self.catalog = MemoryCatalog()
        self.quotas = MemoryQuotas()
        self.usage = MemoryUsage()
        self.audit = MemoryAudit(kept.audit_records)
        self.directory = MemoryDirectory()

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to flush."""

    def health(self) -> str | None:
        return None


class _Log:
    """One topic of one tenant."""

    __slots__ = ("acks", "events", "head", "size")

    def __init__(self) -> None:
        self.events: deque[StoredEvent] = deque()
        self.acks: dict[str, StoredEvent] = {}
        self.head = 0
        self.size = 0


class MemoryEventLog:
    """Logs by (tenant, topic). An idempotency key is remembered as long as its event is retained."""

    def __init__(self, clock: Clock, retention: Retention) -> None:
        self._clock = clock
        self._retention = retention
        self._logs: dict[tuple[str, str], _Log] = {}
        self._keys: dict[tuple[str, str, int], str] = {}
        self._topics: Counter[str] = Counter()

    async def append(
        self, tenant_id: str, topic: str, draft: EventDraft, idempotency_key: str | None
    ) -> tuple[StoredEvent, bool]:
        log = self._log(tenant_id, topic)
        if idempotency_key is not None and idempotency_key in log.acks:
            return log.acks[idempotency_key], True
        log.head += 1
        event = StoredEvent(
            sequence=log.head,
            event_id=draft.event_id,
            published_at=draft.published_at,
            body=draft.encode(log.head),
        )
        log.events.append(event)
        log.size += len(event.body)
        if idempotency_key is not None:
            log.acks[idempotency_key] = event
            self._keys[tenant_id, topic, event.sequence] = idempotency_key
        self._trim(tenant_id, topic, log)
        return event, False

    async def read(self, tenant_id: str, topic: str, after: int, limit: int) -> Sequence[StoredEvent]:
        log = self._logs.get((tenant_id, topic))
        if log is None:
            return ()
        self._trim(tenant_id, topic, log)
        if not log.events:
            return ()
        # Sequences are contiguous, so the place of the first event to give is known without a search.
        start = max(0, after + 1 - log.events[0].sequence)
        return [log.events[index] for index in range(start, min(start + limit, len(log.events)))]

    async def head(self, tenant_id: str, topic: str) -> int:
        log = self._logs.get((tenant_id, topic))
        return 0 if log is None else log.head

    def _log(self, tenant_id: str, topic: str) -> _Log:
        log = self._logs.get((tenant_id, topic))
        if log is None:
            if self._topics[tenant_id] >= self._retention.topics:
                raise MigFault(
                    MigErrorCode.MIG_RATE_LIMITED,
                    f"the tenant has its limit of {self._retention.topics} topics",
                )
            self._topics[tenant_id] += 1
            log = self._logs[tenant_id, topic] = _Log()
        return log

    def _trim(self, tenant_id: str, topic: str, log: _Log) -> None:
        oldest = self._clock.now().timestamp() - self._retention.age_s
        while log.events and (
            len(log.events) > self._retention.events
            or log.size > self._retention.bytes
            or log.events[0].published_at.timestamp() < oldest
        ):
            gone = log.events.popleft()
            log.size -= len(gone.body)
            key = self._keys.pop((tenant_id, topic, gone.sequence), None)
            if key is not None:
                del log.acks[key]


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
    def __init__(self) -> None:
        self._limits: dict[str, int] = {}
        self._used: Counter[str] = Counter()

    def limit(self, tenant_id: str) -> int | None:
        return self._limits.get(tenant_id)

    def used(self, tenant_id: str) -> int:
        return self._used[tenant_id]

    async def set_limit(self, tenant_id: str, max_invocations: int) -> None:
        self._limits[tenant_id] = max_invocations

    async def debit(self, tenant_id: str) -> bool:
        limit = self._limits.get(tenant_id)
        if limit is not None and self._used[tenant_id] >= limit:
            return False
        self._used[tenant_id] += 1
        return True


class MemoryUsage:
    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def count(self, tenant_id: str, capability: str) -> None:
        self._counts[tenant_id, capability] += 1

    async def by_tenant(self) -> Mapping[str, int]:
        return self._sums(0)

    async def by_capability(self) -> Mapping[str, int]:
        return self._sums(1)

    def _sums(self, part: int) -> Mapping[str, int]:
        sums: Counter[str] = Counter()
        for key, number in self._counts.items():
            sums[key[part]] += number
        return dict(sorted(sums.items()))


class MemoryAudit:
    def __init__(self, limit: int) -> None:
        self._records: deque[AuditRecord] = deque(maxlen=limit)

    def append(self, record: AuditRecord) -> None:
        self._records.append(record)

    async def export(self, tenant_id: str | None) -> Sequence[AuditRecord]:
        return [record for record in self._records if tenant_id is None or record.tenant_id == tenant_id]


class MemoryDirectory:
    def __init__(self) -> None:
        self._orgs: dict[str, Org] = {}
        self._tenants: dict[str, Tenant] = {}
        self._gateways: dict[str, GatewayRecord] = {}

    async def put_org(self, org: Org) -> bool:
        return self._orgs.setdefault(org.id, org) is org

    async def put_tenant(self, tenant: Tenant) -> bool:
        return self._tenants.setdefault(tenant.id, tenant) is tenant

    async def put_gateway(self, gateway: GatewayRecord) -> bool:
        return self._gateways.setdefault(gateway.id, gateway) is gateway

    async def has_org(self, org_id: str) -> bool:
        return org_id in self._orgs

    async def has_tenant(self, tenant_id: str) -> bool:
        return tenant_id in self._tenants
