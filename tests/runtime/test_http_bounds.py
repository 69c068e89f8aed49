"""The bounds of the HTTP listener, each broken through a socket."""

from __future__ import annotations

import gzip
import json

import aiohttp
import pytest

from mig_protocol.messages import ConnectionQuery
from support.gateway_under_test import Scripted, capability
from support.raw_http import RawConnection, connect
from support.running_migd import local_migd
from support.until import until

HELLO = b"POST /mig/v0.1/hello HTTP/1.1\r\nHost: x\r\nX-Tenant-ID: acme\r\n"
INVOKE = "/mig/v0.1/invoke/observatory.models.infer"
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


async def refusal(raw: RawConnection) -> tuple[int, str, str]:
    status, body = await raw.answer()
    error = json.loads(body)["error"]
    return status, error["code"], error["message"]


@pytest.mark.parametrize(
    ("setting", "request_", "message"),
    [
        (
            {"MIGD_MAX_HEAD_BYTES": "2048"},
            GET + b"X-Padding: " + b"x" * 2048 + b"\r\n\r\n",
            "the head of the request is larger than 2048 bytes",
        ),
        (
            {"MIGD_MAX_HEADER_FIELDS": "10"},
            GET + b"".join(b"X-%d: y\r\n" % n for n in range(10)) + b"\r\n",
            "the request has more than 10 header fields",
        ),
        (
            {"MIGD_MAX_URL_BYTES": "1024"},
            b"GET /healthz?" + b"x" * 1024 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            "the URL is longer than 1024 bytes",
        ),
    ],
)
async def test_a_head_beyond_its_bounds_is_refused_though_it_comes_in_one_piece(
    setting: dict[str, str], request_: bytes, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    provider = Scripted()
    async with local_migd(capability(provider), **setting) as migd:
        for before in (b"", GET + b"\r\n"):
            raw = await connect(migd.url)
            if before:
                raw.send(before)
                await raw.reader.readuntil(b"[]}")
            raw.send(request_)
            assert await refusal(raw) == (413, "MIG_INVALID_REQUEST", message)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_large_body_in_the_same_piece_is_no_part_of_the_head() -> None:
    async with local_migd(MIGD_MAX_HEAD_BYTES="1024") as migd:
        answer = await migd.post("/mig/v0.1/hello", b'{"x": "%s"}' % (b"y" * 20_000), x_tenant_id="acme")
        assert answer.status == 200


@pytest.mark.parametrize("line", [b"X-%d: y\r\n", b"%d"])
async def test_trailers_without_end_are_refused(line: bytes) -> None:
    """Header fields may follow a chunked body (RFC 9112, 7.1.2): many of them, or one."""
    async with local_migd(MIGD_MAX_HEAD_BYTES="2048") as migd:
        raw = await connect(migd.url)
        raw.send(HELLO + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-First: ")
        await migd.get("/healthz")
        for number in range(1000):
            raw.send(line % number)
        assert (await refusal(raw))[0] == 413


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "GZIP, gzip"])
async def test_an_encoded_body_is_refused_and_not_inflated(encoding: str) -> None:
    async with local_migd() as migd:
        body = gzip.compress(b"0" * 10_000)
        answer = await migd.post("/mig/v0.1/hello", body, x_tenant_id="acme", content_encoding=encoding)
        assert (answer.status, answer.code) == (400, "MIG_INVALID_REQUEST")
        assert "Content-Encoding" in answer.json["error"]["message"]
        plain = await migd.post("/mig/v0.1/hello", x_tenant_id="acme", content_encoding="identity")
        assert plain.status == 200


