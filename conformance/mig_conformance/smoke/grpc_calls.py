"""A MIG server over gRPC: the messages of `mig_protocol` out and in, by grpcio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

from google.protobuf.message import Message
from grpc import StatusCode, aio

from mig_conformance.flaws import FlawError, same
from mig_conformance.smoke.report import ServerGoneError
from mig_protocol import convert
from mig_protocol.errors import ERRORS, MigFault
from mig_protocol.grpc_status import DETAILS_KEY, fault_in
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
    PublishAck,
    PublishRequest,
    RequestFrame,
    StreamFrame,
    SubscribeRequest,
)
from mig_protocol.pb import mig_pb2 as pb

_PACKAGE = "mig.v0_1"

M = TypeVar("M")
P = TypeVar("P", bound=Message)


class GrpcCalls:
    """Calls as `tenant`, named in the metadata; None names none. See `calls.Calls` for what they raise."""

    def __init__(self, channel: aio.Channel, tenant: str | None, token: str | None) -> None:
        self._channel = channel
        self.tenant = tenant or ""
        self._metadata = tuple(
            (key, value)
            for key, value in (("x-tenant-id", tenant), ("authorization", token and f"Bearer {token}"))
            if value
        )

    async def hello(self, request: HelloRequest) -> HelloResponse:
        sent = convert.hello_request_to_pb(request)
        return await self._unary("Discovery/Hello", sent, pb.HelloResponse, convert.hello_response_from_pb)

    async def discover(self, request: DiscoverRequest) -> DiscoverResponse:
        sent = convert.discover_request_to_pb(request)
        return await self._unary(
            "Discovery/Discover", sent, pb.DiscoverResponse, convert.discover_response_from_pb
        )

    async def invoke(self, request: InvokeRequest) -> InvokeResponse:
        sent = convert.invoke_request_to_pb(request)
        return await self._unary(
            "Invocation/Invoke", sent, pb.InvokeResponse, convert.invoke_response_from_pb
        )

    async def publish(self, request: PublishRequest) -> PublishAck:
        sent = convert.publish_request_to_pb(request)
        return await self._unary("Events/Publish", sent, pb.PublishAck, convert.publish_ack_from_pb)

    async def cancel(self, request: CancelRequest) -> CancelAck:
        sent = convert.cancel_request_to_pb(request)
        return await self._unary("Control/Cancel", sent, pb.CancelAck, convert.cancel_ack_from_pb)

    async def heartbeat(self, request: HeartbeatRequest) -> HeartbeatAck:
        sent = convert.heartbeat_request_to_pb(request)
        return await self._unary("Control/Heartbeat", sent, pb.HeartbeatAck, convert.heartbeat_ack_from_pb)

    async def subscribe(self, request: SubscribeRequest) -> AsyncGenerator[EventMessage, None]:
        """The events as they come, until the iterator is closed."""
        opened: Any = self._channel.unary_stream(
            f"/{_PACKAGE}.Events/Subscribe",
            request_serializer=pb.SubscribeRequest.SerializeToString,
            response_deserializer=pb.EventMessage.FromString,
        )
        call = opened(convert.subscribe_request_to_pb(request), metadata=self._metadata)
        try:
            async for event in call:
                yield _read(convert.event_message_from_pb, event)
        except aio.AioRpcError as status:
            raise _failure(status) from None
        finally:
            call.cancel()

    def streams(self) -> FrameCall:
        """A StreamInvoke call; close it after use."""
        opened: Any = self._channel.stream_stream(
            f"/{_PACKAGE}.Invocation/StreamInvoke",
            request_serializer=pb.StreamFrame.SerializeToString,
            response_deserializer=pb.StreamFrame.FromString,
        )
        return FrameCall(opened(metadata=self._metadata))

    async def _unary(self, method: str, sent: Any, answer: type[P], from_pb: Callable[[P], M]) -> M:
        call: Any = self._channel.unary_unary(
            f"/{_PACKAGE}.{method}",
            request_serializer=type(sent).SerializeToString,
            response_deserializer=answer.FromString,
        )
        try:
            received = await call(sent, metadata=self._metadata)
        except aio.AioRpcError as status:
            raise _failure(status) from None
        return _read(from_pb, received)


class FrameCall:
    """One StreamInvoke call: frames out and in."""

    def __init__(self, call: Any) -> None:
        self._call = call

    async def send(self, frame: RequestFrame) -> None:
        """Raises FlawError when the server has ended the call."""
        try:
            await self._call.write(convert.request_frame_to_pb(frame))
        except (aio.AioRpcError, asyncio.InvalidStateError):
            # A status that comes while a frame is sent is lost in the library, which then says INTERNAL.
            raise FlawError("the server ended the call while frames were sent to it") from None

    async def receive(self) -> StreamFrame:
        """The next frame. Raises FlawError when the server has ended the call."""
        try:
            frame = await self._call.read()
        except aio.AioRpcError as status:
            raise _failure(status) from None
        if frame is aio.EOF:  # type: ignore[attr-defined]
            raise FlawError("the server ended the call")
        return _read(convert.stream_frame_from_pb, frame)

    async def until_end(self, stream_id: str) -> list[StreamFrame]:
        """The frames of the only stream that is open, to its terminal one."""
        frames: list[StreamFrame] = []
        while not (frames and frames[-1].end_stream):
            frames.append(await self.receive())
            same("stream_id", frames[-1].stream_id, stream_id)
        return frames

    def close(self) -> None:
        self._call.cancel()


def _read(from_pb: Callable[[P], M], wire: P) -> M:
    try:
        return from_pb(wire)
    except MigFault as fault:
        raise FlawError(f"the answer is not valid: {fault.message}") from None


def _failure(status: aio.AioRpcError) -> Exception:
    """What the server said, once its status, message and details have been found to agree."""
    trailing: Any = status.trailing_metadata() or ()
    details = dict(trailing).get(DETAILS_KEY)
    fault = fault_in(details) if isinstance(details, bytes) else None
    if fault is None and status.code() is StatusCode.UNAVAILABLE:
        return ServerGoneError(f"the server does not answer: {status.details()}")
    if fault is None:
        return FlawError(f"{status.code().name} ({status.details()}) has no MigError in its status details")
    try:
        same("the status code", status.code().name, ERRORS[fault.code].grpc_name)
        same("the status message", status.details(), f"{fault.code.value}: {fault.message}")
    except FlawError as flaw:
        return flaw
    return fault
