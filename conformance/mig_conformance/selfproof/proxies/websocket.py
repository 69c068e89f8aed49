"""A WebSocket, frame by frame."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from aiohttp import ClientConnectionError, WSMsgType, web
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol
from yarl import URL

from mig_conformance.selfproof.mutation import Mutation
from mig_conformance.selfproof.passage import Passage, read_json
from mig_conformance.selfproof.proxies.frames import FramePassages

_OF_THE_HANDSHAKE: Final = "sec-websocket-"
_FRAMING: Final = {"connection", "content-length", "transfer-encoding"}
_ABNORMAL: Final = 1006


async def pass_frames(
    request: web.BaseRequest,
    url: URL,
    headers: Mapping[str, str],
    opened: Passage,
    mutation: Mutation,
    scope: str,
) -> web.StreamResponse:
    """Until one of the two ends the connection. A refused handshake is passed on as it is."""
    offered = [
        Subprotocol(name.strip())
        for name in headers.get("Sec-WebSocket-Protocol", "").split(",")
        if name.strip()
    ]
    fields = [
        (name, value)
        for name, value in headers.items()
        if not name.lower().startswith(_OF_THE_HANDSHAKE) and name.lower() != "host"
    ]
    try:
        upstream = await connect(
            str(url.with_scheme("ws" if url.scheme == "http" else "wss")),
            additional_headers=fields,
            subprotocols=offered or None,
            user_agent_header=None,
            compression=None,
            max_size=None,
            ping_interval=None,
            proxy=None,
        )
    except InvalidStatus as refused:
        return _refusal(refused, opened, mutation)
    async with upstream:
        chosen = [upstream.subprotocol] if upstream.subprotocol else []
        socket = web.WebSocketResponse(protocols=chosen, compress=False, max_msg_size=0, autoclose=False)
        await socket.prepare(request)
        await _Relay(socket, upstream, opened, mutation, scope).run()
        return socket


class _Relay:
    """Two pumps, of which the first to end ends the other."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        upstream: ClientConnection,
        opened: Passage,
        mutation: Mutation,
        scope: str,
    ) -> None:
        self._socket = socket
        self._upstream = upstream
        self._mutation = mutation
        self._opened = opened
        self._scope = scope
        self._passages = FramePassages(opened, "websocket", scope)

    async def run(self) -> None:
        pumps = {asyncio.create_task(self._from_client()), asyncio.create_task(self._from_server())}
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _from_client(self) -> None:
        while True:
            received = await self._socket.receive()
            if received.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                await self._hung_up(received.type, received.data, received.extra)
                return
            raw = received.data.encode() if received.type is WSMsgType.TEXT else received.data
            for passage in self._mutation.through(self._passages.from_client(read_json(raw), raw)):
                await asyncio.sleep(passage.delay_s)
                await self._ask(passage, binary=received.type is WSMsgType.BINARY)

    async def _ask(self, passage: Passage, *, binary: bool) -> None:
        if passage.answer is not None:
            answer = self._passages.answering(passage)
            await self._socket.send_str(answer.json().decode())
            return
        content = passage.json()
        with suppress(ConnectionClosed):
            await self._upstream.send(content if binary else content.decode())

    async def _hung_up(self, kind: WSMsgType, code: object, reason: object) -> None:
        if self._mutation.hangup_ignored(self._opened):
            await asyncio.Event().wait()
        if kind is WSMsgType.CLOSE and isinstance(code, int):
            await self._upstream.close(code, str(reason or ""))
            await self._socket.close(code=code)
        else:
            self._upstream.transport.abort()

    async def _from_server(self) -> None:
        try:
            async for received in self._upstream:
                raw = received.encode() if isinstance(received, str) else received
                for passage in self._mutation.through(self._passages.from_server(read_json(raw), raw)):
                    await asyncio.sleep(passage.delay_s)
                    await self._tell(passage, binary=isinstance(received, bytes))
            for passage in self._mutation.left(self._scope):
                await self._tell(passage, binary=False)
        except ConnectionClosed:
            pass
        await self._end()

    async def _tell(self, passage: Passage, *, binary: bool) -> None:
        content = passage.json()
        with suppress(ClientConnectionError):
            await (self._socket.send_bytes(content) if binary else self._socket.send_str(content.decode()))

    async def _end(self) -> None:
        code = self._upstream.close_code or _ABNORMAL
        transport = self._socket._req.transport if self._socket._req else None
        if code == _ABNORMAL and transport is not None:
            transport.abort()
        else:
            await self._socket.close(code=code, message=(self._upstream.close_reason or "").encode())


def _refusal(refused: InvalidStatus, opened: Passage, mutation: Mutation) -> web.Response:
    given = refused.response
    answer = Passage(
        at=frozenset({"answer"}),
        binding="websocket",
        operations=opened.operations,
        message=read_json(bytes(given.body)),
        raw=bytes(given.body),
        status=given.status_code,
        request=opened,
    )
    mutation.through(answer)
    kept = {name: value for name, value in given.headers.raw_items() if name.lower() not in _FRAMING}
    return web.Response(status=int(answer.new_status or given.status_code), headers=kept, body=answer.json())
