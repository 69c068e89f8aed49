"""The ASGI adapter on a real uvicorn: bodies, disconnects, streams, pages and WebSockets."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from mig_protocol.asgi import CLIENT_GONE, AsgiAdapter, WebSocketClosedError, WebSocketPeer
from mig_protocol.asgi_types import Event, Receive, Scope, Send
from mig_protocol.errors import MigFault
from mig_protocol.http_server import Exchange, HttpStub, Reply
from mig_protocol.messages import MigErrorCode
from support.asgi_server import serving
from support.scripted_http import ScriptedHttp

LIMIT = 10_000
BODY_TIMEOUT_S = 0.3
INVOKE = "/mig/v0.1/invoke/"
SUBSCRIBE = "/mig/v0.1/subscribe/"
SOON_S = 10.0  # how long a test waits for what has to happen


class Observations:
    """What the adapter observed, for a test in another thread to wait for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._seen: list[tuple[str, int]] = []

    def __call__(self, exchange: Exchange, status: int, seconds: float) -> None:
        assert seconds >= 0
        with self._changed:
            self._seen += [(exchange.route, status), (exchange.path, status)]
            self._changed.notify_all()

    def wait_for(self, place: str, status: int) -> bool:
        """Whether this status is observed soon for a route or a path."""
        with self._changed:
            return self._changed.wait_for(lambda: (place, status) in self._seen, SOON_S)


class Edge:
    """A served adapter with its service and what was observed."""

    def __init__(self) -> None:
        self.service = ScriptedHttp()
        self.observed = Observations()
        self.port = 0
        self.adapter = AsgiAdapter(
            HttpStub(self.service, max_body_bytes=LIMIT),
            pages=_pages,
            pages_prefixes=("/", "/ui"),
            websocket=self._websocket,
            observe=self.observed,
            body_timeout_s=BODY_TIMEOUT_S,
        )

    def happened(self, name: str) -> bool:
        return self.service.happened[name].wait(SOON_S)

    async def _websocket(self, peer: WebSocketPeer) -> None:
        if peer.exchange.tenant == "forbidden":
            raise MigFault(MigErrorCode.MIG_FORBIDDEN, "not yours")
        await peer.accept("mig.v0.1" if "mig.v0.1" in peer.subprotocols else None)
        while (message := await peer.receive()) is not None:
            if message == "break":
                raise ZeroDivisionError("inside")
            if message == "leave":
                self.service.happened["asked to leave"].set()
                await self._send_until_gone(peer)
            await peer.send(message)
        self.service.happened["websocket closed"].set()

    async def _send_until_gone(self, peer: WebSocketPeer) -> None:
        try:
            while await peer.receive() is not None:
                pass
            await peer.send("to nobody")
        except WebSocketClosedError:
            self.service.happened["nobody there"].set()
            raise


async def _pages(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"page"})


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    edge = Edge()
    with serving(edge.adapter) as port:
        edge.port = port
        yield edge


@contextmanager
def connection(edge: Edge) -> Iterator[HTTPConnection]:
    client = HTTPConnection("127.0.0.1", edge.port, timeout=SOON_S)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def raw(edge: Edge, text: bytes) -> Iterator[socket.socket]:
    """A connection on which exactly this was sent."""
    with socket.create_connection(("127.0.0.1", edge.port), SOON_S) as client:
        client.sendall(text)
        yield client


def answer_to(client: socket.socket) -> HTTPResponse:
    response = HTTPResponse(client)
    response.begin()
    return response


def head(path: str, *fields: str, method: str = "POST") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: test", *fields, "", ""]).encode()


def error_of(response: HTTPResponse) -> Any:
    return json.loads(response.read())["error"]


def asked(edge: Edge, method: str, path: str, body: bytes | None = None) -> tuple[HTTPResponse, bytes]:
    with connection(edge) as client:
        client.request(method, path, body)
        response = client.getresponse()
        return response, response.read()


def test_an_invocation_is_answered_and_observed(edge: Edge) -> None:
    response, body = asked(edge, "POST", INVOKE + "test.echo", b'{"payload":{"n":1}}')
    assert response.status == 200
    assert json.loads(body)["payload"] == {"echo": {"n": 1}}
    assert edge.observed.wait_for("/mig/v0.1/invoke/{capability}", 200)


def test_a_connection_is_kept_for_further_requests(edge: Edge) -> None:
    with connection(edge) as client:
        for path in ("test.echo", "test.later", "test.at-once", "test.busy", "test.echo"):
            client.request("POST", INVOKE + path, b"{}")
            response = client.getresponse()
            response.read()
            assert not response.will_close


def test_a_body_may_come_in_pieces(edge: Edge) -> None:
    with raw(edge, head(INVOKE + "test.echo", "Transfer-Encoding: chunked")) as client:
        for piece in (b'{"payl', b'oad":{"n"', b":1}}"):
            client.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        client.sendall(b"0\r\n\r\n")
        assert json.loads(answer_to(client).read())["payload"] == {"echo": {"n": 1}}


