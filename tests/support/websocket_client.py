"""A client of the WebSocket binding."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from support.running_migd import LocalMigd

PATH = "/mig/v0.1/stream"
REFERENCE = "observatory.models.infer"
Frame = dict[str, Any]


class Client:
    """One WebSocket of the tenant acme."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, kind: str, stream_id: str = "", **fields: Any) -> None:
        header = fields.pop("header", {"tenant_id": "acme"})
        await self.socket.send_json({"header": header, "kind": kind, "stream_id": stream_id, **fields})

    async def start(self, stream_id: str, capability: str = REFERENCE, **fields: Any) -> None:
        await self.send(
            "request", stream_id, capability=capability, **{"payload": {"input": "a b c"}, **fields}
        )

    async def next(self) -> Frame:
        message = await self.socket.receive()
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return dict(json.loads(message.data))

    async def until_end(self, stream_id: str) -> list[Frame]:
        """The frames of one stream to its terminal one; those of others are dropped."""
        frames: list[Frame] = []
        while not (frames and frames[-1]["end_stream"]):
            frame = await self.next()
            if frame["stream_id"] == stream_id:
                frames.append(frame)
        return frames


@asynccontextmanager
async def connected(migd: LocalMigd, **options: Any) -> AsyncIterator[Client]:
    async with migd.http.ws_connect(PATH, **options) as socket:
        yield Client(socket)
