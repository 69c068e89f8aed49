"""What operators do beside the protocol: capabilities, schemas, quotas, audit, organisations (section 7)."""

from __future__ import annotations

from collections.abc import AsyncIterator

from msgspec import UNSET, UnsetType

from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    AuditExport,
    AuditQuery,
    CapabilityDescriptor,
    CapabilityList,
    CapabilityRegistration,
    GatewayCreation,
    GatewayRecord,
    MigErrorCode,
    Org,
    OrgCreation,
    PolicyCheck,
    PolicyDecision,
    Quota,
    SchemaReference,
    SchemaRegistration,
    Tenant,
    TenantCreation,
    UsageReport,
)
from migd.core.admission import Admission
from migd.core.audit_export import AuditExports
from migd.core.call import ANONYMOUS, Principal
from migd.core.catalog import Catalog
from migd.core.clock import Clock
from migd.core.policy import ACTIONS, Policy
from migd.core.ports import Store
from migd.core.rules import ALLOWANCE, NO_RULE


class Administration:
    """Rights are checked before: see `Gateway.require_admin`."""

    def __init__(
        self, catalog: Catalog, policy: Policy, admission: Admission, store: Store, clock: Clock
    ) -> None:
        self._catalog = catalog
        self._policy = policy
        self._admission = admission
        self._store = store
        self._clock = clock
        self._trail = AuditExports(store.audit)

    async def register_capability(self, request: CapabilityRegistration) -> CapabilityDescriptor:
        """Register or replace. A capability without a provider is listed and answers MIG_UNAVAILABLE."""
        modes = request.descriptor.modes
        if len(set(modes)) != len(modes):
            raise MigFault(
                MigErrorCode.MIG_INVALID_REQUEST,
                "descriptor.modes names a mode twice",
                details={"violations": [{"pointer": "/descriptor/modes", "message": "items must be unique"}]},
            )
        entry = self._catalog.describe(request.descriptor)
        await self._store.catalog.put_capability(entry.descriptor)
        return entry.descriptor

    def list_capabilities(self) -> CapabilityList:
        """Every capability, whoever may see it, by id."""
        return CapabilityList(capabilities=[entry.descriptor for entry in self._catalog.all()])

    async def register_schema(self, request: SchemaRegistration) -> SchemaReference:
        """Register or replace; capabilities that name the URI follow from their next invocation on."""
        self._catalog.add_schema(request.uri, request.schema)
        await self._store.catalog.put_schema(request.uri, request.schema)
        return SchemaReference(uri=request.uri)

    def validate_policy(self, asking: Principal, request: PolicyCheck) -> PolicyDecision:
        """Whether the tenant may do `action` now, and which rule decides: the one that would decide about the
        call itself. Nothing is taken.

        `asking` is who wants to know. Where callers are authenticated, the answer is about one who holds
        `request.scopes`; without those, about one who holds whatever scopes it takes.
        """
        caller = _described(asking, request)
        target = _target(request)
        if target is None:
            reason = f"{ACTIONS[request.action]} is required for the action {request.action}"
            return PolicyDecision(allowed=False, reason=reason, rule=NO_RULE.id)
        decision = self._policy.decide(caller, request.tenant_id, request.action, target)
        if decision.allowed and request.action == "invoke":
            try:
                self._admission.room(request.tenant_id, target)
            except MigFault as fault:
                return PolicyDecision(allowed=False, reason=fault.message, rule=ALLOWANCE)
        return PolicyDecision(allowed=decision.allowed, reason=decision.reason, rule=decision.rule.id)

    async def set_quota(self, request: Quota) -> Quota:
        """How many invocations the tenant may run, counted from its first quota on."""
        await self._store.quotas.set_limit(request.tenant_id, request.max_invocations)
        return request

    async def export_audit(self, query: AuditQuery) -> AuditExport:
        """One page of the retained records for which the query's filters hold, oldest first."""
        return await self._trail.page(query)

    async def audit_lines(self, query: AuditQuery) -> AsyncIterator[bytes]:
        """The same records as lines, all there are where the query has no limit; a few at a time."""
        return await self._trail.lines(query)

    async def create_org(self, request: OrgCreation) -> Org:
        org = Org(id=self._id(request.id), name=request.name)
        self._refuse_taken(await self._store.directory.put_org(org), "org", org.id)
        return org

    async def create_tenant(self, request: TenantCreation) -> Tenant:
        """Raises MigFault MIG_NOT_FOUND for an org that does not exist."""
        if not await self._store.directory.has_org(request.org_id):
            raise MigFault(MigErrorCode.MIG_NOT_FOUND, f"no org {request.org_id}")
        tenant = Tenant(id=self._id(request.id), name=request.name, org_id=request.org_id)
        self._refuse_taken(await self._store.directory.put_tenant(tenant), "tenant", tenant.id)
        return tenant

    async def create_gateway(self, request: GatewayCreation) -> GatewayRecord:
        """Raises MigFault MIG_NOT_FOUND for a tenant that does not exist."""
        if not await self._store.directory.has_tenant(request.tenant_id):
            raise MigFault(MigErrorCode.MIG_NOT_FOUND, f"no tenant {request.tenant_id}")
        gateway = GatewayRecord(
            id=self._id(request.id),
            tenant_id=request.tenant_id,
            region=request.region,
            binding=request.binding,
        )
        self._refuse_taken(await self._store.directory.put_gateway(gateway), "gateway", gateway.id)
        return gateway

    async def usage(self) -> UsageReport:
        """What has run, by tenant and by capability."""
        tenants = dict(await self._store.usage.by_tenant())
        return UsageReport(
            tenant_invocations=tenants,
            capability_invocations=dict(await self._store.usage.by_capability()),
            total_invocations=sum(tenants.values()),
        )

    def _id(self, given: str | UnsetType) -> str:
        return self._clock.new_id() if given is UNSET else given

    def _refuse_taken(self, stored: bool, kind: str, identifier: str) -> None:
        if not stored:
            raise MigFault(MigErrorCode.MIG_INVALID_REQUEST, f"{kind} {identifier} exists already")


def _described(asking: Principal, request: PolicyCheck) -> Principal:
    """The caller that the question is about."""
    if request.scopes is UNSET or not asking.authenticated:
        return ANONYMOUS
    return Principal(
        subject="", tenant_id=request.tenant_id, scopes=frozenset(request.scopes), authenticated=True
    )


def _target(request: PolicyCheck) -> str | None:
    """What the action would be done to, "" where it is to nothing; None where the question does not say."""
    kind = ACTIONS.get(request.action)
    targets = {"capability": request.capability, "topic": request.topic}
    target = targets.get(kind, "") if kind else ""
    return None if target is UNSET else target
