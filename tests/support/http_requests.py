"""A request for every HTTP operation, good enough to be let in."""

from __future__ import annotations

from typing import Any

from mig_protocol.operations import OPERATIONS

REFERENCE = "observatory.models.infer"
_PLACES = {"{capability}": REFERENCE, "{topic}": "a.b", "{message_id}": "m-1"}

BODIES: dict[str, Any] = {
    "/admin/v0.1/capabilities": {"descriptor": {"id": "x.y", "version": "1.0.0", "modes": ["unary"]}},
    "/admin/v0.1/schemas": {"uri": "schema://x/y", "schema": {}},
    "/pro/v0.1/policies/validate": {"tenant_id": "acme", "capability": "x.y", "action": "invoke"},
    "/pro/v0.1/quotas": {"tenant_id": "acme", "max_invocations": 1},
    "/cloud/v0.1/orgs": {"name": "Acme"},
    "/cloud/v0.1/tenants": {"name": "Acme", "org_id": "o-1"},
    "/cloud/v0.1/gateways": {"tenant_id": "acme", "region": "eu", "binding": "http"},
}


def requests(rights: str) -> list[tuple[str, str, str]]:
    """Operation, method and path of all with these rights; the WebSocket has tests of its own."""
    found = []
    for operation in OPERATIONS:
        if operation.rights == rights and operation.http_path and operation.id != "STREAM":
            path = operation.http_path
            for template, value in _PLACES.items():
                path = path.replace(template, value)
            found.append((operation.id, operation.http_method or "", path))
    assert found
    return found
