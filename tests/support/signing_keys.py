"""Key pairs of token issuers, their JWK Sets, and tokens of any shape, the forged ones included."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

_RULES: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}


class SigningKey:
    """A private key, and the public one as whoever reads the set gets it."""

    def __init__(self, algorithm: str, kid: str | None, private: Any) -> None:
        self.algorithm = algorithm
        self.kid = kid
        self.private = private

    @property
    def jwk(self) -> dict[str, Any]:
        public = _RULES[self.algorithm].to_jwk(self.private.public_key(), as_dict=True)
        return {**public, "use": "sig", **({} if self.kid is None else {"kid": self.kid})}

    @property
    def private_jwk(self) -> dict[str, Any]:
        private = _RULES[self.algorithm].to_jwk(self.private, as_dict=True)
        return {**private, "kid": self.kid, "key_ops": ["sign", "verify"]}

    @property
    def public_pem(self) -> bytes:
        return bytes(
            self.private.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )

    def token(self, tenant: str = "acme", header: dict[str, Any] | None = None, **claims: Any) -> str:
        fields = {**({} if self.kid is None else {"kid": self.kid}), **(header or {})}
        given = {"sub": "alice", "tenant_id": tenant, "scope": "capability:infer", **claims}
        return jwt.encode(given, self.private, algorithm=self.algorithm, headers=fields)

    def signed(self, header: str, claims: str) -> str:
        """These texts, as they are, under a good signature."""
        signing = f"{segment(header.encode())}.{segment(claims.encode())}"
        rule = jwt.PyJWS().get_algorithm_by_name(self.algorithm)
        return f"{signing}.{segment(rule.sign(signing.encode(), self.private))}"


@lru_cache
def rsa_key(kid: str | None = "rsa-1", bits: int = 2048) -> SigningKey:
    return SigningKey("RS256", kid, rsa.generate_private_key(public_exponent=65537, key_size=bits))


@lru_cache
def ec_key(kid: str | None = "ec-1") -> SigningKey:
    return SigningKey("ES256", kid, ec.generate_private_key(ec.SECP256R1()))


@lru_cache
def ed_key(kid: str | None = "ed-1") -> SigningKey:
    return SigningKey("EdDSA", kid, ed25519.Ed25519PrivateKey.generate())


def key_set(keys: Iterable[SigningKey], *others: dict[str, Any]) -> bytes:
    """A JWK Set with these keys, and with entries as they are."""
    return json.dumps({"keys": [*(key.jwk for key in keys), *others]}).encode()


def segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
