"""Forged tokens of the conformance suite: each is wrong in what it is there for, and in nothing else."""

from __future__ import annotations

import jwt
import pytest

from mig_conformance.subject.forgeries import FORGERIES, Forger, forger_for
from support.tokens import SECRET


@pytest.fixture
def forger() -> Forger:
    return forger_for("acme", "capability:infer", SECRET, "http://127.0.0.1:1/jwks.json")


def test_the_token_that_they_are_made_from_is_right(forger: Forger) -> None:
    assert jwt.decode(forger.token(), SECRET, algorithms=["HS256"]) == forger.claims


@pytest.mark.parametrize("kind", FORGERIES)
def test_whoever_checks_nothing_believes_every_forgery(forger: Forger, kind: str) -> None:
    tokens = list(FORGERIES[kind](forger))
    read = [jwt.decode(token, options={"verify_signature": False}) for token in tokens]
    assert {(claims["tenant_id"], claims["sub"]) for claims in read} == {("acme", "mig-conformance")}


@pytest.mark.parametrize("kind", ["other-secret", "unsigned", "changed", "expired", "not-yet", "own-key"])
def test_whoever_checks_the_signature_and_the_times_believes_none_of_these(forger: Forger, kind: str) -> None:
    for token in FORGERIES[kind](forger):
        with pytest.raises(jwt.InvalidTokenError):
            jwt.decode(token, SECRET, algorithms=["HS256"])


@pytest.mark.parametrize("kind", ["other-algorithm", "repeated-member"])
def test_the_signature_of_the_others_is_right(forger: Forger, kind: str) -> None:
    for token in FORGERIES[kind](forger):
        assert jwt.decode(token, SECRET, algorithms=["HS256", "HS384", "HS512"])
