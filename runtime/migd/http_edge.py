"""The HTTP server around the ASGI application: uvicorn, told when to begin and when to end."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
from collections.abc import Awaitable, Callable
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from migd.http_direct import DirectHttpProtocol
from migd.http_gate import HttpGate
from migd.http_protocol import NO_SNIFFING, HttpLimits, Refuse
from migd.http_tls import CertifiedHttpProtocol, CertifiedWebSocketProtocol
from migd.sockets import Sockets
from migd.tls import ServerTls
from migd.websocket_protocol import CountedWebSocketProtocol


class HttpEdge(uvicorn.Server):
    """Serves `app` on `listener` from `run` until `stop`, leaving signals to its owner.

    `drain` is awaited when no new connection is accepted any more; when it returns, what is still open
    is closed. WebSockets are left alone until then. With `tls` it speaks HTTPS only.
    """

    def __init__(
        self,
        app: HttpGate,
        listener: socket.socket,
        *,
        refuse: Refuse,
        drain: Callable[[], Awaitable[None]],
        limits: HttpLimits,
        tls: ServerTls | None = None,
    ) -> None:
        super().__init__(_config(app, refuse, limits, tls))
        self._listener = listener
        self._drain = drain
        self._stopping = asyncio.Event()
        # Seconds for the last bytes of the last answers, once nothing is running any more.
        self.flush_s = 1.0
        self.ready = asyncio.Event()

    async def run_until_stopped(self) -> None:
        await self.serve(sockets=[self._listener])

    def stop(self) -> None:
        """Begin to end; `run_until_stopped` returns when all is over."""
        self._stopping.set()

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]
        return contextlib.nullcontext()

    async def main_loop(self) -> None:
        """uvicorn asks ten times a second whether to stop; the Date header needs one tick a second."""
        await self.on_tick(0)
        self.ready.set()
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._stopping.wait()
            await self.on_tick(0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            if isinstance(connection, HttpToolsProtocol):
                connection.shutdown()
        await self._drain()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._flush()

    async def _flush(self) -> None:
        """Let the last answers out; a client that neither reads nor sends on is left behind."""
        await self._finished()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await self._finished()

    async def _finished(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.flush_s
        if tasks := list(self.server_state.tasks):
            await asyncio.wait(tasks, timeout=self.flush_s)
        # uvicorn announces the end of no connection.
        while self.server_state.connections and loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def _config(app: HttpGate, refuse: Refuse, limits: HttpLimits, tls: ServerTls | None) -> uvicorn.Config:
    sockets = Sockets(limits.max_sockets, limits.max_sockets_per_address)
    certified = tls is not None and tls.asks_clients
    http = functools.partial(
        CertifiedHttpProtocol if certified else DirectHttpProtocol,
        at_once=app.at_once,
        refuse=refuse,
        limits=limits,
        sockets=sockets,
    )
    websocket = functools.partial(
        CertifiedWebSocketProtocol if certified else CountedWebSocketProtocol, sockets=sockets
    )
    return uvicorn.Config(
        app=cast(Any, app),
        http=cast(type[asyncio.Protocol], http),
        ws=cast(type[asyncio.Protocol], websocket),
        ssl_context_factory=(lambda *_: tls.context) if tls is not None else None,
        interface="asgi3",
        lifespan="off",
        loop="none",
        log_config=None,
        access_log=False,
        server_header=False,
        headers=[(NO_SNIFFING[0].decode(), NO_SNIFFING[1].decode())],
        proxy_headers=False,
        # Seconds, and no whole ones: that is uvicorn's annotation only.
        timeout_keep_alive=cast(int, limits.idle_timeout_s),
        ws_max_size=limits.max_frame_bytes,
        ws_ping_interval=limits.websocket_ping_s,
        ws_ping_timeout=limits.websocket_ping_s,
        # Frames are small and many; deflate costs each idle connection more memory than the rest of it, and
        # what it says of a frame's size is only true once it is inflated.
        ws_per_message_deflate=False,
    )
