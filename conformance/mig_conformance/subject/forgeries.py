"""Tokens that no server may believe, by what is wrong with them.

Made by hand, since a library that signs tokens refuses to make these.
"""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

_HOUR_S = 3600
_HASHES: Mapping[str, str] = MappingProxyType({"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Forger:
    """`secret` is the server's own, `claims` those of a caller that may do everything here. `now` is POSIX
    time, `elsewhere` the URL of a key set with the key `other_secret` in it.
    """

    secret: str
    other_secret: str
    claims: Mapping[str, Any]
    now: float
    elsewhere: str

    def signed(self, header: str, claims: str, *, secret: str | None = None, algorithm: str = "HS256") -> str:
        """A token of these JSON texts, whatever they are; signed with the server's secret if not said."""
        text = f"{_encoded(header.encode())}.{_encoded(claims.encode())}"
        key = (self.secret if secret is None else secret).encode()
        return f"{text}.{_encoded(hmac.digest(key, text.encode(), _HASHES[algorithm]))}"

    def token(self, claims: Mapping[str, Any] | None = None, **header: Any) -> str:
        """A right token, but for these claims and members of the header."""
        return self.signed(_header(**header), json.dumps({**self.claims, **(claims or {})}))

    def elsewhere_signed(self, **header: Any) -> str:
        """A token that another key has signed, with these members of the header."""
        return self.signed(_header(**header), json.dumps(self.claims), secret=self.other_secret)

    def other_key(self) -> dict[str, str]:
        """The key that signs those, as a JWK (RFC 7517)."""
        return {"kty": "oct", "kid": "other", "alg": "HS256", "k": _encoded(self.other_secret.encode())}


def _other_secret(forger: Forger) -> Iterator[str]:
    yield forger.elsewhere_signed()
    yield forger.signed(_header(), json.dumps(forger.claims), secret="")


def _unsigned(forger: Forger) -> Iterator[str]:
    claims = _encoded(json.dumps(forger.claims).encode())
    for algorithm in ("none", "None", "NONE", "HS256"):
        yield f"{_encoded(_header(alg=algorithm).encode())}.{claims}."


def _changed(forger: Forger) -> Iterator[str]:
    """Somebody's token with other claims, and the signature of what it was."""
    header, _, signature = forger.token().split(".")
    more = {**forger.claims, "scope": f"{forger.claims['scope']} mig:admin"}
    yield f"{header}.{_encoded(json.dumps(more).encode())}.{signature}"


def _other_algorithm(forger: Forger) -> Iterator[str]:
    for algorithm in ("HS384", "HS512"):
        yield forger.signed(_header(alg=algorithm), json.dumps(forger.claims), algorithm=algorithm)


def _expired(forger: Forger) -> Iterator[str]:
    yield forger.token({"exp": int(forger.now) - _HOUR_S})


def _not_yet(forger: Forger) -> Iterator[str]:
    yield forger.token({"nbf": int(forger.now) + _HOUR_S})


def _repeated_member(forger: Forger) -> Iterator[str]:
    """Two readers may take one value each [RFC 7519, section 4]."""
    claims = json.dumps(forger.claims)
    yield forger.signed('{"alg": "none", "alg": "HS256", "typ": "JWT"}', claims)
    tenant = json.dumps(forger.claims["tenant_id"])
    yield forger.signed(_header(), f'{{"tenant_id": "somebody", "tenant_id": {tenant}, {claims[1:]}')


def _own_key(forger: Forger) -> Iterator[str]:
    yield forger.elsewhere_signed(jwk=forger.other_key())
    yield forger.elsewhere_signed(jku=forger.elsewhere, kid="other")
    yield forger.elsewhere_signed(x5u=forger.elsewhere, kid="other")
    yield forger.elsewhere_signed(x5c=[base64.b64encode(forger.other_secret.encode()).decode()])


FORGERIES: Final[Mapping[str, Callable[[Forger], Iterator[str]]]] = MappingProxyType(
    {
        "other-secret": _other_secret,
        "unsigned": _unsigned,
        "changed": _changed,
        "other-algorithm": _other_algorithm,
        "expired": _expired,
        "not-yet": _not_yet,
        "repeated-member": _repeated_member,
        "own-key": _own_key,
    }
)
"""What is wrong with a token, and the tokens with which that is so."""


def forger_for(tenant: str, scope: str, secret: str, elsewhere: str) -> Forger:
    """Makes tokens for a caller of that tenant with these scopes."""
    now = time.time()
    claims = {
        "sub": "mig-conformance",
        "tenant_id": tenant,
        "scope": scope,
        "exp": int(now) + _HOUR_S,
    }
    return Forger(
        secret=secret, other_secret=secret[::-1] + "-other", claims=claims, now=now, elsewhere=elsewhere
    )


def _header(alg: str = "HS256", **members: Any) -> str:
    return json.dumps({"alg": alg, "typ": "JWT", **members})


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
