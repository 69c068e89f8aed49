"""What a token says, before any of it is believed: a JWS in its compact form (RFC 7515, section 7.1).

Stricter than the RFC where two readers could differ about one token: a name given twice, a non-canonical
encoding, an extension that must be understood. Fields that bring or name a key of their own (jwk, jku, x5c,
x5u) are never looked at.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

MAX_TOKEN = 8192
_MAX_KID = 256
_SEGMENTS = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


class MalformedTokenError(Exception):
    """It is no token that anyone could check. Why is not said: whoever made it up learns nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jws:
    """`algorithm` and `kid` are what the token claims about itself: good for finding a key, and no more.

    `claims` are worth something once `signature` is found to be that of `signed`.
    """

    algorithm: str
    kid: str | None
    claims: Mapping[str, Any] = field(repr=False)
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def read_jws(token: bytes) -> Jws:
    """Raises MalformedTokenError."""
    match = _SEGMENTS.fullmatch(token)
    if match is None or len(token) > MAX_TOKEN:
        raise MalformedTokenError
    header = _object(_decoded(match[1]))
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or "crit" in header or "b64" in header:
        # Nothing that a header can make critical is understood here (RFC 7515, 4.1.11; RFC 7797).
        raise MalformedTokenError
    if kid is not None and not (isinstance(kid, str) and len(kid) <= _MAX_KID):
        raise MalformedTokenError
    return Jws(
        algorithm=algorithm,
        kid=kid,
        claims=_object(_decoded(match[2])),
        signed=token[: match.end(2)],
        signature=_decoded(match[3]),
    )


def _decoded(segment: bytes) -> bytes:
    try:
        data = base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))
    except ValueError:
        raise MalformedTokenError from None
    if base64.urlsafe_b64encode(data).rstrip(b"=") != segment:
        raise MalformedTokenError
    return data


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(data.decode(), object_pairs_hook=_distinct, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise MalformedTokenError from None
    if not isinstance(value, dict):
        raise MalformedTokenError
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        # The issuer may have meant the one and the gateway would read the other (RFC 7519, section 4).
        raise MalformedTokenError
    return found


def _no_constant(_: str) -> NoReturn:
    """NaN and Infinity are not JSON, and compare with no time."""
    raise MalformedTokenError
