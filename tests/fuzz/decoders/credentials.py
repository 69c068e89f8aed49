"""Bearer tokens: any text in place of one, and any claims under a good signature."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache

import jwt

from fuzz.decoders.target import FindingError, Target
from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.auth import TokenAuthenticator
from migd.core.issuers import Issuer, Issuers
from migd.core.verification import HS256, Secrets
from support.manual_clock import ManualClock
from support.tokens import SECRET, bearer

_ALLOWED = {MigErrorCode.MIG_UNAUTHORIZED, MigErrorCode.MIG_FORBIDDEN}


@cache
def _authenticator() -> TokenAuthenticator:
    issuer = Issuer(keys=Secrets((SECRET,)), algorithms=frozenset({HS256}))
    return TokenAuthenticator(Issuers((issuer,)), ManualClock())


def _token(data: bytes) -> None:
    """What has no signature of ours is nobody."""
    try:
        principal = _authenticator().authenticate(data.decode("latin-1"))
    except MigFault as fault:
        _is_a_refusal(fault)
        return
    if principal.tenant_id != "acme":
        raise FindingError(f"somebody was let in as {principal}")


def _claims(data: bytes) -> None:
    """The payload of a token that we signed, whatever is in it."""
    signed = jwt.PyJWS().encode(data, SECRET, algorithm="HS256")
    try:
        _authenticator().authenticate(f"Bearer {signed}")
    except MigFault as fault:
        _is_a_refusal(fault)


def _is_a_refusal(fault: MigFault) -> None:
    if fault.code not in _ALLOWED:
        raise FindingError(f"a token was refused with {fault}")


def _token_seeds() -> Iterator[bytes]:
    yield bearer("acme", "capability:infer").encode()
    yield bearer("acme", exp=1, nbf=2).encode()
    yield b"Bearer eyJhbGciOiJub25lIn0.eyJ0ZW5hbnRfaWQiOiJhY21lIn0."
    yield b"Basic YWNtZTphY21l"


def _claims_seeds() -> Iterator[bytes]:
    yield json.dumps({"tenant_id": "acme", "scope": "a b", "exp": 4_000_000_000, "sub": "alice"}).encode()
    yield json.dumps({"tenant": "acme", "scopes": ["a", "b"], "nbf": 0, "iat": 1.5, "aud": ["x"]}).encode()
    yield b'{"tenant_id": "acme", "tenant_id": "other"}'
    yield b'{"exp": 1e400, "tenant_id": ["acme"]}'


TOKEN = Target(name="token", decode=_token, seeds=_token_seeds)
CLAIMS = Target(name="claims", decode=_claims, seeds=_claims_seeds)
