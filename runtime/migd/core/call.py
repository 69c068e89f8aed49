"""Who is calling, and over what: everything about a request that is not in its message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from migd.core.tracing import Span

ADMIN_SCOPE = "mig:admin"
"""What administration asks for, for all tenants alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The caller as far as the gateway could establish it (protocol section 8).

    `tenant_id` is the tenant that the credential speaks for; None where there is no credential.
    `scopes` mean something only when `authenticated` is true.
    """

    subject: str
    tenant_id: str | None
    scopes: frozenset[str]
    authenticated: bool


ANONYMOUS = Principal(subject="anonymous", tenant_id=None, scopes=frozenset(), authenticated=False)


class Call(Struct, kw_only=True):
    """One request on its way through the gateway.

    `binding` is http, websocket, grpc, nats or mcp. `tenant` is what the transport said (X-Tenant-ID,
    metadata, subject), unchecked. `wire_bytes` is the size of the encoded request, an upper bound for
    its payload; 0 means unknown. `time_left_s` is what the transport's own deadline leaves, in seconds; None
    where it has none. `span` is there once the request has begun, where there is a tracer.
    """

    principal: Principal
    binding: str
    tenant: str | None = None
    peer: str = ""
    wire_bytes: int = 0
    time_left_s: float | None = None
    span: Span | None = None
