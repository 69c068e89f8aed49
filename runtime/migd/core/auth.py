"""From a credential to a principal (protocol section 8)."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import NamedTuple, Protocol

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.call import ANONYMOUS, Principal
from migd.core.clock import Clock
from migd.core.issuers import Issuer, Issuers, expiry, unauthorized
from migd.core.jws import MAX_TOKEN, Jws, MalformedTokenError, read_jws

_REMEMBERED = 4096


class Authenticator(Protocol):
    """Decides who is calling."""

    def authenticate(self, authorization: str | None, certificate: str | None = None) -> Principal:
        """`authorization` is the whole value of the Authorization field, `certificate` the one that the
        client showed to this process' own TLS, as PEM; None when absent.

        Never waits. Raises MigFault MIG_UNAUTHORIZED or MIG_FORBIDDEN, and MIG_UNAVAILABLE when it can not
        be decided now.
        """

    def obstacle(self) -> str | None:
        """Why callers can not be told apart now; None while they can."""


class OpenAuthenticator:
    """MIGD_AUTH_MODE=none: everyone is anonymous, whatever they send."""

    def authenticate(self, authorization: str | None, certificate: str | None = None) -> Principal:  # noqa: ARG002
        return ANONYMOUS

    def obstacle(self) -> str | None:
        return None


class _Known(NamedTuple):
    principal: Principal
    until: float
    issuer: Issuer
    version: int


class TokenAuthenticator:
    """MIGD_AUTH_MODE=jwt: a token that one of the issuers signed.

    The algorithm is a matter of the issuer and its keys, and never the token's own choice; exp and nbf are
    honoured, give or take `leeway_s` seconds. A token that was found good is not looked into again until it
    expires or the issuer's keys change; the memory of them is bounded and holds digests.
    """

    def __init__(self, issuers: Issuers, clock: Clock, *, leeway_s: float = 0.0) -> None:
        self._issuers = issuers
        self._clock = clock
        self._leeway_s = leeway_s
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    def authenticate(self, authorization: str | None, certificate: str | None = None) -> Principal:  # noqa: ARG002
        token = _bearer(authorization)
        digest = hashlib.sha256(token).digest()
        now = self._clock.now().timestamp()
        known = self._known.get(digest)
        if known is None or now >= known.until or known.version != known.issuer.keys.version:
            return self._learn(digest, token, now)
        self._known.move_to_end(digest)
        return known.principal

    def obstacle(self) -> str | None:
        return next((why for issuer in self._issuers.all if (why := issuer.keys.obstacle())), None)

    def _learn(self, digest: bytes, token: bytes, now: float) -> Principal:
        self._known.pop(digest, None)
        try:
            jws = read_jws(token)
        except MalformedTokenError:
            raise _invalid() from None
        issuer = self._issuers.claimed_by(jws.claims)
        version = issuer.keys.version
        _check_signature(jws, issuer)
        until = expiry(jws.claims, now, self._leeway_s)
        principal = issuer.principal(jws.claims)
        self._known[digest] = _Known(principal, until, issuer, version)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return principal


def _check_signature(jws: Jws, issuer: Issuer) -> None:
    if jws.algorithm not in issuer.algorithms:
        raise _invalid()
    candidates = issuer.keys.candidates(jws.algorithm, jws.kid)
    if any(key.verifies(jws.signed, jws.signature) for key in candidates):
        return
    obstacle = issuer.keys.obstacle()
    if obstacle is not None:
        raise MigFault(
            MigErrorCode.MIG_UNAVAILABLE, "there are no keys to check tokens with now", retry_after_s=5.0
        )
    if not candidates:
        # Answered now, and looked for meanwhile: nobody's request waits for somebody else's server, and a key
        # that has just come into use is known when the caller tries again.
        issuer.keys.missed()
        raise unauthorized("the token is signed with a key that is not known here")
    raise _invalid()


def _bearer(authorization: str | None) -> bytes:
    if not authorization:
        raise unauthorized("a bearer token is required (Authorization: Bearer ...)")
    scheme, _, rest = authorization.partition(" ")
    token = rest.strip()
    if scheme.lower() != "bearer" or not token:
        raise unauthorized("the credential must be a bearer token (Authorization: Bearer ...)")
    if len(token) > MAX_TOKEN:
        raise unauthorized(f"the token is longer than {MAX_TOKEN} characters")
    try:
        return token.encode("ascii")
    except UnicodeEncodeError:
        raise _invalid() from None


def _invalid() -> MigFault:
    return unauthorized("the token is not valid")
