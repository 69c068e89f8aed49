"""Streamed invocations and CANCEL over a WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace

import aiohttp

from equality.asked import Asked, JsonObject, Who
from equality.frames import FrameConnection
from equality.outcome import UNSEEN, Outcome

_PATH = "/mig/v0.1/stream"


class _Socket(FrameConnection):
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        super().__init__()
        self._socket = socket
        self._pump = asyncio.create_task(self._receive())

    async def send(self, frame: JsonObject | bytes) -> None:
        await self._socket.send_str(frame.decode() if isinstance(frame, bytes) else json.dumps(frame))

    async def close(self) -> None:
        await self._socket.close()
        await self._pump

    async def _receive(self) -> None:
        async for message in self._socket:
            self.deliver(json.loads(message.data))


class OverWebSocket:
    """One tenant's frames: a connection for each credential, since the handshake carries it."""

    def __init__(self, session: aiohttp.ClientSession, who: Who) -> None:
        self._session = session
        self._who = who
        self._sockets: dict[tuple[str, bool], _Socket] = {}

    async def ask(self, asked: Asked) -> Outcome:
        """INVOKE as a stream of which the last frame counts; CANCEL as a control frame."""
        outcome = await (self._cancel(asked) if asked.operation == "CANCEL" else self.stream(asked, "", ()))
        outcome.frames = None
        outcome.beside = outcome.retry_after = UNSEEN
        return outcome

    async def stream(self, asked: Asked, stream_id: str, inputs: Sequence[JsonObject]) -> Outcome:
        frame = {**asked.body, "kind": "request", "stream_id": stream_id, "end_stream": not inputs}
        further = [
            {"kind": "request", "stream_id": stream_id, "payload": item, "end_stream": number == len(inputs)}
            for number, item in enumerate(inputs, 1)
        ]
        return await self._exchange(asked, stream_id, [frame, *further])

    async def frame(self, asked: Asked, stream_id: str, frame: JsonObject) -> Outcome:
        return await self._exchange(asked, stream_id, [{**frame, "stream_id": stream_id}])

    async def garbage(self, asked: Asked, body: bytes) -> Outcome:
        """What is not a message at all."""
        socket = await self._connected(asked)
        if isinstance(socket, Outcome):
            return socket
        return replace(await socket.exchange("", [body]), retry_after=UNSEEN)

    async def _cancel(self, asked: Asked) -> Outcome:
        payload = {"action": "cancel", **asked.body}
        outcome = await self._exchange(asked, "", [{"kind": "control", "payload": payload}])
        if outcome.answer is not None:
            outcome.answer = {"header": outcome.answer["header"], **outcome.answer["payload"]}
        return _in_its_own_place(outcome)

    async def _exchange(self, asked: Asked, stream_id: str, frames: Sequence[JsonObject]) -> Outcome:
        socket = await self._connected(asked)
        if isinstance(socket, Outcome):
            return socket
        header = asked.header_for(self._who)
        if header is not None:
            frames = [{"header": header, **frame} for frame in frames]
        message_id = (header or {}).get("message_id")
        if asked.extra:
            frames = [{**frame, "nobody_knows_this": 1} for frame in frames]
        return await socket.exchange(stream_id or f"stream-{message_id}", frames)

    async def _connected(self, asked: Asked) -> _Socket | Outcome:
        """The connection for this credential, or how its handshake was refused."""
        key = (asked.credential, asked.named)
        if key not in self._sockets:
            fields = {"X-Tenant-ID": self._who.own} if asked.named else {}
            authorization = self._who.authorization(asked.credential)
            if authorization is not None:
                fields["Authorization"] = authorization
            try:
                self._sockets[key] = _Socket(await self._session.ws_connect(_PATH, headers=fields))
            except aiohttp.WSServerHandshakeError:
                return await self._refused(fields)
        return self._sockets[key]

    async def _refused(self, fields: dict[str, str]) -> Outcome:
        """aiohttp does not show the body of a refused handshake: the same one again, by hand."""
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }
        async with self._session.get(_PATH, headers={**fields, **upgrade}) as response:
            envelope = json.loads(await response.read())
        return Outcome(error=envelope["error"], error_header=UNSEEN)

    async def close(self) -> None:
        for socket in self._sockets.values():
            await socket.close()


def _in_its_own_place(outcome: Outcome) -> Outcome:
    """What is wrong with a CancelRequest is told of its field, and not of the frame's payload."""
    return Outcome(
        answer=outcome.answer,
        error=json.loads(json.dumps(outcome.error).replace("/payload/", "/")),
        error_header=outcome.error_header,
    )
