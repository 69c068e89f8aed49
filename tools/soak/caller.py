"""One caller's connections: HTTP kept alive, a WebSocket kept open, an SSE stream whenever it asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from grpc import aio
from tools.bench.http_load import request_bytes
from websockets.asyncio.client import ClientConnection, connect

_HOST = "127.0.0.1"
_HEAD_END = b"\r\n\r\n"
_ROOM = 1 << 24


class Caller:
    """Asks one thing at a time. Use as an async context manager; the ports are the server's.

    `channel` is the one for gRPC.
    """

    def __init__(self, port: int, grpc_port: int) -> None:
        self._port = port
        self._grpc_port = grpc_port
        self.channel: aio.Channel
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._socket: ClientConnection

    async def __aenter__(self) -> Caller:
        self._reader, self._writer = await asyncio.open_connection(_HOST, self._port, limit=_ROOM)
        self._socket = await connect(f"ws://{_HOST}:{self._port}/mig/v0.1/stream", compression=None)
        # Each caller a connection of its own: channels to one address share one otherwise.
        own = (("grpc.use_local_subchannel_pool", 1),)
        self.channel = aio.insecure_channel(f"{_HOST}:{self._grpc_port}", options=own)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close(None)
        self._writer.close()
        await self._socket.close()

    async def ask(self, method: str, path: str, body: Any = None, tenant: str = "") -> tuple[int, Any]:
        """Status and body of one answer; a body that is not JSON is given as text."""
        data = b"" if body is None else json.dumps(body).encode()
        fields = {"x_tenant_id": tenant} if tenant else {}
        self._writer.write(request_bytes(method, path, data, **fields))
        status, length, kind = _head(await self._reader.readuntil(_HEAD_END))
        answer = await self._reader.readexactly(length)
        return status, json.loads(answer) if kind == b"application/json" else answer.decode()

    async def send_frame(self, **frame: Any) -> None:
        await self._socket.send(json.dumps(frame))

    async def frame(self) -> Any:
        """The next frame of any stream on the WebSocket."""
        return json.loads(await self._socket.recv())

    @asynccontextmanager
    async def subscribed(
        self, topic: str, tenant: str, cursor: int, consumer: str
    ) -> AsyncIterator[AsyncIterator[Any]]:
        """The events after a cursor, over a connection that is closed at the end of the block."""
        reader, writer = await asyncio.open_connection(_HOST, self._port, limit=_ROOM)
        try:
            path = f"/mig/v0.1/subscribe/{topic}?resume_cursor={cursor}&consumer_id={consumer}"
            writer.write(request_bytes("GET", path, x_tenant_id=tenant))
            await reader.readuntil(_HEAD_END)
            yield _events(reader)
        finally:
            writer.close()


async def _events(reader: asyncio.StreamReader) -> AsyncIterator[Any]:
    while line := await reader.readline():
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


def _head(head: bytes) -> tuple[int, int, bytes]:
    """Status, Content-Length and media type."""
    status, *lines = head.split(b"\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in lines if line)
    return int(status[9:12]), int(fields[b"content-length"]), fields[b"content-type"].partition(b";")[0]
