"""The bounds that the core keeps, as the settings and the migd.yaml have them."""

from __future__ import annotations

from collections.abc import Mapping

from migd.config import Settings
from migd.core.limits import Allowance, Limits
from migd.core.schema_bounds import SchemaBounds


def limits_of(settings: Settings, tenants: Mapping[str, Allowance]) -> Limits:
    """`tenants` are the limits of those that have some of their own."""
    return Limits(
        max_deadline_ms=settings.max_deadline_ms,
        max_concurrent_invocations=settings.max_concurrent_invocations,
        max_streams_per_connection=settings.max_streams_per_connection,
        max_depth=settings.max_depth,
        max_connections=settings.max_connections,
        max_connections_per_tenant=settings.max_connections_per_tenant,
        idempotency_window_s=settings.idempotency_window_s,
        cancel_window_s=settings.cancel_window_s,
        heartbeat_min_ms=settings.heartbeat_min_ms,
        heartbeat_max_ms=settings.heartbeat_max_ms,
        sse_keepalive_s=settings.sse_keepalive_s,
        schema=SchemaBounds(
            max_bytes=settings.max_schema_bytes,
            max_parts=settings.max_schema_parts,
            max_patterns=settings.max_schema_patterns,
            max_steps=settings.max_schema_steps,
        ),
        tenant=Allowance(
            rate_per_s=settings.tenant_rate_per_s,
            burst=settings.tenant_rate_burst,
            concurrency=settings.tenant_concurrency,
        ),
        tenants=tenants,
    )
