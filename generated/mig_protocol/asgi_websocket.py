# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""One WebSocket connection, as whoever serves it sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from mig_protocol.asgi_types import Receive, Scope, Send
from mig_protocol.http_exchange import Exchange, Headers, Reply

_DENIAL = "websocket.http.response"  # the ASGI extension for an HTTP answer to a handshake
_CLOSED_ABNORMALLY = 1006


class WebSocketClosedError(ConnectionError):
    """There is nobody left to send to. For whoever serves the connection this is an end, not a failure."""


class WebSocketPeer:
    """The client of one WebSocket connection. It is neither accepted nor refused yet.

    `exchange` is the handshake request, routed, with its header fields read. After `receive` has given None,
    `close_code` is the code that the connection ended with (RFC 6455, 7.4).
    """

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, exchange: Exchange, opened: Callable[[], None]
    ) -> None:
        self.exchange = exchange
        self.subprotocols: Sequence[str] = tuple(scope.get("subprotocols", ()))
        self.accepted = False
        self.close_code: int | None = None
        self._can_deny = _DENIAL in (scope.get("extensions") or {})
        self._receive = receive
        self._send = send
        self._opened = opened

    @property
    def path(self) -> str:
        """The path as it was sent."""
        return self.exchange.path

    @property
    def query(self) -> bytes:
        """The query string without "?"."""
        return self.exchange.query

    @property
    def headers(self) -> Headers:
        """The handshake's header fields, names in lower case."""
        return self.exchange.headers

    @property
    def peer(self) -> str:
        """The other end as "ip:port", or ""."""
        return self.exchange.peer

    async def accept(self, subprotocol: str | None = None) -> None:
        """Complete the handshake."""
        await self._send({"type": "websocket.accept", "subprotocol": subprotocol})
        self.accepted = True
        self._opened()

    async def receive(self) -> str | bytes | None:
        """The next message, text or binary as it was sent; None once the connection is closed."""
        if self.close_code is not None:
            return None
        event = await self._receive()
        if event["type"] == "websocket.disconnect":
            self.close_code = event.get("code", _CLOSED_ABNORMALLY)
            return None
        text: str | None = event.get("text")
        data: bytes | None = event.get("bytes")
        return text if text is not None else data

    async def send(self, text: bytes | str) -> None:
        """Send a text message; bytes are its UTF-8 form. Raises WebSocketClosedError once the connection is
        closed.
        """
        if self.close_code is not None:
            raise WebSocketClosedError("the WebSocket is closed")
        try:
            await self._send(
                {"type": "websocket.send", "text": text if isinstance(text, str) else text.decode()}
            )
        except OSError as error:  # ASGI's way to say that the client is gone
            raise WebSocketClosedError("the client of the WebSocket is gone") from error

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection. Closing what is closed already does nothing."""
        if self.close_code is None:
            self.close_code = code
            with suppress(OSError):
                await self._send({"type": "websocket.close", "code": code, "reason": reason})

    async def deny(self, reply: Reply) -> None:
        """Answer the handshake with an HTTP error, or with a bare 403 where the server can do no better."""
        self.close_code = _CLOSED_ABNORMALLY
        if not self._can_deny:
            await self._send({"type": "websocket.close"})
            return
        await self._send({"type": f"{_DENIAL}.start", "status": reply.status, "headers": reply.headers})
        await self._send({"type": f"{_DENIAL}.body", "body": reply.body})
