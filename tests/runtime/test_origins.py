"""Which pages in a browser may call the gateway, as it answers what their browser sends."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from support.running_migd import Answer, LocalMigd, local_migd
from support.tokens import JWT_MODE, bearer

INVOKE = "/mig/v0.1/invoke/observatory.models.infer"
SUBSCRIBE = "/mig/v0.1/subscribe/a.b?consumer_id=worker"
BODY = b'{"header": {"tenant_id": "acme"}, "payload": {"input": "hi"}}'
APP = "https://app.example.com"
EVIL = "http://evil.example"


@pytest.fixture
async def migd() -> AsyncIterator[LocalMigd]:
    async with local_migd(MIGD_CORS_ORIGINS=f"{APP}, http://localhost:3000") as running:
        yield running


def forbidden(answer: Answer) -> str:
    assert (answer.status, answer.code) == (403, "MIG_FORBIDDEN"), answer.raw
    assert "access-control-allow-origin" not in answer.headers
    return str(answer.json["error"]["message"])


@pytest.mark.parametrize("mode", [{}, JWT_MODE])
@pytest.mark.parametrize("origin", [EVIL, "null", "https://app.example.com.evil.example", "", "http://"])
async def test_a_page_of_another_origin_can_call_nothing(mode: dict[str, str], origin: str) -> None:
    async with local_migd(MIGD_CORS_ORIGINS=APP, **mode) as migd:
        fields = {"origin": origin, "authorization": bearer(), "content-type": "text/plain"}
        # A "simple" request of the Fetch standard, for which a browser asks for no leave.
        assert "MIGD_CORS_ORIGINS" in forbidden(await migd.post(INVOKE, BODY, **fields))
        for path in ("/healthz", "/ui", "/nowhere", "/admin/v0.1/capabilities"):
            forbidden(await migd.get(path, **fields))
        assert (await migd.get("/cloud/v0.1/usage", authorization=bearer("acme", "mig:admin"))).json[
            "total_invocations"
        ] == 0


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_page_that_does_not_say_its_origin_can_move_no_consumer(migd: LocalMigd, site: str) -> None:
    """What an <img> or a link elsewhere does: a GET without Origin."""
    for mode in ("no-cors", "navigate"):
        fields = {"sec_fetch_site": site, "sec_fetch_mode": mode, "x_tenant_id": "acme"}
        forbidden(await migd.get(SUBSCRIBE, **fields))


async def test_a_link_from_anywhere_opens_a_page(migd: LocalMigd) -> None:
    for path in ("/ui", "/docs"):
        link = await migd.get(path, sec_fetch_site="cross-site", sec_fetch_mode="navigate")
        assert link.status == 200


async def test_programs_and_the_gateways_own_pages_are_served(migd: LocalMigd) -> None:
    host = migd.url.removeprefix("http://")
    for fields in (
        {},
        {"origin": migd.url, "sec_fetch_site": "same-origin"},
        {"origin": f"https://{host}"},
        {
            "origin": "https://gateway.example.com",
            "host": "gateway.localhost",
            "sec_fetch_site": "same-origin",
        },
        {"sec_fetch_site": "none"},
    ):
        answer = await migd.post(INVOKE, BODY, **fields)
        assert answer.status == 200, fields
        assert "access-control-allow-origin" not in answer.headers


async def test_a_listed_origin_may_call_and_read_answers_and_errors(migd: LocalMigd) -> None:
    for origin in (APP, "http://localhost:3000"):
        for path, status in ((INVOKE, 200), ("/mig/v0.1/invoke/no.such", 404), ("/nowhere", 404)):
            answer = await migd.post(path, BODY, origin=origin, sec_fetch_site="cross-site")
            assert answer.status == status
            assert answer.headers["access-control-allow-origin"] == origin
            assert answer.headers["vary"] == "origin"
            assert "access-control-allow-credentials" not in answer.headers
        async with migd.http.get(SUBSCRIBE, headers={"Origin": origin, "X-Tenant-ID": "acme"}) as stream:
            assert (stream.status, stream.headers["access-control-allow-origin"]) == (200, origin)


async def test_a_preflight_is_answered_for_listed_origins_only(migd: LocalMigd) -> None:
    asked = {
        "access_control_request_method": "POST",
        "access_control_request_headers": "authorization,content-type,x-tenant-id,idempotency-key",
        "access_control_request_private_network": "true",
    }
    answer = await migd.request("OPTIONS", INVOKE, origin=APP, **asked)

    assert (answer.status, answer.raw) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == APP
    assert "POST" in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert set(asked["access_control_request_headers"].split(",")) <= set(allowed)
    assert answer.headers["access-control-allow-private-network"] == "true"
    assert "access-control-allow-credentials" not in answer.headers
    forbidden(await migd.request("OPTIONS", INVOKE, origin=EVIL, **asked))
    assert (await migd.request("OPTIONS", INVOKE)).status == 405


@pytest.mark.parametrize("mode", [{}, JWT_MODE])
async def test_a_websocket_is_opened_for_own_and_listed_origins_only(mode: dict[str, str]) -> None:
    async with local_migd(MIGD_CORS_ORIGINS=APP, **mode) as migd:
        fields = {"X-Tenant-ID": "acme", "Authorization": bearer()}
        for origin in (APP, migd.url):
            async with migd.http.ws_connect("/mig/v0.1/stream", headers={**fields, "Origin": origin}):
                pass
        for foreign in ({"Origin": EVIL}, {"Origin": "null"}):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await migd.http.ws_connect("/mig/v0.1/stream", headers={**fields, **foreign})
            assert refused.value.status == 403


@pytest.mark.parametrize("path", ["/healthz", "/ui", "/docs", "/nowhere"])
async def test_in_open_mode_a_name_that_strangers_could_own_is_refused(path: str) -> None:
    """DNS rebinding: the page is of the origin http://evil.example, which points at this machine now."""
    async with local_migd() as migd:
        for host in ("evil.example", "evil.example:8080", "EVIL.example.:80", "127.0.0.1.evil.example"):
            assert "MIGD_ALLOWED_HOSTS" in forbidden(await migd.get(path, host=host, origin=f"http://{host}"))
        rebound = {"Host": "evil.example", "Origin": EVIL}
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await migd.http.ws_connect("/mig/v0.1/stream", headers=rebound)
        assert refused.value.status == 403


async def test_names_that_nobody_can_own_need_no_setting() -> None:
    async with local_migd() as migd:
        for host in (
            "127.0.0.1",
            "10.0.0.7:8080",
            "[::1]:8080",
            "localhost:80",
            "migd",
            "migd.svc.cluster.local",
        ):
            assert (await migd.get("/healthz", host=host)).status == 200, host


async def test_the_names_of_the_gateway_can_be_listed_and_are_not_asked_for_in_jwt_mode() -> None:
    async with local_migd(MIGD_ALLOWED_HOSTS="Gateway.example.com, other.example.com") as migd:
        assert (await migd.get("/healthz", host="gateway.EXAMPLE.com:8080")).status == 200
        forbidden(await migd.get("/healthz", host="third.example.com"))
    for free in ({"MIGD_ALLOWED_HOSTS": "*"}, JWT_MODE):
        async with local_migd(**free) as migd:
            assert (await migd.get("/healthz", host="third.example.com")).status == 200
    async with local_migd(MIGD_ALLOWED_HOSTS="gateway.example.com", **JWT_MODE) as migd:
        forbidden(await migd.get("/healthz", host="third.example.com"))
