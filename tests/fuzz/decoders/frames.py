"""WebSocket messages: the credential in the first one, and frames behind it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from fuzz.decoders.gateway import GatewayLoop
from fuzz.decoders.target import FindingError, Target
from mig_protocol import codec
from mig_protocol.messages import MigErrorCode, StreamFrame
from support.gateway_under_test import settle
from support.tokens import JWT_MODE, bearer

_AUTHENTICATE = b"mig.authenticate"
_SCOPE: dict[str, Any] = {
    "type": "websocket",
    "path": "/mig/v0.1/stream",
    "query_string": b"",
    "headers": [(b"host", b"localhost")],
    "client": ("127.0.0.1", 50_000),
    "extensions": {"websocket.http.response": {}},
}


@cache
def _gateway() -> GatewayLoop:
    return GatewayLoop(**JWT_MODE)


def _frames(data: bytes) -> None:
    """The first line is the subprotocols that the handshake offers, each other one a message."""
    first, *messages = data.split(b"\n")
    offered = [name.strip() for name in first.decode("latin-1").split(",")]
    loop = _gateway()
    loop.run(loop.application.asgi({**_SCOPE, "subprotocols": offered}, _Client(messages).receive, _taken))


class _Client:
    """Sends a message when the one before has been dealt with, and leaves after the last."""

    def __init__(self, messages: list[bytes]) -> None:
        self._left = iter(messages)
        self._connected = False

    async def receive(self) -> dict[str, Any]:
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        await settle()
        message = next(self._left, None)
        if message is None:
            return {"type": "websocket.disconnect", "code": 1006}
        try:
            return {"type": "websocket.receive", "text": message.decode()}
        except UnicodeDecodeError:
            return {"type": "websocket.receive", "bytes": message}


async def _taken(event: Any) -> None:
    if event["type"] != "websocket.send":
        return
    frame = codec.decode(StreamFrame, event["text"].encode())
    if frame.error and frame.error.code is MigErrorCode.MIG_INTERNAL:
        raise FindingError(f"refused as a fault of the server: {frame.error}")


def _seeds() -> Iterator[bytes]:
    token = bearer("acme", "capability:infer")
    request = b'{"kind": "request", "stream_id": "s", "capability": "observatory.models.infer", '
    request += b'"payload": {"input": "a b"}}'
    authenticate = b'{"kind": "control", "payload": {"action": "authenticate", "token": "%b"}}'
    first = authenticate % token.removeprefix("Bearer ").encode()
    cancel = b'{"kind": "cancel", "stream_id": "s", "payload": {"target_message_id": "m-1"}}'
    data = b'{"kind": "data", "stream_id": "s", "payload": {"input": "c"}, "end_stream": true}'
    yield b"\n".join((_AUTHENTICATE, first, request, data, cancel))
    yield b"\n".join((b"mig.v0.1, mig.bearer." + token.removeprefix("Bearer ").encode(), request, cancel))
    yield b"\n".join((_AUTHENTICATE, authenticate % b"x"))
    yield b"\n".join((_AUTHENTICATE, request))


FRAMES = Target(name="frames", decode=_frames, seeds=_seeds)
