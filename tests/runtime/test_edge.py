"""What arrives on the port and is not yet, or never becomes, a request."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable

import pytest

from support.gateway_under_test import Scripted, capability
from support.raw_http import connect
from support.running_migd import LocalMigd, local_migd
from support.sse import subscribed

MAX_HEAD_BYTES = 65_536


@pytest.fixture
async def migd() -> AsyncIterator[LocalMigd]:
    async with local_migd() as running:
        yield running


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
        b"HELLO\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\r\nno colon\r\n\r\n",
    ],
)
async def test_what_is_not_http_gets_an_envelope(migd: LocalMigd, data: bytes) -> None:
    raw = await connect(migd.url)
    raw.send(data)

    status, body = await raw.answer()

    assert status == 400
    assert json.loads(body)["error"]["code"] == "MIG_INVALID_REQUEST"
    assert json.loads(body)["header"]["tenant_id"] == "unknown"


async def test_a_head_without_end_is_refused_before_it_fills_the_memory(migd: LocalMigd) -> None:
    raw = await connect(migd.url)
    raw.send(b"GET /healthz HTTP/1.1\r\n")
    line = b"X-Padding: " + b"x" * 8000 + b"\r\n"
    for _ in range(2 * MAX_HEAD_BYTES // len(line)):
        raw.send(line)
        await asyncio.sleep(0)

    status, body = await raw.answer()

    assert status == 413
    assert f"larger than {MAX_HEAD_BYTES} bytes" in json.loads(body)["error"]["message"]


async def test_a_head_that_comes_in_pieces_is_a_request_all_the_same(migd: LocalMigd) -> None:
    raw = await connect(migd.url)
    for piece in (b"GET /hea", b"lthz HTTP/1.1\r\nHos", b"t: x\r\nConnection: close\r", b"\n\r\n"):
        raw.send(piece)
        await raw.writer.drain()
        await migd.get("/healthz")

    assert await raw.answer() == (200, b'{"status":"ok","reasons":[]}')


async def test_a_head_that_does_not_come_to_an_end_in_time_is_refused() -> None:
    async with local_migd(MIGD_HEAD_TIMEOUT_S="0.1") as migd:
        raw = await connect(migd.url)
        raw.send(b"GET /healthz HTTP/1.1\r\nX-")

        status, body = await raw.answer()

    assert (status, json.loads(body)["error"]["code"]) == (504, "MIG_TIMEOUT")


async def test_a_connection_that_is_idle_for_long_is_closed_whatever_it_did_before(migd: LocalMigd) -> None:
    migd.edge.config.timeout_keep_alive = 0.05  # type: ignore[assignment]
    at_once = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    waited_for = HELLO + b"2\r\n"
    for sent, later in ((b"", b""), (at_once, b""), (at_once, at_once), (waited_for, b"{}\r\n0\r\n\r\n")):
        raw = await connect(migd.url)
        raw.send(sent)
        await migd.get("/healthz")
        raw.send(later)

        answers = await raw.reader.read()
        raw.abort()
        assert answers.count(b"HTTP/1.1 ") == (sent == at_once) + (later != b"")


async def test_a_connection_that_waits_for_its_answer_is_not_idle() -> None:
    provider = Scripted()
    provider.waits = True
    async with local_migd(capability(provider), MIGD_SSE_KEEPALIVE_S="0.1") as migd:
        migd.edge.config.timeout_keep_alive = 0.02  # type: ignore[assignment]
        raw = await connect(migd.url)
        body = b'{"header":{"tenant_id":"acme"}}'
        raw.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        await raw.reader.readuntil(b"[]}")
        raw.send(
            b"POST /mig/v0.1/invoke/test.scripted HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
            % len(body)
        )
        raw.send(body)
        await provider.started.wait()
        async with subscribed(migd.http, "a.b", "?consumer_id=clock") as clock:
            # Several times as long as a connection may be idle.
            await clock.take(2)
        provider.release.set()

        assert b"200 OK" in await raw.reader.read()
        raw.abort()


async def test_a_body_is_asked_for_only_when_it_is_wanted(migd: LocalMigd) -> None:
    """Expect: 100-continue with a body over the limit is answered without reading it (RFC 9110, 10.1.1)."""
    raw = await connect(migd.url)
    raw.send(
        b"POST /mig/v0.1/hello HTTP/1.1\r\nHost: x\r\n"
        b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"
    )

    assert (await raw.reader.readline()).startswith(b"HTTP/1.1 413 ")
    raw.writer.close()


async def test_the_server_tells_the_date_and_not_its_maker(migd: LocalMigd) -> None:
    answer = await migd.get("/healthz")

    assert answer.headers["date"].endswith(" GMT")
    assert "server" not in answer.headers


async def test_a_chunked_body_that_is_not_http_gets_an_envelope(migd: LocalMigd) -> None:
    for pieces in ((HELLO + b"zz\r\n",), (HELLO, b"zz\r\n")):
        raw = await connect(migd.url)
        for piece in pieces:
            raw.send(piece)
            await migd.get("/healthz")

        status, body = await raw.answer()
        assert (status, json.loads(body)["error"]["code"]) == (400, "MIG_INVALID_REQUEST")


@pytest.mark.parametrize(
    "ambiguous",
    [
        pytest.param(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="both lengths"),
        pytest.param(b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}", id="two lengths"),
        pytest.param(b"Content-Length : 2\r\n\r\n{}", id="a space in a name"),
        pytest.param(b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", id="an unknown encoding"),
        pytest.param(b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", id="chunked and not last"),
        pytest.param(b"X: a\r\n Content-Length: 4\r\n\r\n", id="a folded line"),
        pytest.param(b"X: a\rContent-Length: 4\r\n\r\n", id="a bare carriage return"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n2;a\n{}\r\n0\r\n\r\n", id="a bare line feed"),
    ],
)
async def test_a_request_that_a_proxy_could_read_in_two_ways_is_not_read_in_either(
    migd: LocalMigd, ambiguous: bytes
) -> None:
    raw = await connect(migd.url)
    raw.send(b"POST /mig/v0.1/discover HTTP/1.1\r\nHost: x\r\n" + ambiguous)
    raw.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")

    answers = await raw.reader.read()
    raw.writer.close()

    assert re.findall(rb"HTTP/1.1 (\d+) ", answers) == [b"400"]


async def test_requests_sent_in_one_piece_are_answered_in_order(migd: LocalMigd) -> None:
    raw = await connect(migd.url)
    paths = [b"/healthz", b"/nowhere", b"/mig/v0.1/hello", b"/docs/none", b"/healthz"]
    for path in paths[:-1]:
        raw.send(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    raw.send(b"GET " + paths[-1] + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    answers = await raw.reader.read()
    raw.writer.close()

    assert re.findall(rb"HTTP/1.1 (\d+) ", answers) == [b"200", b"404", b"405", b"404", b"200"]


async def test_bytes_that_are_not_http_after_a_request_do_not_cost_it_its_answer() -> None:
    provider = Scripted()
    provider.waits = True
    async with local_migd(capability(provider)) as migd:
        raw = await connect(migd.url)
        body = b'{"header":{"tenant_id":"acme"}}'
        raw.send(
            b"POST /mig/v0.1/invoke/test.scripted HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
            % len(body)
            + body
        )
        raw.send(b"\x00\x01\x02\r\n\r\n")
        await provider.started.wait()
        await migd.get("/healthz")
        provider.release.set()

        status, answer = await raw.answer()

    assert (status, json.loads(answer)["payload"]) == (200, {"done": True})


async def test_a_client_of_http_1_0_is_answered_and_closed(migd: LocalMigd) -> None:
    raw = await connect(migd.url)
    raw.send(b"GET /healthz HTTP/1.0\r\n\r\n")

    assert (await raw.answer())[0] == 200


async def test_a_body_that_comes_later_than_its_head_is_read(migd: LocalMigd) -> None:
    raw = await connect(migd.url)
    raw.send(
        b"POST /mig/v0.1/hello HTTP/1.1\r\nHost: x\r\nX-Tenant-ID: acme\r\n"
        b"Connection: close\r\nContent-Length: 2\r\n\r\n"
    )
    await migd.get("/healthz")
    raw.send(b"{}")

    assert (await raw.answer())[0] == 200


async def test_a_client_that_does_not_read_its_answers_is_not_answered_on() -> None:
    """Answers wait for room in the connection: they are not piled up in memory."""
    provider = Scripted()
    provider.answer = {"text": "x" * 20_000}
    body = b'{"header":{"tenant_id":"acme"}}'
    invoke = b"POST /mig/v0.1/invoke/test.scripted HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(
        body
    )
    async with local_migd(capability(provider)) as migd:
        raw = await connect(migd.url, receive_buffer=16_384)
        # One after the other, so that each could be answered at once; in the end one is not even looked at.
        while len(provider.seen) < 1000 and await _seen_soon(provider, lambda: raw.send(invoke + body)):
            pass
        raw.abort()

    assert len(provider.seen) < 1000


async def _seen_soon(provider: Scripted, send: Callable[[], None]) -> bool:
    before = len(provider.seen)
    send()
    for _ in range(100):
        await asyncio.sleep(0)
        if len(provider.seen) > before:
            return True
    return False


HELLO = b"POST /mig/v0.1/hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
