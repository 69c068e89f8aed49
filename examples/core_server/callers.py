"""Who asks: anybody, or whoever has a token. JSON Web Tokens with HS256, RFC 7519 and RFC 7515, by hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import time
from dataclasses import dataclass
from typing import Any

from core_server.messages import TENANT_ID, RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """`tenant` and `scopes` are None where nobody is authenticated: any tenant, and everything."""

    subject: str = "anonymous"
    tenant: str | None = None
    scopes: frozenset[str] | None = None

    def may(self, any_of: list[str]) -> bool:
        """Whether one of these scopes is the caller's."""
        return self.scopes is None or not any_of or not self.scopes.isdisjoint(any_of)


def caller_of(authorization: list[str], secret: bytes | None) -> Caller:
    """By the Authorization fields of a request. Without a secret everybody is anonymous.

    Raises MIG_UNAUTHORIZED for a missing or bad token, MIG_FORBIDDEN for one without a tenant.
    """
    if secret is None:
        return Caller()
    scheme, _, token = (authorization[0] if len(authorization) == 1 else "").partition(" ")
    claims = _claims(token.strip(), secret) if scheme.lower() == "bearer" else None
    if claims is None or not _in_its_time(claims):
        raise RefusedError(
            "MIG_UNAUTHORIZED", "a valid bearer token is required: Authorization: Bearer TOKEN"
        )
    tenant = claims.get("tenant_id", claims.get("tenant"))
    if not isinstance(tenant, str) or not TENANT_ID.fullmatch(tenant):
        raise RefusedError("MIG_FORBIDDEN", "the token names no tenant: it needs the claim tenant_id")
    subject = claims.get("sub")
    return Caller(subject=subject if isinstance(subject, str) else "", tenant=tenant, scopes=_scopes(claims))


def _claims(token: str, secret: bytes) -> dict[str, Any] | None:
    """Of a token that the secret signed, by our algorithm and never by the token's choice [MIG-AUT-003]."""
    try:
        signed, _, signature = token.rpartition(".")
        head, claims = (_object(part) for part in signed.split("."))
        wanted = hmac.new(secret, signed.encode("ascii"), hashlib.sha256).digest()
        genuine = hmac.compare_digest(wanted, _decoded(signature))
    except (ValueError, RecursionError):
        return None
    return claims if genuine and head.get("alg") == "HS256" and "crit" not in head else None


def _decoded(part: str) -> bytes:
    """Without padding, and in one spelling only."""
    content = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(content).rstrip(b"=").decode() != part:
        raise ValueError(part)
    return content


def _object(part: str) -> dict[str, Any]:
    found = json.loads(_decoded(part).decode(), object_pairs_hook=_once)
    if not isinstance(found, dict):
        raise ValueError(part)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A member that is named twice would mean one thing to us and another to the issuer [MIG-AUT-011]."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a member twice")
    return dict(pairs)


def _in_its_time(claims: dict[str, Any]) -> bool:
    now = time.time()
    times = [claims.get("nbf", now), claims.get("exp", math.inf)]
    if any(isinstance(each, bool) or not isinstance(each, int | float) for each in times):
        return False
    return bool(times[0] <= now < times[1])


def _scopes(claims: dict[str, Any]) -> frozenset[str]:
    """Those of `scope`, a text, and of `scopes`, a list, together [MIG-AUT-006]."""
    spaced, listed = claims.get("scope"), claims.get("scopes")
    found = spaced.split(" ") if isinstance(spaced, str) else []
    found += [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []
    return frozenset(filter(None, found))
