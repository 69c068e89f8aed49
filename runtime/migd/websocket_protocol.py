"""uvicorn's WebSocket protocol, counted as the connection that it goes on with."""

from __future__ import annotations

from asyncio.transports import BaseTransport
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from migd.sockets import Sockets


class CountedWebSocketProtocol(WebSocketsSansIOProtocol):
    """`sockets` let the connection in when it was made, so that none is refused here."""

    def __init__(self, *args: Any, sockets: Sockets, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sockets = sockets
        self._address = ""

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self._sockets.opened(self._address)

    def connection_lost(self, exc: Exception | None) -> None:
        self._sockets.closed(self._address)
        super().connection_lost(exc)
