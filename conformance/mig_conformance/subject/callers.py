"""Who asks: callers by name, and tokens made for one check."""

from __future__ import annotations

import time
from typing import Any

import jwt

from mig_conformance.drivers.port import Caller
from mig_conformance.flaws import UncheckedError
from mig_conformance.subject.subject import Subject

_LIFETIME_S = 3600
# What each caller of a manifest's tokens may do. A token of that name has to have these scopes.
SCOPES = {
    "own": "capability:infer mig:publish:> mig:subscribe:>",
    "other": "capability:infer mig:publish:> mig:subscribe:>",
    "admin": "capability:infer mig:admin mig:publish:> mig:subscribe:>",
    "scopeless": "",
}


class Callers:
    """The callers of one server: `own` and `other` are users of two tenants, `admin` may administer,
    `scopeless` has a credential without scopes, `nobody` has none.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def named(self, name: str) -> Caller:
        """Raises UncheckedError where there is neither a token of that name nor a secret to make it with."""
        tenant = self._subject.other_tenant if name == "other" else self._subject.tenant
        if self._subject.auth.mode == "none" or name == "nobody":
            return Caller(tenant=tenant)
        given = self._subject.auth.tokens.get(name)
        return Caller(tenant=tenant, token=given or self.token({"tenant_id": tenant, "scope": SCOPES[name]}))

    def of_tenant(self, tenant: str, scope: str = SCOPES["own"]) -> Caller:
        """A user of any tenant, for checks that leave something behind, a quota for one."""
        if self._subject.auth.mode == "none":
            return Caller(tenant=tenant)
        return Caller(tenant=tenant, token=self.token({"tenant_id": tenant, "scope": scope}))

    def token(self, claims: dict[str, Any], *, secret: str | None = None, **header: Any) -> str:
        """A token with these claims, signed by HS256. exp is an hour ahead unless the claims have one;
        `header` adds members to the token's header, or overrides them.

        Raises UncheckedError where the manifest has no secret.
        """
        key = secret or self.secret()
        exp = {} if "exp" in claims else {"exp": int(time.time()) + _LIFETIME_S}
        return jwt.encode(
            {"sub": "mig-conformance", **exp, **claims}, key, algorithm="HS256", headers=header or None
        )

    def secret(self) -> str:
        """What the server checks tokens with. Raises UncheckedError where the manifest has no secret."""
        if self._subject.auth.hs256_secret is None:
            raise UncheckedError(
                "tokens for this check can not be made: auth.hs256_secret is not in the manifest"
            )
        return self._subject.auth.hs256_secret
