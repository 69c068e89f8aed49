"""Who may do what over HTTP in jwt mode (protocol section 8)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest

from support.http_requests import BODIES, REFERENCE, requests
from support.running_migd import LocalMigd, local_migd
from support.tokens import JWT_MODE, SECRET, bearer


@pytest.fixture
async def migd() -> AsyncIterator[LocalMigd]:
    async with local_migd(**JWT_MODE) as running:
        yield running


def routes(rights: str) -> list[tuple[str, str]]:
    return [(method, path) for _, method, path in requests(rights)]


@pytest.mark.parametrize(("method", "path"), routes("caller") + routes("admin"))
async def test_no_route_answers_without_a_token(migd: LocalMigd, method: str, path: str) -> None:
    answer = await migd.request(method, path, None if method == "GET" else BODIES.get(path, {}))

    assert (answer.status, answer.code) == (401, "MIG_UNAUTHORIZED")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), routes("admin"))
async def test_administration_needs_its_scope(migd: LocalMigd, method: str, path: str) -> None:
    body = None if method == "GET" else BODIES[path]
    answer = await migd.request(method, path, body, authorization=bearer("acme", "capability:infer"))
    allowed = await migd.request(method, path, body, authorization=bearer("acme", "mig:admin"))

    assert (answer.status, answer.code) == (403, "MIG_FORBIDDEN")
    assert answer.json["header"]["meta"]["idg.principal_subject"] == "alice"
    assert allowed.status in (200, 201, 404), allowed.raw


@pytest.mark.parametrize(("method", "path"), routes("public"))
async def test_public_routes_need_no_token(migd: LocalMigd, method: str, path: str) -> None:
    assert (await migd.request(method, path)).status == 200


@pytest.mark.parametrize(("method", "path"), routes("caller") + routes("admin"))
async def test_another_tenant_than_the_tokens_in_the_fields_is_403(
    migd: LocalMigd, method: str, path: str
) -> None:
    body = None if method == "GET" else BODIES.get(path)

    answer = await migd.request(
        method, path, body, authorization=bearer("acme", "capability:infer mig:admin"), x_tenant_id="globex"
    )

    assert (answer.status, answer.code) == (403, "MIG_FORBIDDEN")


@pytest.mark.parametrize("path", [path for method, path in routes("caller") if method == "POST"])
async def test_another_tenant_than_the_tokens_in_the_body_is_403(migd: LocalMigd, path: str) -> None:
    answer = await migd.post(
        path, {"header": {"tenant_id": "globex"}}, authorization=bearer("acme", "capability:infer")
    )

    assert (answer.status, answer.code) == (403, "MIG_FORBIDDEN")


BAD_TOKENS = {
    "none": None,
    "another scheme": "Basic YTpi",
    "no token": "Bearer",
    "not a token": "Bearer x.y.z",
    "another secret": bearer(secret="another secret, which is long enough too"),
    "expired": bearer(exp=int(time.time()) - 10),
    "not yet valid": bearer(nbf=int(time.time()) + 1000),
    "unsigned": "Bearer " + jwt.encode({"tenant_id": "acme"}, "", algorithm="none"),
    "another algorithm": "Bearer " + jwt.encode({"tenant_id": "acme"}, SECRET * 2, algorithm="HS512"),
}


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
async def test_a_bad_token_is_401(migd: LocalMigd, token: str | None) -> None:
    fields = {} if token is None else {"authorization": token}
    answer = await migd.post("/mig/v0.1/hello", {}, **fields)

    assert (answer.status, answer.code) == (401, "MIG_UNAUTHORIZED")
    assert answer.json["header"]["tenant_id"] == "unknown"


async def test_a_refusal_repeats_the_header_of_the_body(migd: LocalMigd) -> None:
    header = {"message_id": "m-1", "session_id": "s-1", "meta": {"mine": 1}}
    answer = await migd.post("/mig/v0.1/heartbeat", {"header": header})
    assert answer.status == 401
    repeated = answer.json["header"]
    assert (repeated["message_id"], repeated["session_id"]) == ("m-1", "s-1")
    assert repeated["meta"]["mine"] == 1
    assert repeated["tenant_id"] == "unknown"


async def test_a_token_without_a_tenant_is_403(migd: LocalMigd) -> None:
    answer = await migd.post("/mig/v0.1/hello", {}, authorization=bearer(None))

    assert (answer.status, answer.code) == (403, "MIG_FORBIDDEN")


async def test_the_tenant_is_the_tokens(migd: LocalMigd) -> None:
    for claims in ({"tenant": "acme"}, {"tenant": "acme", "tenant_id": None}):
        token = bearer(None, **claims)
        assert (await migd.post("/mig/v0.1/hello", {}, authorization=token)).json["header"][
            "tenant_id"
        ] == "acme"


@pytest.mark.parametrize("scopes", [{"scope": "a capability:infer"}, {"scopes": ["capability:infer"]}])
async def test_either_scope_claim_opens_a_capability(migd: LocalMigd, scopes: dict[str, Any]) -> None:
    body = {"payload": {"input": "hi"}}

    closed = await migd.post(f"/mig/v0.1/invoke/{REFERENCE}", body, authorization=bearer())
    opened = await migd.post(f"/mig/v0.1/invoke/{REFERENCE}", body, authorization=bearer(**scopes))

    assert (closed.status, closed.code) == (403, "MIG_FORBIDDEN")
    assert opened.status == 200
    assert "capability:infer" in opened.json["header"]["meta"]["idg.principal_scopes"]


async def test_the_tenant_field_can_be_made_compulsory_beside_the_token() -> None:
    async with local_migd(**JWT_MODE, MIGD_REQUIRE_TENANT_HEADER="true") as migd:
        without = await migd.post("/mig/v0.1/hello", {}, authorization=bearer())
        with_it = await migd.post("/mig/v0.1/hello", {}, authorization=bearer(), x_tenant_id="acme")

    assert (without.status, with_it.status) == (400, 200)