async def test_a_websocket_never_inflates_frames() -> None:
    async with (
        local_migd() as migd,
        migd.http.ws_connect("/mig/v0.1/stream", compress=15, headers={"X-Tenant-ID": "acme"}) as socket,
    ):
        assert not socket.compress


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("MIGD_MAX_SOCKETS", (503, "MIG_BACKPRESSURE", "the gateway")),
        (
            "MIGD_MAX_SOCKETS_PER_ADDRESS",
            (429, "MIG_RATE_LIMITED", "this address"),
        ),
    ],
)
async def test_connections_beyond_their_bound_are_told_so_and_closed(
    setting: str, expected: tuple[int, str, str]
) -> None:
    async with local_migd(**{setting: "2"}) as migd:
        stream = await migd.http.ws_connect("/mig/v0.1/stream", headers={"X-Tenant-ID": "acme"})
        idle = await connect(migd.url)
        idle.send(GET + b"\r\n")
        await idle.reader.readuntil(b"[]}")
        status, code, whose = expected
        message = f"{whose} has its limit of 2 connections"
        assert await refusal(await connect(migd.url)) == (status, code, message)
        await stream.close()
        await until(lambda: len(migd.edge.server_state.connections) == 1)
        assert (await migd.get("/healthz")).status == 200
        idle.abort()


async def test_an_idle_connection_is_closed_after_its_time() -> None:
    async with local_migd(MIGD_IDLE_TIMEOUT_S="0.1") as migd:
        for sent in (b"", GET + b"\r\n"):
            raw = await connect(migd.url)
            raw.send(sent)
            assert (await raw.reader.read()).count(b"HTTP/1.1 200") == bool(sent)
            raw.abort()


async def test_a_client_that_takes_nothing_of_its_answer_is_cut_off() -> None:
    provider = Scripted()
    provider.answer = {"text": "x" * 8_000_000}
    body = b'{"header":{"tenant_id":"acme"}}'
    async with local_migd(capability(provider), MIGD_WRITE_TIMEOUT_S="0.1") as migd:
        raw = await connect(migd.url, receive_buffer=4096)
        raw.send(
            b"POST /mig/v0.1/invoke/test.scripted HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b"
            % (len(body), body)
        )
        await until(lambda: provider.seen)
        await until(lambda: not migd.edge.server_state.connections)
        raw.abort()


async def test_a_websocket_whose_client_does_not_answer_pings_is_closed() -> None:
    async with local_migd(MIGD_WEBSOCKET_PING_S="0.1") as migd:
        socket = await migd.http.ws_connect(
            "/mig/v0.1/stream", headers={"X-Tenant-ID": "acme"}, autoping=False
        )
        assert (await socket.receive()).type is aiohttp.WSMsgType.PING
        assert (await socket.receive()).type in (aiohttp.WSMsgType.PING, aiohttp.WSMsgType.CLOSE)
        await until(lambda: migd.gateway.list_connections(ConnectionQuery()).summary.total == 0)
        await socket.close()


async def test_every_answer_forbids_to_sniff_its_type() -> None:
    async with local_migd() as migd:
        for path in ("/healthz", "/nowhere", "/ui", "/mig/v0.1/hello"):
            fields = list((await migd.get(path)).headers.items())
            assert fields.count(("X-Content-Type-Options", "nosniff")) == 1
        raw = await connect(migd.url)
        raw.send(b"no HTTP\r\n\r\n")
        assert b"x-content-type-options: nosniff" in await raw.reader.read()
        raw.abort()


async def test_json_that_nests_deeper_than_its_bound_is_refused_over_http_and_websocket() -> None:
    deep = '{"a":' * 100_000
    whole = deep + "{}" + "}" * 100_000
    async with (
        local_migd() as migd,
        migd.http.ws_connect("/mig/v0.1/stream", headers={"X-Tenant-ID": "acme"}) as socket,
    ):
        for payload in (deep, whole, "[" * 100_000, whole.replace(":{", ":[{").replace("}", "}]")):
            body = f'{{"payload":{payload}}}'
            answer = await migd.post(INVOKE, body.encode(), x_tenant_id="acme")
            assert (answer.status, answer.code) == (400, "MIG_INVALID_REQUEST")
            await socket.send_str(body)
            assert (await socket.receive_json())["error"]["code"] == "MIG_INVALID_REQUEST"
        answer = await migd.post(INVOKE, f'{{"payload":{whole}}}'.encode(), x_tenant_id="acme")
        assert "deeper than 128 levels" in answer.json["error"]["message"]
