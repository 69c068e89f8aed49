# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""The HTTP server stub as an ASGI 3 application, for uvicorn or any other ASGI server.

Thin on purpose: it reads bodies, writes replies, and stops work whose client has gone away. What the
requests mean is the stub's business.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from time import perf_counter
from typing import Final
from urllib.parse import quote

from mig_protocol.asgi_body import BodyReader, ClientGoneError, discard
from mig_protocol.asgi_types import Application, Event, Receive, Scope, Send
from mig_protocol.asgi_watch import ClientWatch
from mig_protocol.asgi_websocket import WebSocketClosedError, WebSocketPeer
from mig_protocol.errors import MigFault
from mig_protocol.http_exchange import Exchange, Reply
from mig_protocol.http_server import HttpStub
from mig_protocol.messages import MigErrorCode
from mig_protocol.suspension import Suspended, begin

__all__ = [
    "CLIENT_GONE",
    "AsgiAdapter",
    "Observe",
    "WebSocketClosedError",
    "WebSocketPeer",
    "client_certificate",
]

Observe = Callable[[Exchange, int, float], None]

CLIENT_GONE: Final = 499
"""What is observed as the status of a request whose client left before its answer; it never travels."""

_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
_CLOSE: Final = (b"connection", b"close")
_INTERNAL_ERROR: Final = 1011  # RFC 6455, 7.4.1


