"""A gRPC client of the tenant acme: grpcio and the generated stubs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.rpc import status_pb2
from grpc import aio

from mig_protocol.errors import ERRORS
from mig_protocol.pb import mig_pb2 as pb
from mig_protocol.pb import mig_pb2_grpc
from migd.core.catalog import Capability
from support.running_migd import LocalMigd, local_migd

REFERENCE = "observatory.models.infer"
GRPC = {"MIGD_GRPC_ADDR": "127.0.0.1:0"}
_stubs: Any = mig_pb2_grpc


class GrpcClient:
    """One channel. `metadata` goes with every call."""

    def __init__(self, channel: aio.Channel, metadata: tuple[tuple[str, str], ...]) -> None:
        self.channel = channel
        self.metadata = metadata
        self._discovery = _stubs.DiscoveryStub(channel)
        self._invocation = _stubs.InvocationStub(channel)
        self._events = _stubs.EventsStub(channel)
        self._control = _stubs.ControlStub(channel)

    def hello(self, **fields: Any) -> Any:
        return self._discovery.Hello(pb.HelloRequest(**fields), metadata=self.metadata)

    def discover(self, **fields: Any) -> Any:
        return self._discovery.Discover(pb.DiscoverRequest(**fields), metadata=self.metadata)

    def invoke(
        self, capability: str = REFERENCE, payload: Any = None, *, timeout: float | None = None, **header: Any
    ) -> Any:
        request = pb.InvokeRequest(capability=capability, header=message_header(**header))
        request.payload.update({"input": "hello"} if payload is None else payload)
        return self._invocation.Invoke(request, metadata=self.metadata, timeout=timeout)

    def publish(self, topic: str, payload: Any = None, **header: Any) -> Any:
        request = pb.PublishRequest(topic=topic, header=message_header(**header))
        request.payload.update(payload or {})
        return self._events.Publish(request, metadata=self.metadata)

    def cancel(self, target: str, **fields: Any) -> Any:
        return self._control.Cancel(
            pb.CancelRequest(target_message_id=target, **fields), metadata=self.metadata
        )

    def heartbeat(self, **fields: Any) -> Any:
        return self._control.Heartbeat(pb.HeartbeatRequest(**fields), metadata=self.metadata)

    async def subscribe(self, topic: str, **fields: Any) -> Any:
        """A subscription whose position in the log is taken."""
        call = self._events.Subscribe(pb.SubscribeRequest(topic=topic, **fields), metadata=self.metadata)
        await call.initial_metadata()
        return call

    def frames(self, *, timeout: float | None = None) -> Frames:
        return Frames(self._invocation.StreamInvoke(metadata=self.metadata, timeout=timeout))

    def raw(self, path: str, data: bytes) -> Any:
        """A unary call with these bytes as its request."""
        call: Any = self.channel.unary_unary(path, request_serializer=None, response_deserializer=None)
        return call(data, metadata=self.metadata)


class Frames:
    """One StreamInvoke call."""

    def __init__(self, call: Any) -> None:
        self.call = call

    async def send(self, kind: Any, stream_id: str = "", payload: Any = None, **fields: Any) -> None:
        frame = pb.StreamFrame(kind=kind, stream_id=stream_id, **fields)
        if payload is not None:
            frame.payload.update(payload)
        await self.call.write(frame)

    async def start(
        self, stream_id: str, capability: str = REFERENCE, payload: Any = None, **fields: Any
    ) -> None:
        given = {"input": "a b c"} if payload is None else payload
        await self.send(pb.FRAME_KIND_REQUEST, stream_id, given, capability=capability, **fields)

    async def next(self) -> Any:
        frame = await self.call.read()
        assert frame is not aio.EOF, await self.call.code()  # type: ignore[attr-defined]
        return frame

    async def until_end(self, stream_id: str) -> list[Any]:
        """The frames of one stream to its terminal one; those of others are dropped."""
        frames: list[Any] = []
        while not (frames and frames[-1].end_stream):
            frame = await self.next()
            if frame.stream_id == stream_id:
                frames.append(frame)
        return frames


def message_header(**fields: Any) -> pb.MessageHeader:
    """A MessageHeader; `meta` as a dict."""
    meta = fields.pop("meta", None)
    header = pb.MessageHeader(**fields)
    if meta is not None:
        header.meta.update(meta)
    return header


def plain(message: Any) -> Any:
    """A Struct as Python has it; numbers are floats."""
    return MessageToDict(message)


async def refused(call: Awaitable[Any]) -> tuple[aio.AioRpcError, pb.MigError]:
    """The status of a call that must fail, and the MigError in its details, read with Google's own types."""
    with pytest.raises(aio.AioRpcError) as raised:
        await call
    return raised.value, error_in(raised.value)


def trailing(status: aio.AioRpcError) -> dict[str, Any]:
    """The metadata that came with a status."""
    pairs: Any = status.trailing_metadata() or ()
    return dict(pairs)


def error_in(status: aio.AioRpcError) -> pb.MigError:
    """The MigError of a status. Checks that code, message and details agree."""
    rich = status_pb2.Status.FromString(trailing(status)["grpc-status-details-bin"])
    error = pb.MigError()
    assert rich.details[0].type_url == "type.googleapis.com/mig.v0_1.MigError"
    assert rich.details[0].Unpack(error)
    name = pb.MigErrorCode.Name(error.code)
    row = next(row for code, row in ERRORS.items() if code.value == name)
    assert (status.code().value[0], rich.code) == (row.grpc_status, row.grpc_status)
    assert status.details() == rich.message == f"{name}: {error.message}"
    return error


def header_in(status: aio.AioRpcError) -> pb.MessageHeader:
    """The MessageHeader beside the MigError."""
    header = pb.MessageHeader()
    rich = status_pb2.Status.FromString(trailing(status)["grpc-status-details-bin"])
    assert rich.details[1].Unpack(header)
    return header


@asynccontextmanager
async def connected(
    migd: LocalMigd, tenant: str | None = "acme", **metadata: str
) -> AsyncIterator[GrpcClient]:
    """A client of its own; `metadata` go with every call."""
    assert migd.grpc is not None
    carried = {} if tenant is None else {"x-tenant-id": tenant}
    # A connection of its own: channels of one process to one address would share theirs.
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with aio.insecure_channel(str(migd.grpc.address), options=options) as channel:
        yield GrpcClient(channel, tuple({**carried, **metadata}.items()))


@asynccontextmanager
async def grpc_migd(*capabilities: Capability, **environ: str) -> AsyncIterator[tuple[LocalMigd, GrpcClient]]:
    """A gateway with gRPC, and a client of the tenant acme."""
    async with local_migd(*capabilities, **{**GRPC, **environ}) as migd, connected(migd) as client:
        yield migd, client
