"""Whose tokens are taken, and which tenants they may speak for (protocol section 8)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.call import ADMIN_SCOPE, Principal
from migd.core.tokens import is_tenant_id
from migd.core.verification import KeySource

_TENANT_CLAIMS = ("tenant_id", "tenant")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenancy:
    """Which tenant a token speaks for.

    `tenant`: this one; a token that says another is refused. `claims`: where a token says it, the first that
    is there. `allowed`: no others; None means any.
    """

    tenant: str | None = None
    claims: tuple[str, ...] = _TENANT_CLAIMS
    allowed: frozenset[str] | None = None

    def of(self, claims: Mapping[str, Any]) -> str:
        """Raises MigFault MIG_FORBIDDEN for a token without a tenant or with one not of its issuer's."""
        claimed = next((claims[name] for name in self.claims if claims.get(name)), self.tenant)
        if not isinstance(claimed, str) or not is_tenant_id(claimed):
            names = " or ".join(self.claims)
            raise MigFault(MigErrorCode.MIG_FORBIDDEN, f"the token names no valid tenant (claim {names})")
        allowed = {self.tenant} if self.tenant is not None else self.allowed
        if allowed is not None and claimed not in allowed:
            raise MigFault(MigErrorCode.MIG_FORBIDDEN, "the token's issuer does not speak for its tenant")
        return claimed


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Somebody whose tokens are taken.

    `name` is what `iss` must be; None: it is not looked at. `audiences`: `aud` must name one of them; empty:
    it is not looked at. `algorithms` are the only ones, whatever the keys and the token say. `admin`: whether
    its tokens may carry the administrator's scope, which is not bound to a tenant.
    """

    keys: KeySource
    algorithms: frozenset[str]
    name: str | None = None
    audiences: frozenset[str] = frozenset()
    tenancy: Tenancy = field(default_factory=Tenancy)
    admin: bool = False

    def principal(self, claims: Mapping[str, Any]) -> Principal:
        """The caller that verified claims speak of. Raises MigFault MIG_UNAUTHORIZED or MIG_FORBIDDEN."""
        if self.name is not None and claims.get("iss") != self.name:
            raise unauthorized("the token is of another issuer than the one that is accepted here")
        if self.audiences and not self.audiences & _strings(claims.get("aud")):
            raise unauthorized("the token is meant for another audience")
        scopes = _scopes(claims.get("scope")) | _scopes(claims.get("scopes"))
        if not self.admin:
            scopes.discard(ADMIN_SCOPE)
        return Principal(
            subject=str(claims.get("sub") or "unknown"),
            tenant_id=self.tenancy.of(claims),
            scopes=frozenset(scopes),
            authenticated=True,
        )


class Issuers:
    """Finds the one that a token says it is from. That is only a claim: its keys and `principal` decide."""

    def __init__(self, issuers: tuple[Issuer, ...]) -> None:
        self.all = issuers
        self._named = {issuer.name: issuer for issuer in issuers}

    def claimed_by(self, claims: Mapping[str, Any]) -> Issuer:
        """Raises MigFault MIG_UNAUTHORIZED when there is none."""
        name = claims.get("iss")
        issuer = self._named.get(name if isinstance(name, str) else None) or self._named.get(None)
        if issuer is None:
            raise unauthorized("the token is of an issuer that is not accepted here")
        return issuer


def expiry(claims: Mapping[str, Any], now: float, leeway_s: float) -> float:
    """When verified claims stop being valid, as a POSIX time with the leeway in it; inf for never.

    Raises MigFault MIG_UNAUTHORIZED outside of exp and nbf (RFC 7519, sections 4.1.4 and 4.1.5).
    """
    ends = _moment(claims, "exp", math.inf) + leeway_s
    if now >= ends:
        raise unauthorized("the token has expired")
    if now < _moment(claims, "nbf", -math.inf) - leeway_s:
        raise unauthorized("the token is not valid yet")
    return ends


def unauthorized(message: str) -> MigFault:
    return MigFault(MigErrorCode.MIG_UNAUTHORIZED, message)


def _moment(claims: Mapping[str, Any], name: str, absent: float) -> float:
    value = claims.get(name, absent)
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise unauthorized(f"the token's {name} is not a time")
    try:
        return float(value)
    except OverflowError:
        raise unauthorized(f"the token's {name} is not a time") from None


def _scopes(claim: object) -> set[str]:
    """A space-separated string or a list of strings; anything else grants nothing."""
    return set(claim.split()) if isinstance(claim, str) else _strings(claim)


def _strings(claim: object) -> set[str]:
    """A string or a list of strings as a set; anything else is an empty one."""
    if isinstance(claim, str):
        return {claim}
    return {item for item in claim if isinstance(item, str)} if isinstance(claim, list) else set()
