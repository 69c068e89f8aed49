"""No forged token is taken, over any binding (MIG-AUT-002 to 007, 011, 012; RFC 8725)."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
import pytest

from support.any_binding import BINDINGS, asks, everywhere
from support.nats_gateway import NatsCaller, nats_client
from support.nats_servers import NatsServer
from support.signing_keys import SigningKey, ec_key, ed_key, key_set, rsa_key, segment
from support.tokens import SECRET, bearer

KEYS = (rsa_key(), ec_key(), ed_key())
STRANGER = "https://somebody.example"
NOW = int(time.time())


def of(key: SigningKey, **claims: Any) -> str:
    return key.token(**{"iss": "us", "aud": "gateway", **claims})


def with_header(**fields: Any) -> str:
    return rsa_key().token(header=fields, iss="us", aud="gateway")


def confused() -> str:
    """HS256, with the RSA public key as the secret: everybody has that."""
    head, body = segment(b'{"alg":"HS256","kid":"rsa-1"}'), segment(json.dumps(CLAIMS).encode())
    rule = jwt.PyJWS().get_algorithm_by_name("HS256")
    signature = rule.sign(f"{head}.{body}".encode(), rsa_key().public_pem)
    return f"{head}.{body}.{segment(signature)}"


CLAIMS = {"tenant_id": "acme", "iss": "us", "aud": "gateway"}
TEXT = json.dumps(CLAIMS)
OTHER = rsa_key("rsa-1-of-somebody-else")
FORGED = SigningKey("RS256", "rsa-1", OTHER.private)
GOOD = {
    "HS256": bearer("acme", "capability:infer", iss="us", aud="gateway")[7:],
    **{key.algorithm: of(key) for key in KEYS},
    "one of several audiences": of(rsa_key(), aud=["elsewhere", "gateway"]),
    "without a key id": SigningKey("ES256", None, ec_key().private).token(iss="us", aud="gateway"),
}
BAD = {
    "algorithm none": jwt.encode(CLAIMS, "", algorithm="none", headers={"kid": "rsa-1"}),
    "algorithm None": rsa_key().signed('{"alg":"None"}', TEXT),
    "no algorithm": rsa_key().signed('{"kid":"rsa-1"}', TEXT),
    "an algorithm that is no string": rsa_key().signed('{"alg":["RS256"],"kid":"rsa-1"}', TEXT),
    "an algorithm that nobody takes": jwt.encode(CLAIMS, SECRET * 2, algorithm="HS512"),
    "the public key as a secret": confused(),
    "the algorithm of another key": of(SigningKey("ES256", "rsa-1", ec_key().private)),
    "signed by somebody else": of(FORGED),
    "signed with another secret": bearer("acme", secret=SECRET[::-1], iss="us", aud="gateway")[7:],
    "no signature": GOOD["RS256"].rpartition(".")[0] + ".",
    "two parts": GOOD["RS256"].rpartition(".")[0],
    "four parts": GOOD["RS256"] + ".x",
    "other claims under the signature": ".".join(
        [GOOD["RS256"].split(".")[0], segment(TEXT.encode()), GOOD["RS256"].split(".")[2]]
    ),
    "expired": of(rsa_key(), exp=NOW - 1),
    "not yet valid": of(rsa_key(), nbf=NOW + 1000),
    "a time that is none": rsa_key().signed(
        '{"alg":"RS256","kid":"rsa-1"}', TEXT[:-1] + ',"exp":"tomorrow"}'
    ),
    "a time without an end": rsa_key().signed('{"alg":"RS256","kid":"rsa-1"}', TEXT[:-1] + ',"exp":NaN}'),
    "another issuer": of(rsa_key(), iss="them"),
    "no issuer": rsa_key().token(aud="gateway"),
    "another audience": of(rsa_key(), aud="elsewhere"),
    "no audience": rsa_key().token(iss="us"),
    "huge": of(rsa_key(), padding="x" * 8192),
    "a claim given twice": rsa_key().signed(
        '{"alg":"RS256","kid":"rsa-1"}', TEXT[:-1] + ',"tenant_id":"globex"}'
    ),
    "a header field given twice": rsa_key().signed('{"alg":"none","alg":"RS256","kid":"rsa-1"}', TEXT),
    "claims that are a list": rsa_key().signed('{"alg":"RS256","kid":"rsa-1"}', "[1]"),
    "claims as deep as they go": rsa_key().signed('{"alg":"RS256","kid":"rsa-1"}', "[" * 4000),
    "claims that are no UTF-8": rsa_key()
    .signed('{"alg":"RS256","kid":"rsa-1"}', "{}")
    .replace(segment(b"{}"), segment(b'{"\xff":1}')),
    "an extension that is critical": rsa_key().signed(
        '{"alg":"RS256","kid":"rsa-1","crit":["exp"],"exp":1}', TEXT
    ),
    "an unencoded payload": rsa_key().signed('{"alg":"RS256","kid":"rsa-1","b64":false}', TEXT),
    "a key id that is a path": with_header(kid="../../../../dev/null"),
    "a key id that is SQL": with_header(kid="rsa-1' OR '1'='1"),
    "a key id in another script": with_header(kid="rsа-1"),  # noqa: RUF001 - a Cyrillic letter
    "a key id that is long": with_header(kid="k" * 2000),
    "a key id that is no string": rsa_key().signed('{"alg":"RS256","kid":{"kid":"rsa-1"}}', TEXT),
    "a key in the token": with_header(kid="mine", jwk=OTHER.jwk),
    "a key in the token, in place of ours": FORGED.token(header={"jwk": OTHER.jwk}, iss="us", aud="gateway"),
    "the address of a key": FORGED.token(
        header={"jku": f"{STRANGER}/keys", "x5u": f"{STRANGER}/certificate"}, iss="us", aud="gateway"
    ),
    "padding": GOOD["HS256"] + "=",
}


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """jwt mode with a secret and a key set at once, which is where they could be confused."""
    file = tmp_path_factory.mktemp("keys") / "keys.json"
    file.write_bytes(key_set(KEYS))
    return {
        "MIGD_AUTH_MODE": "jwt",
        "MIGD_JWT_HS256_SECRET": SECRET,
        "MIGD_JWT_JWKS": str(file),
        "MIGD_JWT_ISSUER": "us",
        "MIGD_JWT_AUDIENCE": "gateway",
    }


@pytest.mark.parametrize("binding", BINDINGS)
async def test_good_tokens_are_taken_and_forged_ones_are_not(
    binding: str, nats_server: NatsServer, environ: dict[str, str]
) -> None:
    async with everywhere(nats_server, **environ) as (_, asked):
        good = {name: await asked[binding](token) for name, token in GOOD.items()}
        # "=" is no character of a subprotocol, so that a handshake with it does not even begin.
        bad = {
            name: token for name, token in BAD.items() if "subprotocol" not in binding or name != "padding"
        }
        refused = {name: await asked[binding](token) for name, token in bad.items()}

        assert good == dict.fromkeys(GOOD, "")
        expected = dict.fromkeys(bad, "MIG_UNAUTHORIZED")
        if binding in ("websocket", "websocket subprotocol"):
            # A handshake's field has a bound of its own, before anyone looks for a token in it.
            expected["huge"] = "MIG_INVALID_REQUEST"
        assert refused == expected
        assert await asked[binding](None) == "MIG_UNAUTHORIZED"
        # Once more, when they are remembered.
        assert {name: await asked[binding](token) for name, token in GOOD.items()} == good


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_token_of_one_tenant_is_forbidden_as_another_and_without_any(
    binding: str, nats_server: NatsServer, environ: dict[str, str]
) -> None:
    async with (
        everywhere(nats_server, **environ) as (migd, asked),
        nats_client(nats_server) as client,
    ):
        as_globex = asks(migd, NatsCaller(client), "globex")[binding]
        nobody = rsa_key().signed('{"alg":"RS256","kid":"rsa-1"}', '{"iss":"us","aud":"gateway"}')

        assert await as_globex(GOOD["RS256"]) == "MIG_FORBIDDEN"
        assert await as_globex(of(rsa_key(), tenant="globex")) == ""
        assert await asked[binding](nobody) == "MIG_FORBIDDEN"


async def test_no_token_is_taken_from_a_query(nats_server: NatsServer, environ: dict[str, str]) -> None:
    async with everywhere(nats_server, **environ) as (migd, _):
        for name in ("access_token", "token", "authorization"):
            answer = await migd.get(f"/mig/v0.1/subscribe/a.b?{name}={GOOD['RS256']}")

            assert (answer.status, answer.code) == (401, "MIG_UNAUTHORIZED")
