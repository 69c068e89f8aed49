"""The gate in front of the HTTP application: browsers' pages of other origins (CORS), encoded bodies.

What comes from a program passes with a look at three header fields; everything else goes ASGI's way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import lru_cache

from mig_protocol.asgi import AsgiAdapter, WebSocketPeer
from mig_protocol.asgi_types import Application, Event, Receive, Scope, Send
from mig_protocol.errors import MigFault
from mig_protocol.http_exchange import Exchange, Headers, Reply
from mig_protocol.http_request import CARRIED
from mig_protocol.messages import MigErrorCode
from migd.origins import Origins

_LOOKED_AT = frozenset({b"origin", b"sec-fetch-site", b"content-encoding"})
_PREFLIGHT_S = b"600"
_ALLOWED_FIELDS = b", ".join(
    (b"accept", b"authorization", b"content-type", b"last-event-id", b"tracestate", *sorted(CARRIED))
)
_EXPOSED_FIELDS = b"retry-after, www-authenticate, traceparent"


class HttpGate:
    """Serves `adapter` to those whom `origins` lets in, and to their browsers the fields of CORS.

    A page may be opened by a link from anywhere: what it shows, it asks for itself.
    """

    def __init__(self, adapter: AsgiAdapter, origins: Origins) -> None:
        self._adapter = adapter
        self._origins = origins
        self._known = lru_cache(maxsize=256)(lambda host: origins.knows(host.decode("latin-1")))

    def at_once(self, exchange: Exchange, body: bytes) -> Reply | Application | None:
        """As `AsgiAdapter.at_once`; None for all that has to be looked at more closely."""
        fields = exchange.fields
        if _LOOKED_AT.isdisjoint(fields) and self._known(fields.get(b"host", b"")):
            return self._adapter.at_once(exchange, body)
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._adapter(scope, receive, send)
            return
        fields = _fields(scope["headers"])
        try:
            listed = self._check(scope["path"], fields)
            _check_encoding(fields)
        except MigFault as fault:
            await self._adapter.refuse(fault, scope, receive, send)
            return
        if not listed:
            await self._adapter(scope, receive, send)
        elif scope["method"] == "OPTIONS" and b"access-control-request-method" in fields:
            await _allow(fields, send)
        else:
            await self._adapter(scope, receive, _readable(send, fields[b"origin"]))

    def _check(self, path: str, fields: dict[bytes, bytes]) -> bool:
        link = fields.get(b"sec-fetch-mode") == b"navigate" and not self._adapter.knows(path)
        site = None if link else fields.get(b"sec-fetch-site")
        return self._origins.check(
            _text(fields.get(b"host")) or "", _text(fields.get(b"origin")), _text(site)
        )


def gated(
    serve: Callable[[WebSocketPeer], Awaitable[None]], origins: Origins
) -> Callable[[WebSocketPeer], Awaitable[None]]:
    """`serve` for handshakes that `origins` lets in: browsers ask for no leave before they open a WebSocket
    (RFC 6455, 10.2).
    """

    async def serve_gated(peer: WebSocketPeer) -> None:
        fields = peer.exchange.fields
        origins.check(
            _text(fields.get(b"host")) or "",
            _text(fields.get(b"origin")),
            _text(fields.get(b"sec-fetch-site")),
        )
        await serve(peer)

    return serve_gated


def _check_encoding(fields: dict[bytes, bytes]) -> None:
    """A few bytes can stand for gigabytes: nothing is decompressed."""
    encoding = fields.get(b"content-encoding", b"identity").lower()
    if encoding != b"identity":
        raise MigFault(
            MigErrorCode.MIG_INVALID_REQUEST,
            f"Content-Encoding {encoding[:50].decode('latin-1')} is not taken: send the body as it is",
        )


async def _allow(fields: dict[bytes, bytes], send: Send) -> None:
    """The answer to a preflight request (Fetch standard, 4.8)."""
    headers = [
        (b"access-control-allow-origin", fields[b"origin"]),
        (b"access-control-allow-methods", b"GET, HEAD, POST"),
        (b"access-control-allow-headers", _ALLOWED_FIELDS),
        (b"access-control-max-age", _PREFLIGHT_S),
        (b"vary", b"origin, access-control-request-method, access-control-request-headers"),
    ]
    if fields.get(b"access-control-request-private-network") == b"true":
        headers.append((b"access-control-allow-private-network", b"true"))
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _readable(send: Send, origin: bytes) -> Send:
    """No credentials are allowed for: nothing here is done in the name of a browser's user."""
    fields = [
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", _EXPOSED_FIELDS),
        (b"vary", b"origin"),
    ]

    async def send_readable(event: Event) -> None:
        if event["type"] == "http.response.start":
            event["headers"] = [*event["headers"], *fields]
        await send(event)

    return send_readable


def _fields(headers: Headers) -> dict[bytes, bytes]:
    """The first of each name, as `Exchange.fields` has them."""
    return dict(reversed(headers))


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
