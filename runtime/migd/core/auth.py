"""From a credential to a principal (protocol section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import jwt

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.call import ANONYMOUS, Principal
from migd.core.tokens import is_tenant_id

_ALGORITHMS = ["HS256"]
_OPTIONS: Any = {
    "verify_aud": False,
    "verify_iat": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
_MAX_TOKEN = 8192


class Authenticator(Protocol):
    """Decides who is calling."""

    def authenticate(self, authorization: str | None) -> Principal:
        """`authorization` is the whole value of the Authorization field, None when absent."""


class OpenAuthenticator:
    """MIGD_AUTH_MODE=none: everyone is anonymous, whatever they send."""

    def authenticate(self, authorization: str | None) -> Principal:  # noqa: ARG002 - the port's signature
        return ANONYMOUS


class JwtAuthenticator:
    """MIGD_AUTH_MODE=jwt: an HS256 token signed with the shared secret.

    The algorithm is fixed here and never the token's own choice; exp and nbf are honoured.
    Raises MigFault MIG_UNAUTHORIZED for a missing or bad token, MIG_FORBIDDEN for one without a tenant.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def authenticate(self, authorization: str | None) -> Principal:
        claims = self._claims(_bearer(authorization))
        tenant = claims.get("tenant_id") or claims.get("tenant")
        if not isinstance(tenant, str) or not is_tenant_id(tenant):
            raise MigFault(
                MigErrorCode.MIG_FORBIDDEN, "the token names no valid tenant (claim tenant_id or tenant)"
            )
        return Principal(
            subject=str(claims.get("sub") or "unknown"),
            tenant_id=tenant,
            scopes=frozenset(_scopes(claims.get("scope")) | _scopes(claims.get("scopes"))),
            authenticated=True,
        )

    def _claims(self, token: str) -> Mapping[str, Any]:
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token, self._secret, algorithms=_ALGORITHMS, options=_OPTIONS
            )
        except jwt.ExpiredSignatureError:
            raise _unauthorized("the token has expired") from None
        except jwt.ImmatureSignatureError:
            raise _unauthorized("the token is not valid yet") from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise _unauthorized("the token is not valid") from None
        return claims


def _bearer(authorization: str | None) -> str:
    if not authorization:
        raise _unauthorized("a bearer token is required (Authorization: Bearer ...)")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unauthorized("the credential must be a bearer token (Authorization: Bearer ...)")
    if len(token) > _MAX_TOKEN:
        raise _unauthorized(f"the token is longer than {_MAX_TOKEN} characters")
    return token.strip()


def _scopes(claim: object) -> set[str]:
    """A space-separated string or a list of strings; anything else grants nothing."""
    if isinstance(claim, str):
        return set(claim.split())
    if isinstance(claim, list):
        return {item for item in claim if isinstance(item, str)}
    return set()


def _unauthorized(message: str) -> MigFault:
    return MigFault(MigErrorCode.MIG_UNAUTHORIZED, message)