def test_an_escaped_path_is_taken_as_it_was_sent(edge: Edge) -> None:
    assert asked(edge, "POST", INVOKE + "test%2Eecho", b"{}")[0].status == 200
    assert asked(edge, "POST", INVOKE + "test%2Fecho", b"{}")[0].status == 400


def test_head_has_the_length_and_no_body(edge: Edge) -> None:
    got, headed = asked(edge, "GET", "/healthz"), asked(edge, "HEAD", "/healthz")
    assert (headed[0].status, headed[1]) == (200, b"")
    assert headed[0].getheader("content-length") == str(len(got[1]))


def test_a_body_too_large_by_its_announced_length_is_refused_before_it_is_sent(edge: Edge) -> None:
    request = head(INVOKE + "test.echo", f"Content-Length: {LIMIT + 1}", "Expect: 100-continue")
    with raw(edge, request) as client:
        response = answer_to(client)
        assert response.status == 413
        assert response.getheader("connection") == "close"
        assert error_of(response)["code"] == "MIG_INVALID_REQUEST"


def test_a_body_too_large_by_count_is_refused_while_it_comes(edge: Edge) -> None:
    with raw(edge, head(INVOKE + "test.echo", "Transfer-Encoding: chunked")) as client:
        client.sendall(b"%x\r\n%s\r\n" % (LIMIT + 1, b" " * (LIMIT + 1)))
        assert answer_to(client).status == 413


def test_a_client_that_sends_all_of_a_far_too_large_body_still_reads_the_refusal(edge: Edge) -> None:
    response, body = asked(edge, "POST", INVOKE + "test.echo", b" " * (2_000 * LIMIT))
    assert response.status == 413
    assert json.loads(body)["error"]["message"] == f"the body is larger than {LIMIT} bytes"


def test_an_unknown_path_is_not_found_however_large_its_body_is(edge: Edge) -> None:
    assert asked(edge, "POST", "/nowhere", b" " * (2 * LIMIT))[0].status == 404


def test_a_body_that_does_not_come_in_time_is_refused_and_the_connection_closed(edge: Edge) -> None:
    with raw(edge, head(INVOKE + "test.echo", "Content-Length: 10") + b"{") as client:
        response = answer_to(client)
        assert (response.status, response.getheader("connection")) == (400, "close")
        assert error_of(response)["message"] == f"body not received within {BODY_TIMEOUT_S:g} s"


def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_failure(edge: Edge) -> None:
    faults = len(edge.service.faults)
    with raw(edge, head("/pro/v0.1/quotas", "Content-Length: 10") + b"{"):
        pass
    assert edge.observed.wait_for("/pro/v0.1/quotas", CLIENT_GONE)
    assert len(edge.service.faults) == faults


@pytest.mark.parametrize("capability", ["hang", "stubborn"])
def test_work_is_stopped_when_its_client_leaves(
    edge: Edge, capability: str, caplog: pytest.LogCaptureFixture
) -> None:
    faults = len(edge.service.faults)
    with raw(edge, head(f"{INVOKE}test.{capability}", "Content-Length: 0")):
        assert edge.happened(f"{capability} started")
        assert not edge.service.happened[f"{capability} stopped"].is_set()
    assert edge.happened(f"{capability} stopped")
    assert edge.observed.wait_for(f"{INVOKE}test.{capability}", CLIENT_GONE)
    assert len(edge.service.faults) == faults
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_stream_opens_before_its_first_chunk(edge: Edge) -> None:
    with raw(edge, head(SUBSCRIBE + "test.silent", method="GET")) as client:
        response = answer_to(client)
        assert (response.status, response.getheader("content-type")) == (200, "text/event-stream")
        assert edge.observed.wait_for("/mig/v0.1/subscribe/{topic}", 200)
        client.shutdown(socket.SHUT_RDWR)
    assert edge.happened("test.silent closed")


@pytest.mark.parametrize("topic", ["test.finite", "test.iterator"])
def test_a_stream_is_sent_as_it_comes_ended_and_closed(edge: Edge, topic: str) -> None:
    response, body = asked(edge, "GET", SUBSCRIBE + topic)
    assert body == b"".join(edge.service.chunks)
    assert response.getheader("content-length") is None
    assert edge.happened(f"{topic} closed")


def test_a_stream_is_stopped_when_its_client_leaves(edge: Edge) -> None:
    with raw(edge, head(SUBSCRIBE + "test.endless", method="GET")) as client:
        assert client.recv(16)
    assert edge.happened("test.endless closed")


