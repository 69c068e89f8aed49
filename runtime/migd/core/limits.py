"""The bounds that the core keeps; each is a setting of the gateway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Numbers only. Durations are seconds, sizes bytes, unless the name says otherwise."""

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
    max_connections_per_tenant: int = 1_000
    max_capabilities: int = 10_000
    max_schemas: int = 10_000
    max_violations: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this gateway is and what it has switched on. `nats_binding_active` is asked whenever somebody wants
    to know whether requests over NATS are served at that moment.
    """

    server_id: str
    bindings: frozenset[str] = field(default_factory=lambda: frozenset({"http"}))
    metrics_enabled: bool = True
    nats_binding_active: Callable[[], bool] = bool
