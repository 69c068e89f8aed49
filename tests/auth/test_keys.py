"""Public keys that change while tokens are checked with them: files, servers, rotation, outages."""

from __future__ import annotations

from pathlib import Path

import pytest

from migd.config import ConfigError, load_settings
from support.key_server import key_server
from support.running_migd import LocalMigd, local_migd
from support.signing_keys import SigningKey, ec_key, ed_key, key_set, rsa_key
from support.until import until

DISCOVER = "/mig/v0.1/discover"


async def answer(migd: LocalMigd, key: SigningKey) -> int:
    return (await migd.post(DISCOVER, authorization=f"Bearer {key.token()}")).status


def trusting(location: str, **environ: str) -> dict[str, str]:
    return {"MIGD_AUTH_MODE": "jwt", "MIGD_JWT_JWKS": location, **environ}


async def test_a_new_key_is_known_soon_after_the_first_token_that_names_it() -> None:
    async with key_server() as keys, local_migd(**trusting(keys.url, MIGD_JWT_JWKS_RETRY_S="0.1")) as migd:
        assert await answer(migd, rsa_key()) == 200
        keys.body = key_set([ec_key(), ed_key()])
        statuses = [await answer(migd, ec_key())]
        while statuses[-1] != 200:
            statuses.append(await answer(migd, ec_key()))

        assert set(statuses[:-1]) == {401}
        assert await answer(migd, ed_key()) == 200
        # And the key that is gone is gone, for tokens that were found good before, too.
        assert await answer(migd, rsa_key()) == 401


async def test_invented_key_ids_do_not_make_the_gateway_ask_more_often() -> None:
    async with key_server() as keys, local_migd(**trusting(keys.url, MIGD_JWT_JWKS_RETRY_S="3600")) as migd:
        for number in range(200):
            assert await answer(migd, SigningKey("RS256", f"invented-{number}", rsa_key().private)) == 401

        assert keys.asked == 1
        await migd.reload.run()
        await until(lambda: keys.asked == 2)


async def test_keys_outlive_their_server_for_a_while_and_no_longer() -> None:
    bounds = {"MIGD_JWT_JWKS_RETRY_S": "0.1", "MIGD_JWT_JWKS_STALE_S": "1"}
    async with key_server() as keys, local_migd(**trusting(keys.url, **bounds)) as migd:
        keys.status = 503
        await migd.reload.run()
        await until(lambda: keys.asked > 1)

        assert await answer(migd, rsa_key()) == 200
        assert (await migd.get("/readyz")).status == 200
        await until(lambda: migd.gateway.readiness().reasons)
        assert await answer(migd, rsa_key()) == 503
        assert keys.url in (await migd.get("/readyz")).json["reasons"][0]
        keys.status = 200
        await until(lambda: not migd.gateway.readiness().reasons)
        assert await answer(migd, rsa_key()) == 200


@pytest.mark.parametrize(
    ("status", "body", "headers", "reason"),
    [
        (302, b"", {"Location": "/keys"}, "was answered with status 302"),
        (200, b"{", {}, "is not JSON"),
        (200, b'{"keys":{}}', {}, "is not a JWK Set"),
        (200, b" " * 300_000, {}, "has more than 262144 bytes"),
        (200, key_set([rsa_key()] * 101), {}, "has more than 100 keys"),
    ],
)
async def test_a_server_without_a_usable_answer_is_a_reason_not_to_be_ready(
    status: int, body: bytes, headers: dict[str, str], reason: str
) -> None:
    async with key_server() as keys:
        keys.status, keys.body, keys.headers = status, body, headers
        async with local_migd(**trusting(keys.url)) as migd:
            assert reason in (await migd.get("/readyz")).json["reasons"][0]
            assert await answer(migd, rsa_key()) == 503
            assert keys.asked == 1


async def test_what_is_no_key_for_signatures_is_passed_over(tmp_path: Path) -> None:
    other = {**rsa_key("encrypting").jwk, "use": "enc"}
    another = {**rsa_key("another algorithm").jwk, "alg": "RS512"}
    unusable = [other, another, rsa_key("private").private_jwk, rsa_key("short", 1024).jwk]
    unusable += [
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
        {"kty": "new"},
        {**ec_key("number").jwk, "kid": 5},
    ]
    file = tmp_path / "keys.json"
    file.write_bytes(key_set([ed_key()], *unusable))
    async with local_migd(**trusting(str(file))) as migd:
        for kid in ("encrypting", "another algorithm", "private"):
            assert await answer(migd, rsa_key(kid)) == 401
        assert await answer(migd, rsa_key("short", 1024)) == 401
        assert await answer(migd, ec_key("number")) == 401
        assert await answer(migd, ed_key()) == 200


async def test_a_file_is_read_again_on_a_hangup_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(key_set([rsa_key()]))
    async with local_migd(**trusting(str(file))) as migd:
        file.write_bytes(b"half of a fi")
        await migd.reload.run()
        assert await answer(migd, rsa_key()) == 200
        file.write_bytes(key_set([ec_key()]))
        await migd.reload.run()
        while await answer(migd, ec_key()) != 200:
            pass
        assert await answer(migd, rsa_key()) == 401


async def test_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no keys to check tokens with: .*nowhere can not be read"):
        async with local_migd(**trusting(str(tmp_path / "nowhere"))):
            pass


@pytest.mark.parametrize("url", ["http://example.com/keys", "ftp://localhost/keys", "https://u:p@host/keys"])
def test_keys_are_not_fetched_where_they_could_be_changed_on_the_way(url: str) -> None:
    with pytest.raises(ConfigError, match=r"MIGD_JWT_JWKS=.* its https:// URL"):
        load_settings(trusting(url))