def test_a_stream_that_breaks_is_told_to_the_service_and_cut_short(edge: Edge) -> None:
    with raw(edge, head(SUBSCRIBE + "test.torn", method="GET")) as client:
        everything = b""
        while piece := client.recv(4096):
            everything += piece
    assert edge.happened("test.torn closed")
    assert b"".join(edge.service.chunks)[-4:] in everything
    assert not everything.endswith(b"0\r\n\r\n")
    assert isinstance(edge.service.faults[-1].__cause__, ZeroDivisionError)


def test_pages_have_their_prefixes_and_the_routes_come_first(edge: Edge) -> None:
    for path in ("/", "/ui", "/ui/", "/ui/style.css"):
        assert asked(edge, "GET", path)[1] == b"page"
    assert asked(edge, "GET", "/uix")[0].status == 404
    assert asked(edge, "GET", "/healthz")[1] != b"page"
    assert edge.observed.wait_for("/ui", 200)


def test_websocket_messages_go_both_ways_as_text(edge: Edge) -> None:
    with connect(f"ws://127.0.0.1:{edge.port}/mig/v0.1/stream", subprotocols=["mig.v0.1"]) as client:  # type: ignore[list-item]
        assert client.subprotocol == "mig.v0.1"
        client.send('{"n":1}')
        client.send(b'{"n":2}')
        assert [client.recv(SOON_S), client.recv(SOON_S)] == ['{"n":1}', '{"n":2}']
        assert edge.observed.wait_for("/mig/v0.1/stream", 101)
    assert edge.happened("websocket closed")


@pytest.mark.parametrize(
    ("path", "tenant", "status", "code"),
    [
        ("/mig/v0.1/stream", "forbidden", 403, "MIG_FORBIDDEN"),
        ("/mig/v0.1/stream", "a b", 400, "MIG_INVALID_REQUEST"),
        ("/healthz", "acme", 400, "MIG_INVALID_REQUEST"),
        ("/nowhere", "acme", 404, "MIG_NOT_FOUND"),
    ],
)
def test_a_refused_handshake_is_an_http_error(
    edge: Edge, path: str, tenant: str, status: int, code: str
) -> None:
    url = f"ws://127.0.0.1:{edge.port}{path}"
    with pytest.raises(InvalidStatus) as raised, connect(url, additional_headers={"X-Tenant-ID": tenant}):
        pass
    response = raised.value.response
    assert response.status_code == status
    assert response.body is not None
    assert json.loads(response.body)["error"]["code"] == code


def test_a_websocket_whose_service_breaks_is_closed_as_such(edge: Edge) -> None:
    with connect(f"ws://127.0.0.1:{edge.port}/mig/v0.1/stream") as client:
        client.send("break")
        with pytest.raises(ConnectionClosed) as raised:
            client.recv(SOON_S)
    assert raised.value.rcvd is not None
    assert raised.value.rcvd.code == 1011
    assert isinstance(edge.service.faults[-1].__cause__, ZeroDivisionError)


def test_sending_to_a_websocket_whose_client_left_is_an_end_and_no_failure(edge: Edge) -> None:
    faults = len(edge.service.faults)
    with connect(f"ws://127.0.0.1:{edge.port}/mig/v0.1/stream") as client:
        client.send("leave")
        assert edge.happened("asked to leave")
    assert edge.happened("nobody there")
    assert len(edge.service.faults) == faults


def test_a_server_with_a_whole_request_at_hand_gets_its_reply_at_once(edge: Edge) -> None:
    reply = edge.adapter.at_once(Exchange("POST", INVOKE + "test.echo"), b'{"payload":{"n":1}}')
    assert isinstance(reply, Reply)
    assert isinstance(reply.body, bytes)
    assert json.loads(reply.body)["payload"] == {"echo": {"n": 1}}


@pytest.mark.parametrize(
    ("path", "body"),
    [("/", b""), ("/ui/x", b""), ("/nowhere", b""), (INVOKE + "test.echo", b" " * (LIMIT + 1))],
)
def test_what_is_not_for_answering_at_once_is_left_to_asgi(edge: Edge, path: str, body: bytes) -> None:
    assert edge.adapter.at_once(Exchange("POST", path), body) is None


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", INVOKE + "test.later", b"test.later"),
        ("GET", SUBSCRIBE + "test.finite", b"id: 1\n\nid: 2\n\n"),
    ],
)
async def test_an_answer_that_has_to_be_waited_for_goes_on_as_an_application(
    edge: Edge, method: str, path: str, expected: bytes
) -> None:
    sent: list[Event] = []

    async def send(event: Event) -> None:
        sent.append(event)

    async def receive() -> Event:
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nothing is ever received")

    rest = edge.adapter.at_once(Exchange(method, path), b"{}")
    assert callable(rest)
    await rest({}, receive, send)
    assert sent[0]["status"] == 200
    assert expected in b"".join(event.get("body", b"") for event in sent)
    assert not sent[-1].get("more_body")
