"""Requests as frames, frames as answers, and one stream of a connection as if it were alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mig_conformance.drivers.port import Answer, Ask, Frames, JsonObject, Stream

_ONLY = "call"


def request_frame(message: Mapping[str, Any], stream_id: str = _ONLY) -> JsonObject:
    """The frame that starts the invocation of an InvokeRequest, with its input closed."""
    carried = {name: value for name, value in message.items() if name != "stream_preference"}
    return {"kind": "request", "stream_id": stream_id, "end_stream": True, **carried}


def cancel_frame(message: Mapping[str, Any]) -> JsonObject:
    """The control frame of a CancelRequest."""
    payload = {"action": "cancel", **{name: message[name] for name in message if name != "header"}}
    header = {"header": message["header"]} if "header" in message else {}
    return {**header, "kind": "control", "payload": payload}


def answer_of(frame: JsonObject) -> Answer:
    """A terminal frame as the answer of a unary call: of INVOKE {header, capability, payload}, of CANCEL
    {header, accepted, status}.
    """
    header = frame.get("header")
    if frame.get("kind") == "error":
        return Answer(error=frame.get("error"), header=header)
    if frame.get("kind") == "control":
        return Answer(message={"header": header, **frame.get("payload", {})}, header=header)
    named = ("header", "capability", "payload")
    return Answer(message={name: frame[name] for name in named if name in frame}, header=header)


async def up_to_the_end(following: Callable[[], Awaitable[JsonObject]]) -> list[JsonObject]:
    """The frames that follow, up to one with end_stream true."""
    frames = [await following()]
    while frames[-1].get("end_stream") is not True:
        frames.append(await following())
    return frames


async def read_out(stream: Stream) -> list[JsonObject]:
    """The frames of a stream that are left; it is closed then."""
    try:
        return await stream.rest()
    finally:
        await stream.close()


class FramesOfStream:
    """A Stream that has its connection to itself; an empty `stream_id` becomes that of the first frame."""

    accepted = None

    def __init__(self, connection: Frames, stream_id: str) -> None:
        self.connection = connection
        self.stream_id = stream_id

    async def next(self) -> JsonObject:
        """See Stream.next."""
        frame = await self.connection.next(self.stream_id or None)
        self.stream_id = self.stream_id or str(frame.get("stream_id", ""))
        return frame

    async def rest(self) -> list[JsonObject]:
        """See Stream.rest."""
        return await up_to_the_end(self.next)

    async def close(self) -> None:
        await self.connection.close()


async def begun(connection: Frames, ask: Ask, stream_id: str) -> FramesOfStream:
    """The stream that its first frame begins; where that can not be sent, the connection is closed."""
    try:
        await connection.send(request_frame(ask.message, stream_id) if ask.body is None else ask.body)
    except BaseException:
        await connection.close()
        raise
    return FramesOfStream(connection, stream_id)
