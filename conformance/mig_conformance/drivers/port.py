"""What every driver can do, and what goes in and comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol

from mig_conformance.flaws import FlawError

JsonObject = dict[str, Any]
BindingName = Literal["http", "sse", "websocket", "grpc", "nats"]
BINDINGS: tuple[BindingName, ...] = ("http", "sse", "websocket", "grpc", "nats")

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks. `tenant` is the one that the transport names, `None` to name none (NATS always needs one);
    `token` a bearer token.
    """

    tenant: str | None
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request.

    `operation` is an id of spec/registry/operations.yaml, `message` its request as JSON, `body` what is sent
    in its place, as it is. `path` overrides parameters of the path or subject, which else are the message's
    fields of that meaning. `carried` are further header fields of the transport: HTTP's, gRPC's metadata,
    NATS's; `query` is HTTP's only.
    """

    operation: str
    caller: Caller
    message: Mapping[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    path: Mapping[str, str] = field(default_factory=dict)
    carried: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: either `message` or `error` is there, as JSON in the protocol's spelling.

    `header` is the MessageHeader of either, `None` where there is none. `status` is HTTP's status or the name
    of gRPC's; `None` where the binding has no such thing. `fields` are the transport's header fields
    (for gRPC the trailing metadata), their names in lower case. `body` is what came, byte for byte, where the
    binding has bytes of JSON.
    """

    message: JsonObject | None = None
    error: JsonObject | None = None
    header: JsonObject | None = None
    status: int | str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def accepted(self) -> JsonObject:
        """The message. Raises FlawError when the request was refused."""
        if self.message is None:
            raise RefusedError(self)
        return self.message

    def refused(self, code: str) -> JsonObject:
        """The error, which must have that code. Raises FlawError otherwise."""
        if self.error is None:
            raise FlawError(f"expected {code}; the request was accepted: {_short(self.message)}")
        if self.error.get("code") != code:
            raise FlawError(f"expected {code}; the error is {_short(self.error)}")
        return self.error


class RefusedError(FlawError):
    """A request was refused that should have been accepted."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"refused with {_short(answer.error)} (status {answer.status})")
        self.answer = answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that a subscription gave: an EventMessage, or a gap ({from_sequence, to_sequence}).

    `id` is SSE's id line, `name` its event line; over gRPC both are None.
    """

    kind: Literal["event", "gap"]
    data: JsonObject
    id: str | None = None
    name: str | None = None


class Subscription(Protocol):
    """`opened` is how the transport accepted it: status and header fields."""

    @property
    def opened(self) -> Answer: ...
    @property
    def comments(self) -> int:
        """SSE: how many comment lines came so far. Over gRPC 0."""

    async def late_refusal(self) -> Answer | None:
        """A refusal that came behind what looked like an acceptance, for which it waits; None where none
        comes in time, or none can.
        """

    async def next(self) -> Event:
        """The next event or gap. Raises ClosedError when the server ends it, FlawError when nothing comes in
        time.
        """

    async def quiet(self, seconds: float) -> Event | None:
        """What comes within so many seconds, or None: for what must not come."""

    async def close(self) -> None: ...


class Frames(Protocol):
    """A connection that carries frames of many streams."""

    async def send(self, frame: Mapping[str, Any] | bytes) -> None:
        """A frame as JSON, or bytes as they are. Raises ClosedError when the server has ended it."""

    async def next(self, stream_id: str | None = None) -> JsonObject:
        """The next frame of that stream (None: of any); those of other streams are kept for later.

        Raises ClosedError when the server ends the connection first, FlawError when nothing comes in time.
        """

    async def until_end(self, stream_id: str) -> list[JsonObject]:
        """The frames of a stream up to the one with end_stream true."""

    async def closed(self) -> int | str | None:
        """Waits until the server ends the connection; its close code, or the name of the gRPC status. Frames
        that come before are dropped. Raises FlawError when it stays open.
        """

    async def close(self) -> None: ...


class Stream(Protocol):
    """A streamed invocation on its own. `accepted` is NATS's {header, capability, stream_id}, else None."""

    @property
    def stream_id(self) -> str: ...
    @property
    def accepted(self) -> Answer | None: ...
    async def next(self) -> JsonObject:
        """The next frame. As Frames.next."""

    async def rest(self) -> list[JsonObject]:
        """The frames that are left, up to the terminal one."""

    async def close(self) -> None:
        """Goes away; over gRPC and the WebSocket the connection with it."""


class Driver(Protocol):
    """One binding of the server. What a binding does not have is a NotOnBindingError: the case is wrong."""

    @property
    def binding(self) -> BindingName: ...

    async def call(self, ask: Ask) -> Answer:
        """A request with one answer: http, grpc, nats; INVOKE and CANCEL also over the websocket."""

    async def stream(self, ask: Ask, stream_id: str = "") -> Stream:
        """INVOKE as a stream: websocket, grpc, nats; "" leaves the id to the server.

        Over NATS raises RefusedError where the request is answered with an error in place of a stream.
        """

    async def connect(self, caller: Caller, carried: Mapping[str, str] = _NOTHING) -> Frames:
        """A connection for frames: websocket, grpc. Raises RefusedError where the handshake is refused; over
        grpc, which has none, the first wait for a frame does.
        """

    async def subscribe(self, ask: Ask) -> Subscription:
        """SUBSCRIBE: sse, grpc; returns once the server has opened it. Raises RefusedError."""


class NotOnBindingError(Exception):
    """A check asks a binding for what the protocol does not have there."""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:297]}..."
