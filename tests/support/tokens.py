"""Bearer tokens for a gateway in jwt mode."""

from __future__ import annotations

from typing import Any

import jwt

SECRET = "a secret of the tests, longer than 32 bytes"
JWT_MODE = {"MIGD_AUTH_MODE": "jwt", "MIGD_JWT_HS256_SECRET": SECRET}


def bearer(tenant: str | None = "acme", scope: str = "", /, *, secret: str = SECRET, **claims: Any) -> str:
    """The value of an Authorization field."""
    given = {"sub": "alice", "scope": scope, **claims}
    if tenant is not None:
        given["tenant_id"] = tenant
    return f"Bearer {jwt.encode(given, secret, algorithm='HS256')}"
