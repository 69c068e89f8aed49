"""What a gateway is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from migd.core.audit import AuditSink
from migd.core.auth import Authenticator
from migd.core.clock import Clock
from migd.core.condition import HealthChecks
from migd.core.failpoints import UNARMED, Failpoints
from migd.core.ledger import OnFailure
from migd.core.limits import Identity, Limits
from migd.core.ports import Store
from migd.core.recorder import Recorder
from migd.core.tracing import Tracer


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a gateway is made of; everything with a choice in it is chosen by the composition."""

    store: Store
    authenticator: Authenticator
    clock: Clock
    recorder: Recorder
    identity: Identity
    limits: Limits
    audit_sinks: tuple[AuditSink, ...] = ()
    audit_on_failure: OnFailure = "continue"
    require_tenant_header: bool = False
    topic_scopes: bool = False
    failpoints: Failpoints = UNARMED
    tracer: Tracer | None = None
    # What else readiness depends on.
    health: HealthChecks = field(default_factory=dict)
