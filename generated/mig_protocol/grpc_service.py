# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""The gRPC services as a table and an abstract service, in the manner of the HTTP stub: no gRPC library is
known here.

`decode` of a row turns the bytes of a request into a message, `encode` a message into the bytes of a response.
Refusals are MigFaults; `mig_protocol.grpc_server` makes the status of one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, NamedTuple, Protocol

from google.protobuf.message import DecodeError

from mig_protocol import codec, convert
from mig_protocol.errors import MigFault
from mig_protocol.grpc_exchange import GrpcExchange
from mig_protocol.messages import (
    CancelAck,
    CancelRequest,
    DiscoverRequest,
    DiscoverResponse,
    ErrorEnvelope,
    EventMessage,
    HeartbeatAck,
    HeartbeatRequest,
    HelloRequest,
    HelloResponse,
    InvokeRequest,
    InvokeResponse,
    PublishAck,
    PublishRequest,
    StreamFrame,
    SubscribeRequest,
)
from mig_protocol.operations import Shape
from mig_protocol.pb import mig_pb2 as pb


class GrpcDuplex(Protocol):
    """The two directions of an RPC in which both sides send many messages."""

    async def receive(self) -> bytes | None:
        """The client's next message; None once it has sent its last. Raises MigFault for one over the limit."""

    async def send(self, message: bytes) -> None:
        """Send a message; returns when there is room for another. A client that is gone takes it, too: the
        call is cancelled then, and that is how one learns of it.
        """


class GrpcService(ABC):
    """One method per RPC, each taking the checked request. A plain value is answered at once; an awaitable
    is cancelled when the client goes away.
    """

    @abstractmethod
    def failed(self, exchange: GrpcExchange, fault: MigFault) -> ErrorEnvelope:
        """The header and error that go into the status details. Called exactly once per failed RPC.

        For MIG_INTERNAL `fault.__cause__` is the exception that was not expected; it is for the log only.
        """

    @abstractmethod
    def hello(
        self, exchange: GrpcExchange, request: HelloRequest
    ) -> HelloResponse | Awaitable[HelloResponse]:
        """HELLO: Agree on version, binding and features."""

    @abstractmethod
    def discover(
        self, exchange: GrpcExchange, request: DiscoverRequest
    ) -> DiscoverResponse | Awaitable[DiscoverResponse]:
        """DISCOVER: List the capabilities that the caller may see."""

    @abstractmethod
    def invoke(
        self, exchange: GrpcExchange, request: InvokeRequest
    ) -> InvokeResponse | Awaitable[InvokeResponse]:
        """INVOKE: Call a capability and wait for its answer."""

    @abstractmethod
    def stream(self, exchange: GrpcExchange, messages: GrpcDuplex) -> Awaitable[None]:
        """STREAM: Open a WebSocket for streamed invocations.

        Takes encoded messages and gives encoded ones: what is wrong with one of them need not be the end
        of the call. Returns, or refuses, when the call is over.
        """

    @abstractmethod
    def publish(self, exchange: GrpcExchange, request: PublishRequest) -> PublishAck | Awaitable[PublishAck]:
        """PUBLISH: Append an event to a topic."""

    @abstractmethod
    def subscribe(
        self, exchange: GrpcExchange, request: SubscribeRequest
    ) -> AsyncIterator[bytes] | Awaitable[AsyncIterator[bytes]]:
        """SUBSCRIBE: Follow a topic as Server-Sent Events.

        Gives encoded EventMessages, so that what many read is encoded once. The iterator is closed with
        aclose() where it has one.
        """

    @abstractmethod
    def cancel(self, exchange: GrpcExchange, request: CancelRequest) -> CancelAck | Awaitable[CancelAck]:
        """CANCEL: Stop an invocation."""

    @abstractmethod
    def heartbeat(
        self, exchange: GrpcExchange, request: HeartbeatRequest
    ) -> HeartbeatAck | Awaitable[HeartbeatAck]:
        """HEARTBEAT: Say that one is alive and learn how busy the server is."""


class Rpc(NamedTuple):
    """One gRPC method. `method` is that of GrpcService, `answer` the message type of its response;
    `decode` raises MigFault MIG_INVALID_REQUEST.
    """

    operation: str
    method: str
    path: str
    shape: Shape
    request_type: type[Any]
    response_type: type[Any]
    answer: type[Any]
    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]


