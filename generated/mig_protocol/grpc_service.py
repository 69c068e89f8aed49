# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""The gRPC services as a table and an abstract service, in the manner of the HTTP stub: no gRPC library is
known here.

A binding registers one handler per row: `decode` turns the bytes of a request into a message, `encode` a
message into the bytes of a response. Refusals are MigFaults; `ERRORS[code].grpc_status` is their status.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple

from google.protobuf.message import DecodeError

from mig_protocol import codec, convert
from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    CancelAck,
    CancelRequest,
    DiscoverRequest,
    DiscoverResponse,
    EventMessage,
    HeartbeatAck,
    HeartbeatRequest,
    HelloRequest,
    HelloResponse,
    InvokeRequest,
    InvokeResponse,
    MigError,
    PublishAck,
    PublishRequest,
    RequestFrame,
    StreamFrame,
    SubscribeRequest,
)
from mig_protocol.operations import Shape
from mig_protocol.pb import mig_pb2 as pb

Metadata = Sequence[tuple[str, str | bytes]]


class GrpcExchange:
    """One RPC. `path` is such as "/mig.v0_1.Invocation/Invoke", `operation` such as "INVOKE"; names in
    `metadata` are lower case, as gRPC has them. `wire_bytes` is the length of the first request message.
    """

    __slots__ = ("metadata", "operation", "path", "peer", "wire_bytes")

    def __init__(self, path: str, operation: str, metadata: Metadata, peer: str, wire_bytes: int = 0) -> None:
        self.path = path
        self.operation = operation
        self.metadata = metadata
        self.peer = peer
        self.wire_bytes = wire_bytes

    def value(self, name: str) -> str | None:
        """The first text value of this name in the metadata, or None."""
        return next((text for key, text in self.metadata if key == name and isinstance(text, str)), None)

    @property
    def tenant(self) -> str | None:
        """The tenant that the metadata names, unchecked."""
        return self.value("x-tenant-id")

    @property
    def authorization(self) -> str | None:
        """The credential that the metadata carries."""
        return self.value("authorization")


class GrpcService(ABC):
    """One method per RPC. A plain value is answered at once; an awaitable is cancelled when the client goes
    away.
    """

    @abstractmethod
    def failed(self, exchange: GrpcExchange, fault: MigFault) -> MigError:
        """The error that goes into the status details. Called exactly once per failed RPC."""

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
    def stream(
        self, exchange: GrpcExchange, requests: AsyncIterator[RequestFrame]
    ) -> AsyncIterator[StreamFrame]:
        """STREAM: Open a WebSocket for streamed invocations."""

    @abstractmethod
    def publish(self, exchange: GrpcExchange, request: PublishRequest) -> PublishAck | Awaitable[PublishAck]:
        """PUBLISH: Append an event to a topic."""

    @abstractmethod
    def subscribe(
        self, exchange: GrpcExchange, request: SubscribeRequest
    ) -> AsyncIterator[EventMessage] | Awaitable[AsyncIterator[EventMessage]]:
        """SUBSCRIBE: Follow a topic as Server-Sent Events."""

    @abstractmethod
    def cancel(self, exchange: GrpcExchange, request: CancelRequest) -> CancelAck | Awaitable[CancelAck]:
        """CANCEL: Stop an invocation."""

    @abstractmethod
    def heartbeat(
        self, exchange: GrpcExchange, request: HeartbeatRequest
    ) -> HeartbeatAck | Awaitable[HeartbeatAck]:
        """HEARTBEAT: Say that one is alive and learn how busy the server is."""


class Rpc(NamedTuple):
    """One gRPC method. `method` is that of GrpcService; `decode` raises MigFault MIG_INVALID_REQUEST."""

    operation: str
    method: str
    path: str
    shape: Shape
    request_type: type[Any]
    response_type: type[Any]
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
        data: bytes = to_pb(value).SerializeToString()
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
        decode=_decoder(pb.HeartbeatRequest, convert.heartbeat_request_from_pb),
        encode=_encoder(convert.heartbeat_ack_to_pb),
    ),
)
