"""Several issuers, each for its own tenants; secrets that are replaced; clocks that disagree."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.auth_config import AuthConfig, IssuerConfig
from migd.config import ConfigError, load_settings
from migd.core.auth import TokenAuthenticator
from migd.core.issuers import Issuer, Issuers
from migd.core.verification import HS256, Secrets
from support.manual_clock import EPOCH, ManualClock
from support.running_migd import LocalMigd, guarded_migd, local_migd
from support.signing_keys import SigningKey, ec_key, key_set, rsa_key
from support.tokens import JWT_MODE, SECRET, bearer

NEW = "another secret of the tests, which is long enough"
DISCOVER = "/mig/v0.1/discover"
USAGE = "/cloud/v0.1/usage"


@asynccontextmanager
async def two_issuers(folder: Path, **settings: str) -> AsyncIterator[LocalMigd]:
    """`one` speaks for acme and globex, `two` for initech only, whatever its tokens say."""
    for key in (rsa_key(), ec_key()):
        (folder / f"{key.kid}.json").write_bytes(key_set([key]))
    one = IssuerConfig(
        where="one",
        issuer="https://one.example",
        jwks=str(folder / "rsa-1.json"),
        tenants=frozenset({"acme", "globex"}),
        tenant_claim="org",
    )
    two = IssuerConfig(
        where="two",
        issuer="https://two.example",
        jwks=str(folder / "ec-1.json"),
        audiences=frozenset({"gateway"}),
        tenant="initech",
        admin=True,
    )
    environ = {"MIGD_AUTH_MODE": "jwt", "MIGD_CONFIG": "unread", **settings}
    async with guarded_migd(environ, auth=AuthConfig(issuers=(one, two))) as migd:
        yield migd


async def seen(migd: LocalMigd, key: SigningKey, path: str = DISCOVER, **claims: Any) -> str:
    """The tenant that a token speaks for, or the code of its refusal."""
    token = f"Bearer {key.token(**{'tenant_id': None, **claims})}"
    answer = await (migd.get if path == USAGE else migd.post)(path, authorization=token)
    if answer.status != 200:
        return answer.code
    return str(answer.json.get("header", {}).get("tenant_id", "ok"))


async def test_an_issuer_speaks_for_its_own_tenants_only(tmp_path: Path) -> None:
    one, two = {"iss": "https://one.example"}, {"iss": "https://two.example", "aud": "gateway"}
    async with two_issuers(tmp_path) as migd:
        assert await seen(migd, rsa_key(), **one, org="acme") == "acme"
        assert await seen(migd, rsa_key(), **one, org="globex") == "globex"
        assert await seen(migd, rsa_key(), **one, org="initech") == "MIG_FORBIDDEN"
        assert await seen(migd, rsa_key(), **one, tenant_id="acme") == "MIG_FORBIDDEN"
        assert await seen(migd, ec_key(), **two) == "initech"
        assert await seen(migd, ec_key(), **two, tenant_id="acme") == "MIG_FORBIDDEN"


async def test_the_keys_of_one_issuer_do_not_sign_for_another(tmp_path: Path) -> None:
    async with two_issuers(tmp_path) as migd:
        assert await seen(migd, ec_key(), iss="https://one.example", org="acme") == "MIG_UNAUTHORIZED"
        assert await seen(migd, rsa_key(), iss="https://two.example", aud="gateway") == "MIG_UNAUTHORIZED"
        assert await seen(migd, rsa_key(), iss="https://three.example", org="acme") == "MIG_UNAUTHORIZED"
        listed = rsa_key().signed('{"alg":"RS256"}', '{"iss":["https://one.example"],"org":"acme"}')
        assert (await migd.post(DISCOVER, authorization=f"Bearer {listed}")).status == 401


async def test_an_issuer_makes_administrators_only_where_it_is_said(tmp_path: Path) -> None:
    one, two = {"iss": "https://one.example", "org": "acme"}, {"iss": "https://two.example", "aud": "gateway"}
    async with two_issuers(tmp_path) as migd:
        assert await seen(migd, rsa_key(), USAGE, **one, scope="mig:admin") == "MIG_FORBIDDEN"
        assert await seen(migd, rsa_key(), USAGE, **one, scopes=["mig:admin"]) == "MIG_FORBIDDEN"
        assert await seen(migd, ec_key(), USAGE, **two, scope="mig:admin") == "ok"


async def test_an_issuer_is_in_the_settings_or_in_the_file_and_not_in_both(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"MIGD_JWT_ISSUER='https://one.example' is in two, too|in one, too"
    ):
        async with two_issuers(tmp_path, MIGD_JWT_HS256_SECRET=SECRET, MIGD_JWT_ISSUER="https://one.example"):
            pass


async def test_two_secrets_are_valid_at_once_while_one_replaces_the_other() -> None:
    rotating = {**JWT_MODE, "MIGD_JWT_HS256_SECRET": NEW, "MIGD_JWT_HS256_SECRET_PREVIOUS": SECRET}
    async with local_migd(**rotating) as migd:
        for secret, status in ((NEW, 200), (SECRET, 200), (NEW[::-1], 401)):
            assert (await migd.post(DISCOVER, authorization=bearer(secret=secret))).status == status


async def test_only_the_algorithms_of_the_configuration_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(key_set([rsa_key(), ec_key()]))
    environ = {**JWT_MODE, "MIGD_JWT_JWKS": str(file), "MIGD_JWT_ALGORITHMS": "ES256, HS256"}
    async with local_migd(**environ) as migd:
        assert await seen(migd, ec_key(), tenant_id="acme") == "acme"
        assert await seen(migd, rsa_key(), tenant_id="acme") == "MIG_UNAUTHORIZED"


async def test_the_leeway_is_for_clocks_that_disagree() -> None:
    now = int(time.time())
    async with local_migd(**JWT_MODE, MIGD_JWT_LEEWAY_S="60") as migd:
        cases: tuple[tuple[dict[str, Any], int], ...] = (
            ({"exp": now - 30}, 200),
            ({"nbf": now + 30}, 200),
            ({"exp": now - 90}, 401),
            ({"nbf": now + 90}, 401),
        )
        for claims, status in cases:
            assert (await migd.post(DISCOVER, authorization=bearer(**claims))).status == status


def by_secret(clock: ManualClock, *secrets: str) -> TokenAuthenticator:
    issuer = Issuer(keys=Secrets(secrets), algorithms=frozenset({HS256}))
    return TokenAuthenticator(Issuers((issuer,)), clock)


def test_a_token_that_is_remembered_expires_all_the_same() -> None:
    clock = ManualClock()
    authenticator = by_secret(clock, SECRET)
    token = bearer(exp=int((EPOCH + timedelta(seconds=60)).timestamp()))

    assert authenticator.authenticate(token) is authenticator.authenticate(token)
    clock.advance(60)
    with pytest.raises(MigFault, match="expired"):
        authenticator.authenticate(token)


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_nothing_that_anybody_sends_comes_out_as_anything_but_a_refusal(text: str) -> None:
    authenticator = by_secret(ManualClock(), SECRET)
    for authorization in (text, f"Bearer {text}", f"{bearer()}.{text}"):
        with pytest.raises(MigFault) as refused:
            authenticator.authenticate(authorization)
        assert refused.value.code is MigErrorCode.MIG_UNAUTHORIZED
        assert SECRET not in refused.value.message


def test_a_public_key_is_no_secret() -> None:
    with pytest.raises(ValueError, match="not one for HS256"):
        Secrets([rsa_key().public_pem.decode()])


async def test_no_secret_and_no_token_is_told_anywhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    good, bad = bearer(), bearer(secret=NEW)
    rotating = {**JWT_MODE, "MIGD_JWT_HS256_SECRET_PREVIOUS": "an older secret, which nobody may see either"}
    async with local_migd(**rotating, MIGD_AUDIT_LOG_PATH=str(tmp_path / "audit.jsonl")) as migd:
        answers = [
            await migd.post(DISCOVER, authorization=each) for each in (good, bad, f"{good}x", "Bearer x")
        ]
        answers += [await migd.get(path) for path in ("/metrics", "/readyz", "/ui")]
    shown = [answer.raw.decode() for answer in answers]
    shown += [record.getMessage() for record in caplog.records]
    shown += [(tmp_path / "audit.jsonl").read_text(), repr(load_settings(rotating))]
    for secret in (*rotating.values(), good[7:], bad[7:]):
        if secret != "jwt":
            assert not [text for text in shown if secret in text]
