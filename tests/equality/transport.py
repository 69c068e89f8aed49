"""What every transport of the compared calls is able to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from equality.asked import Asked, JsonObject
from equality.outcome import Outcome

_BESIDE = ("result_schema_uri", "target_message_id")


class Subscription(Protocol):
    async def next(self) -> JsonObject:
        """The next event or gap. Raises EOFError when the gateway has ended the subscription."""

    async def close(self) -> None: ...


class Asks(Protocol):
    """Operations with one answer."""

    async def ask(self, asked: Asked) -> Outcome: ...

    async def garbage(self, asked: Asked, body: bytes) -> Outcome:
        """The operation with a body that is not a message at all."""


class Streams(Protocol):
    """Streamed invocations: `asked` is the INVOKE, `stream_id` names its stream ("": the gateway does)."""

    async def stream(self, asked: Asked, stream_id: str, inputs: Sequence[JsonObject]) -> Outcome: ...

    async def close(self) -> None: ...


class TakesFrames(Streams, Protocol):
    """Connections that take frames of any kind."""

    async def frame(self, asked: Asked, stream_id: str, frame: JsonObject) -> Outcome:
        """One frame, in place of `asked`'s body."""


class Subscribes(Protocol):
    async def subscribe(self, asked: Asked) -> Subscription | Outcome: ...


def beside(answer: JsonObject) -> JsonObject:
    """Takes out of an answer what a stream's frame has no place for."""
    return {name: answer.pop(name) for name in _BESIDE if name in answer}


def event_seen(kind: str, data: Any) -> JsonObject:
    """An event or a gap, whatever carried it."""
    return {"kind": kind, "data": data}


def as_outcome(frames: Sequence[JsonObject]) -> Outcome:
    """A stream as its caller sees it: every frame, and what the last one says of the whole."""
    last = frames[-1]
    if last["kind"] == "error":
        return Outcome(error=last["error"], error_header=last["header"], frames=list(frames))
    answer = {name: last[name] for name in ("header", "capability", "payload") if name in last}
    return Outcome(answer=answer, frames=list(frames))
