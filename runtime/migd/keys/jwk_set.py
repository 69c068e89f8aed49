"""A JWK Set as verification keys (RFC 7517, section 5).

A key that does not fit is passed over, as section 5 wants it: new kinds of keys must not lock anyone out. The
kind of a key decides its one algorithm.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import PyJWTError

from migd.core.verification import VerificationKey

MAX_BYTES = 262_144
_MAX_KEYS = 100
_MAX_KID = 256
_LEAST_RSA_BITS = 2048  # RFC 7518, section 3.3
_log = logging.getLogger("migd.keys")


class KeySetError(Exception):
    """No keys can be had there. Its text is the end of a line that began with where."""


def read_key_set(data: bytes) -> tuple[VerificationKey, ...]:
    """The keys that signatures can be checked with, at least one. Raises KeySetError."""
    if len(data) > MAX_BYTES:
        raise KeySetError(f"has more than {MAX_BYTES} bytes")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise KeySetError("is not JSON") from None
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise KeySetError('is not a JWK Set: an object with a list of "keys"')
    if len(listed) > _MAX_KEYS:
        raise KeySetError(f"has more than {_MAX_KEYS} keys")
    usable = tuple(key for entry in listed if (key := _key(entry)) is not None)
    if not usable:
        raise KeySetError("has no key for RS256 (2048 bits or more), ES256 or EdDSA (Ed25519) signatures")
    return usable


def _key(entry: Any) -> VerificationKey | None:
    if not isinstance(entry, dict) or not _is_for_verifying(entry):
        return None
    kid = entry.get("kid")
    if kid is not None and not (isinstance(kid, str) and len(kid) <= _MAX_KID):
        return None
    if "d" in entry:
        # Whoever can read the set can sign with it.
        _log.warning("a key set holds a private key; it is not used")
        return None
    try:
        algorithm, key = _public_key(entry)
        if algorithm is None or entry.get("alg", algorithm) != algorithm:
            return None
        return VerificationKey(algorithm, key, kid)
    except (PyJWTError, ValueError, TypeError, KeyError):
        return None


def _is_for_verifying(entry: Mapping[str, Any]) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return entry.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _public_key(entry: dict[str, Any]) -> tuple[str | None, Any]:
    match entry:
        case {"kty": "RSA"}:
            key: Any = RSAAlgorithm.from_jwk(entry)
            return ("RS256" if key.key_size >= _LEAST_RSA_BITS else None), key
        case {"kty": "EC", "crv": "P-256"}:
            return "ES256", ECAlgorithm.from_jwk(entry)
        case {"kty": "OKP", "crv": "Ed25519"}:
            return "EdDSA", OKPAlgorithm.from_jwk(entry)
    return None, None
