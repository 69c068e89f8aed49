"""A WebSocket that is opened and then left alone (RFC 6455, 4.1)."""

from __future__ import annotations

import asyncio
from typing import cast

_HANDSHAKE = (
    b"GET /mig/v0.1/stream HTTP/1.1\r\n"
    b"host: bench\r\n"
    b"upgrade: websocket\r\n"
    b"connection: upgrade\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"sec-websocket-version: 13\r\n"
    b"x-tenant-id: acme\r\n"
    b"\r\n"
)


class IdleWebSocket(asyncio.Protocol):
    """`opened` is set once the server has switched protocols."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(_HANDSHAKE)

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"HTTP/1.1 101"):
            self.opened.set()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
