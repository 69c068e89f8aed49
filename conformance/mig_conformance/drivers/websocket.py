"""Stream frames over the WebSocket; INVOKE and CANCEL, too, as frames on a connection of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import (
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    ClientWSTimeout,
    WSMsgType,
    WSServerHandshakeError,
)

from mig_conformance.drivers.absent import Absent
from mig_conformance.drivers.demultiplexer import Demultiplexer
from mig_conformance.drivers.frames import answer_of, begun, cancel_frame, request_frame, up_to_the_end
from mig_conformance.drivers.http import body_of, credentials, read_answer, translated
from mig_conformance.drivers.json_text import read_json
from mig_conformance.drivers.port import (
    Answer,
    Ask,
    BindingName,
    Caller,
    JsonObject,
    NotOnBindingError,
    RefusedError,
    Stream,
)
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.flaws import ClosedError, FlawError

PATH = "/mig/v0.1/stream"
_NOTHING: Mapping[str, str] = {}
_LARGEST = 64 * 2**20
_HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


class WebSocketDriver(Absent):
    """`session` has the server's URL as its base."""

    binding: BindingName = "websocket"

    def __init__(self, session: ClientSession, transcript: Transcript, *, patience_s: float) -> None:
        self._session = session
        self._transcript = transcript
        self._patience_s = patience_s

    async def call(self, ask: Ask) -> Answer:
        """INVOKE, of which the terminal frame is the answer, and CANCEL as a control frame."""
        frames: Mapping[str, Any] = {"INVOKE": request_frame, "CANCEL": cancel_frame}
        if ask.operation not in frames:
            raise NotOnBindingError(f"the websocket has no {ask.operation}")
        connection = await self.connect(ask.caller, ask.carried)
        try:
            await connection.send(frames[ask.operation](ask.message) if ask.body is None else ask.body)
            frames_of_answer = await up_to_the_end(connection.next)
        finally:
            await connection.close()
        return answer_of(frames_of_answer[-1])

    async def stream(self, ask: Ask, stream_id: str = "") -> Stream:
        """On a connection of its own."""
        return await begun(await self.connect(ask.caller, ask.carried), ask, stream_id)

    async def connect(self, caller: Caller, carried: Mapping[str, str] = _NOTHING) -> WebSocketFrames:
        """`carried` may have Sec-WebSocket-Protocol, to offer subprotocols."""
        fields = {**credentials(caller), **carried}
        offered = [name.strip() for name in fields.pop("Sec-WebSocket-Protocol", "").split(",") if name]
        self._transcript.sent(f"WebSocket {PATH}", json.dumps(dict(carried)).encode())
        with translated(f"the handshake of {PATH}", self._patience_s):
            try:
                async with asyncio.timeout(self._patience_s):
                    socket = await self._session.ws_connect(
                        PATH,
                        headers=fields,
                        protocols=offered,
                        max_msg_size=_LARGEST,
                        timeout=ClientWSTimeout(ws_close=self._patience_s),
                    )
            except WSServerHandshakeError as refused:
                raise RefusedError(await self._refusal(fields, refused.status)) from None
        return WebSocketFrames(socket, self._transcript, self._patience_s)

    async def _refusal(self, fields: Mapping[str, str], status: int) -> Answer:
        """aiohttp does not show the body of a refused handshake: the same one again, as a plain request."""
        again = {**fields, **_HANDSHAKE}
        timeout = ClientTimeout(total=self._patience_s)
        async with self._session.get(PATH, headers=again, timeout=timeout) as response:
            found = {name.lower(): value for name, value in response.headers.items()}
            answer = Answer(status=response.status, fields=found, body=await body_of(response))
        if answer.status != status:
            raise FlawError(f"the same handshake was refused with {status} and then with {answer.status}")
        return read_answer(answer, "", self._transcript)


class WebSocketFrames:
    """An open connection."""

    def __init__(self, socket: ClientWebSocketResponse, transcript: Transcript, patience_s: float) -> None:
        self._socket = socket
        self._transcript = transcript
        self._frames = Demultiplexer(patience_s=patience_s)
        self._reading = asyncio.create_task(self._read())
        self.protocol = socket.protocol
        self.next = self._frames.next
        self.until_end = self._frames.until_end
        self.closed = self._frames.closed

    async def send(self, frame: Mapping[str, Any] | bytes) -> None:
        """See Frames.send. Bytes that are UTF-8 go out as text, others as a binary message."""
        self._transcript.sent("WebSocket frame", frame)
        try:
            if not isinstance(frame, bytes):
                await self._socket.send_str(json.dumps(frame))
            elif (text := _as_text(frame)) is not None:
                await self._socket.send_str(text)
            else:
                await self._socket.send_bytes(frame)
        except ConnectionError:
            raise ClosedError("the connection was closed", self._socket.close_code) from None

    async def close(self) -> None:
        self._reading.cancel()
        await self._socket.close()

    async def _read(self) -> None:
        try:
            while True:
                await self._frames.wanted()
                message = await self._socket.receive()
                if message.type is not WSMsgType.TEXT:
                    self._frames.ended(self._end(message.type, message.data))
                    return
                self._frames.deliver(self._frame(message.data))
        except FlawError as flaw:
            self._frames.ended(flaw)

    def _frame(self, text: str) -> JsonObject:
        try:
            frame = read_json(text)
        except ValueError:
            raise FlawError(f"a frame that is no JSON: {text[:300]!r}") from None
        self._transcript.received("WebSocket frame", frame, "StreamFrame")
        if not isinstance(frame, dict):
            raise FlawError(f"a frame that is no object: {text[:300]!r}")
        return frame

    def _end(self, kind: WSMsgType, data: object) -> FlawError:
        if kind is WSMsgType.BINARY:
            return FlawError(f"a binary message in place of a frame: {data!r}"[:300])
        if kind is WSMsgType.ERROR:
            return ClosedError(f"the connection broke: {data}")
        return ClosedError(f"the server closed the connection with {data}", self._socket.close_code)


def _as_text(frame: bytes) -> str | None:
    try:
        return frame.decode()
    except UnicodeDecodeError:
        return None