def _decoder(message: type[Any], from_pb: Callable[[Any], Any]) -> Callable[[bytes], Any]:
    parse = message.FromString

    def decode(data: bytes) -> Any:
        try:
            parsed = parse(data)
        except DecodeError:
            why = f"not a {message.DESCRIPTOR.full_name}"
            raise codec.refusal(f"the request is {why}", "", why) from None
        return from_pb(parsed)

    return decode


def _encoder(to_pb: Callable[[Any], Any]) -> Callable[[Any], bytes]:
    def encode(value: Any) -> bytes:
        try:
            data: bytes = to_pb(value).SerializeToString()
        except (ValueError, TypeError):
            # A payload of plain Python may hold what protobuf has not and JSON writes somehow: dates, NaN, keys
            # that are numbers. Its readers get the same over every binding.
            data = to_pb(codec.decode(type(value), codec.encode(value))).SerializeToString()
        return data

    return encode


RPCS: Final = (
    Rpc(
        operation="HELLO",
        method="hello",
        path="/mig.v0_1.Discovery/Hello",
        shape="unary",
        request_type=pb.HelloRequest,
        response_type=pb.HelloResponse,
        answer=HelloResponse,
        decode=_decoder(pb.HelloRequest, convert.hello_request_from_pb),
        encode=_encoder(convert.hello_response_to_pb),
    ),
    Rpc(
        operation="DISCOVER",
        method="discover",
        path="/mig.v0_1.Discovery/Discover",
        shape="unary",
        request_type=pb.DiscoverRequest,
        response_type=pb.DiscoverResponse,
        answer=DiscoverResponse,
        decode=_decoder(pb.DiscoverRequest, convert.discover_request_from_pb),
        encode=_encoder(convert.discover_response_to_pb),
    ),
    Rpc(
        operation="INVOKE",
        method="invoke",
        path="/mig.v0_1.Invocation/Invoke",
        shape="unary",
        request_type=pb.InvokeRequest,
        response_type=pb.InvokeResponse,
        answer=InvokeResponse,
        decode=_decoder(pb.InvokeRequest, convert.invoke_request_from_pb),
        encode=_encoder(convert.invoke_response_to_pb),
    ),
    Rpc(
        operation="STREAM",
        method="stream",
        path="/mig.v0_1.Invocation/StreamInvoke",
        shape="duplex",
        request_type=pb.StreamFrame,
        response_type=pb.StreamFrame,
        answer=StreamFrame,
        decode=_decoder(pb.StreamFrame, convert.request_frame_from_pb),
        encode=_encoder(convert.stream_frame_to_pb),
    ),
    Rpc(
        operation="PUBLISH",
        method="publish",
        path="/mig.v0_1.Events/Publish",
        shape="unary",
        request_type=pb.PublishRequest,
        response_type=pb.PublishAck,
        answer=PublishAck,
        decode=_decoder(pb.PublishRequest, convert.publish_request_from_pb),
        encode=_encoder(convert.publish_ack_to_pb),
    ),
    Rpc(
        operation="SUBSCRIBE",
        method="subscribe",
        path="/mig.v0_1.Events/Subscribe",
        shape="server_stream",
        request_type=pb.SubscribeRequest,
        response_type=pb.EventMessage,
        answer=EventMessage,
        decode=_decoder(pb.SubscribeRequest, convert.subscribe_request_from_pb),
        encode=_encoder(convert.event_message_to_pb),
    ),
    Rpc(
        operation="CANCEL",
        method="cancel",
        path="/mig.v0_1.Control/Cancel",
        shape="unary",
        request_type=pb.CancelRequest,
        response_type=pb.CancelAck,
        answer=CancelAck,
        decode=_decoder(pb.CancelRequest, convert.cancel_request_from_pb),
        encode=_encoder(convert.cancel_ack_to_pb),
    ),
    Rpc(
        operation="HEARTBEAT",
        method="heartbeat",
        path="/mig.v0_1.Control/Heartbeat",
        shape="unary",
        request_type=pb.HeartbeatRequest,
        response_type=pb.HeartbeatAck,
        answer=HeartbeatAck,
        decode=_decoder(pb.HeartbeatRequest, convert.heartbeat_request_from_pb),
        encode=_encoder(convert.heartbeat_ack_to_pb),
    ),
)