class AsgiAdapter:
    """Serves `stub`, and `pages` at the paths in and below `pages_prefixes` ("/" is that path only) that it
    has not.

    `websocket` is called with the peer of each handshake on a WebSocket route; a MigFault that it raises
    before accepting is the HTTP answer. `observe` is called once per request when its status is known, with
    the seconds since its arrival: for a stream and a WebSocket that is their opening. A body must arrive
    within `body_timeout_s` seconds.
    """

    def __init__(
        self,
        stub: HttpStub,
        *,
        pages: Application | None,
        websocket: Callable[[WebSocketPeer], Awaitable[None]],
        observe: Observe,
        body_timeout_s: float,
        pages_prefixes: tuple[str, ...] = (),
    ) -> None:
        self._stub = stub
        self._pages = pages
        self._pages_prefixes = pages_prefixes
        self._serve_websocket = websocket
        self._observe = observe
        self._read_body = BodyReader(stub, timeout_s=body_timeout_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            await self._http(scope, receive, send)
        elif kind == "websocket":
            await self._websocket(scope, receive, send)
        elif kind == "lifespan":
            await _lifespan(receive, send)

    def knows(self, path: str) -> bool:
        """Whether the path, percent-encoded, is that of an operation and not of a page."""
        return self._stub.router.knows(path)

    async def refuse(self, fault: MigFault, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an HTTP request with a fault that was found in front of this."""
        started = perf_counter()
        exchange = _exchange(scope, scope["method"])
        with suppress(MigFault):
            self._stub.enter(exchange)
        await self._refuse_unread(exchange, self._stub.refuse(exchange, fault), started, receive, send)

    def at_once(self, exchange: Exchange, body: bytes) -> Reply | Application | None:
        """For a server that has a whole request at hand and would rather not wait for ASGI's messages.

        Gives a reply whose body is bytes, to be sent as it is; or an application that goes on from where an
        answer has to be waited for; or None for a request that is to be served as usual: a page, an unknown
        path, a body over the limit.
        """
        started = perf_counter()
        if len(body) > self._stub.max_body_bytes or not self._stub.router.knows(exchange.path):
            return None
        handled = self._stub.handle(exchange, b"" if exchange.method in _BODILESS else body)
        if isinstance(handled, Reply) and isinstance(handled.body, bytes):
            self._observe(exchange, handled.status, perf_counter() - started)
            return handled

        async def rest(_: Scope, receive: Receive, send: Send) -> None:
            await self._finish(exchange, handled, started, receive, send)

        return rest

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        exchange = _exchange(scope, scope["method"])
        if self._pages is not None and not self._stub.router.knows(exchange.path) and self._claimed(exchange):
            await self._page(self._pages, exchange, started, scope, receive, send)
            return
        try:
            body = b"" if exchange.method in _BODILESS else await self._read_body(exchange, receive)
        except MigFault as fault:
            await self._refuse_unread(exchange, self._stub.reject(exchange, fault), started, receive, send)
            return
        except ClientGoneError:
            with suppress(MigFault):
                self._stub.route(exchange)
            self._observe(exchange, CLIENT_GONE, perf_counter() - started)
            return
        await self._finish(exchange, self._stub.handle(exchange, body), started, receive, send)

    async def _finish(
        self,
        exchange: Exchange,
        handled: Reply | Awaitable[Reply],
        started: float,
        receive: Receive,
        send: Send,
    ) -> None:
        reply = handled if isinstance(handled, Reply) else await _unless_gone(handled, receive)
        status = CLIENT_GONE if reply is None else reply.status
        self._observe(exchange, status, perf_counter() - started)
        if reply is not None:
            await self._send(exchange, reply, receive, send)

    async def _send(self, exchange: Exchange, reply: Reply, receive: Receive, send: Send) -> None:
        body = reply.body
        if not isinstance(body, bytes):
            await self._stream(exchange, reply, body, receive, send)
            return
        await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
        await send({"type": "http.response.body", "body": body})

    async def _stream(
        self, exchange: Exchange, reply: Reply, chunks: AsyncIterator[bytes], receive: Receive, send: Send
    ) -> None:
        watch = ClientWatch(receive)
        try:
            with watch:
                await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except Exception as error:
            # The status is out, so the only way left to say "broken" is to end without the end of the body.
            self._stub.broke(exchange, error)
            return
        finally:
            await _close(chunks)
        if not watch.gone:
            await send({"type": "http.response.body", "body": b""})

    async def _refuse_unread(
        self, exchange: Exchange, reply: Reply, started: float, receive: Receive, send: Send
    ) -> None:
        """Refuse a request whose body is not wanted. What follows on the connection would still be that
        body.
        """
        self._observe(exchange, reply.status, perf_counter() - started)
        headers = [*reply.headers, _CLOSE]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body, "more_body": True})
        await discard(receive)
        await send({"type": "http.response.body", "body": b""})

    def _claimed(self, exchange: Exchange) -> bool:
        for prefix in self._pages_prefixes:
            if exchange.path == prefix or (prefix != "/" and exchange.path.startswith(f"{prefix}/")):
                exchange.route = prefix
                return True
        return False

    async def _page(
        self,
        pages: Application,
        exchange: Exchange,
        started: float,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        async def observed(event: Event) -> None:
            if event["type"] == "http.response.start":
                self._observe(exchange, event["status"], perf_counter() - started)
            await send(event)

        await pages(scope, receive, observed)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        exchange = _exchange(scope, "GET")
        peer = WebSocketPeer(
            scope, receive, send, exchange, lambda: self._observe(exchange, 101, perf_counter() - started)
        )
        await receive()  # websocket.connect
        try:
            if self._stub.enter(exchange).form != "websocket":
                raise MigFault(MigErrorCode.MIG_INVALID_REQUEST, f"{exchange.path} is not a WebSocket")
            await self._serve_websocket(peer)
        except WebSocketClosedError:
            return
        except Exception as error:
            reply = self._stub.broke(exchange, error)
            if peer.accepted:
                await peer.close(_INTERNAL_ERROR)
                return
            self._observe(exchange, reply.status, perf_counter() - started)
            await peer.deny(reply)


def _exchange(scope: Scope, method: str) -> Exchange:
    path, raw = scope["path"], scope.get("raw_path")
    if raw is None:
        path = quote(path)
    elif b"%" in raw:
        path = raw.decode("latin-1")
    return Exchange(
        method,
        path,
        scope.get("query_string", b""),
        scope["headers"],
        scope.get("client"),
        client_certificate(scope),
    )


def client_certificate(scope: Scope) -> str | None:
    """What the client showed to the server's own TLS, as PEM, by ASGI's extension for TLS."""
    chain = ((scope.get("extensions") or {}).get("tls") or {}).get("client_cert_chain")
    return str(chain[0]) if chain else None


async def _unless_gone(reply: Awaitable[Reply], receive: Receive) -> Reply | None:
    """The reply, or None if the client left first; the work for it is then cancelled and has ended."""
    begun = begin(reply)
    if not isinstance(begun, Suspended):
        return begun
    answer: Reply | None = None
    with ClientWatch(receive) as watch:
        answer = await begun
    if not watch.gone:
        return answer
    if answer is not None and not isinstance(answer.body, bytes):
        await _close(answer.body)
    return None


async def _close(chunks: AsyncIterator[bytes]) -> None:
    aclose = getattr(chunks, "aclose", None)
    if aclose is not None:
        await aclose()


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        phase = (await receive())["type"].removeprefix("lifespan.")
        await send({"type": f"lifespan.{phase}.complete"})
        if phase == "shutdown":
            return
