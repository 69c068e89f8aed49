"""The keys that signatures are checked with, and where the core gets them from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import jwt

HS256 = "HS256"
ASYMMETRIC = ("RS256", "ES256", "EdDSA")
ALGORITHMS = (HS256, *ASYMMETRIC)

_jws = jwt.PyJWS(algorithms=list(ALGORITHMS))


class VerificationKey:
    """One key with the one algorithm that it is for (RFC 8725, section 3.1). It does not show itself.

    `key` is a secret's bytes for HS256, else a public key of `cryptography` of the algorithm's kind. Raises
    ValueError for a key that does not fit the algorithm, such as a public key in place of a secret.
    """

    __slots__ = ("_key", "_rule", "algorithm", "kid")

    def __init__(self, algorithm: str, key: Any, kid: str | None = None) -> None:
        self.algorithm = algorithm
        self.kid = kid
        self._rule = _jws.get_algorithm_by_name(algorithm)
        try:
            self._key = self._rule.prepare_key(key)
        except (jwt.PyJWTError, TypeError) as error:
            raise ValueError(f"the key is not one for {algorithm}") from error

    def verifies(self, signed: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's; compared in constant time where it is a secret's."""
        return bool(self._rule.verify(signed, self._key, signature))


class KeySource(Protocol):
    """Keys that can change while tokens are checked with them."""

    @property
    def version(self) -> int:
        """Another number whenever the keys are others than before."""

    def candidates(self, algorithm: str, kid: str | None) -> Sequence[VerificationKey]:
        """The keys that a token of this claimed algorithm and key id may be signed with; few."""

    def missed(self) -> None:
        """A token named a key that is not here: perhaps there are new ones. Never waits."""

    def obstacle(self) -> str | None:
        """Why no token can be checked now; None while there are keys."""


class Secrets:
    """Shared secrets, all valid at once: that is how one is replaced. A token's key id does not matter."""

    version = 0

    def __init__(self, secrets: Iterable[str]) -> None:
        self._keys = tuple(VerificationKey(HS256, secret) for secret in secrets)

    def candidates(self, algorithm: str, kid: str | None) -> Sequence[VerificationKey]:  # noqa: ARG002
        return self._keys if algorithm == HS256 else ()

    def missed(self) -> None:
        """There are no others."""

    def obstacle(self) -> str | None:
        return None


class Either:
    """The keys of several sources together."""

    def __init__(self, sources: Sequence[KeySource]) -> None:
        self._sources = sources

    @property
    def version(self) -> int:
        return sum(source.version for source in self._sources)

    def candidates(self, algorithm: str, kid: str | None) -> Sequence[VerificationKey]:
        return [key for source in self._sources for key in source.candidates(algorithm, kid)]

    def missed(self) -> None:
        for source in self._sources:
            source.missed()

    def obstacle(self) -> str | None:
        obstacles = [source.obstacle() for source in self._sources]
        return obstacles[0] if obstacles and all(obstacles) else None
