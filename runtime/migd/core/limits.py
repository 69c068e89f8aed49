"""The bounds that the core keeps; each is a setting of the gateway."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from migd.core.schema_bounds import DEFAULT_BOUNDS, SchemaBounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one tenant, or one capability, may take of the gateway. 0 is no limit; None, not said.

    `rate_per_s` invocations may be started a second, and `burst` at once after a pause: unless said, as many
    as a second has. `concurrency` of them may run at a time.
    """

    rate_per_s: float | None = None
    burst: int | None = None
    concurrency: int | None = None

    @property
    def rate(self) -> float:
        return self.rate_per_s or 0.0

    @property
    def tokens(self) -> int:
        """How many may be started at once, where there is a rate; at least 1."""
        return self.burst or max(1, math.ceil(self.rate))

    @property
    def is_limit(self) -> bool:
        return bool(self.rate or self.concurrency)

    def over(self, default: Allowance) -> Allowance:
        """This one where it says something, else `default`. A rate comes with its own burst."""
        rated = default if self.rate_per_s is None else self
        return Allowance(
            rate_per_s=rated.rate_per_s,
            burst=rated.burst,
            concurrency=default.concurrency if self.concurrency is None else self.concurrency,
        )


UNLIMITED = Allowance()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Durations are seconds, sizes bytes, unless the name says otherwise.

    `tenant` is what each tenant may take that is not in `tenants`; what those leave unsaid is as in `tenant`.
    """

    default_deadline_ms: int = 30_000
    max_deadline_ms: int = 3_600_000
    max_concurrent_invocations: int = 1024
    max_streams_per_connection: int = 256
    max_stream_inputs: int = 64
    idempotency_window_s: float = 86_400.0
    cancel_window_s: float = 300.0
    completed_remembered: int = 8192
    heartbeat_min_ms: int = 1_000
    heartbeat_max_ms: int = 60_000
    heartbeat_default_ms: int = 5_000
    sse_keepalive_s: float = 15.0
    subscribe_batch: int = 256
    max_connections: int = 10_000
    max_connections_per_tenant: int = 1_000
    max_capabilities: int = 10_000
    max_schemas: int = 10_000
    schema: SchemaBounds = DEFAULT_BOUNDS
    max_violations: int = 100
    max_depth: int = 32
    max_tenants_throttled: int = 20_000
    tenant: Allowance = UNLIMITED
    tenants: Mapping[str, Allowance] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this gateway is and what it has switched on. Without a `server_id` it is named by its store.
    `nats_binding_active` is asked whenever somebody wants to know whether requests over NATS are served at
    that moment.
    """

    server_id: str = ""
    bindings: frozenset[str] = field(default_factory=lambda: frozenset({"http"}))
    metrics_enabled: bool = True
    nats_binding_active: Callable[[], bool] = bool
