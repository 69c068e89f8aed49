"""What callers do over gRPC."""

from __future__ import annotations

from typing import Any

from grpc import aio
from tools.soak.caller import Caller
from tools.soak.kind import REFERENCE, WAITING, kind
from tools.soak.names import Names

from mig_protocol.pb import mig_pb2 as pb
from mig_protocol.pb import mig_pb2_grpc

_stubs: Any = mig_pb2_grpc


async def _invoke(caller: Caller, names: Names) -> str:
    return await _invoked(caller, names, {"input": "hello"})


async def _invoke_refused(caller: Caller, names: Names) -> str:
    return await _invoked(caller, names, {})


async def _invoked(caller: Caller, names: Names, payload: dict[str, Any]) -> str:
    request = pb.InvokeRequest(capability=REFERENCE)
    request.payload.update(payload)
    try:
        await _stubs.InvocationStub(caller.channel).Invoke(request, metadata=_metadata(names.tenant()))
    except aio.AioRpcError as error:
        return error.code().name
    return "OK"


async def _resume(caller: Caller, names: Names) -> str:
    """Publish, and subscribe from before that: what comes first is what was published."""
    stub, topic, metadata = _stubs.EventsStub(caller.channel), names.topic(), _metadata(names.tenant())
    ack = await stub.Publish(pb.PublishRequest(topic=topic), metadata=metadata)
    cursor = str(ack.sequence - 1)
    call = stub.Subscribe(pb.SubscribeRequest(topic=topic, resume_cursor=cursor), metadata=metadata)
    event = await call.read()
    call.cancel()
    return "resumed" if event.event_id == ack.event_id else f"{event}"


async def _stream(caller: Caller, names: Names) -> str:
    call = await _begun(caller, names, REFERENCE, {"input": "a few words for it"})
    while not (frame := await call.read()).end_stream:
        pass
    call.cancel()
    return str(pb.FrameKind.Name(frame.kind))


async def _stream_left(caller: Caller, names: Names) -> str:
    """A caller that goes away in the middle."""
    call = await _begun(caller, names, WAITING, {})
    frame = await call.read()
    call.cancel()
    return "left" if not frame.end_stream else f"{frame}"


async def _begun(caller: Caller, names: Names, capability: str, payload: dict[str, Any]) -> Any:
    call = _stubs.InvocationStub(caller.channel).StreamInvoke(metadata=_metadata(names.tenant()))
    frame = pb.StreamFrame(kind=pb.FRAME_KIND_REQUEST, stream_id="s", capability=capability)
    frame.payload.update(payload)
    await call.write(frame)
    return call


def _metadata(tenant: str) -> tuple[tuple[str, str], ...]:
    return (("x-tenant-id", tenant),)


GRPC_KINDS = (
    kind("gRPC invoke", _invoke, 5, "OK", filling=3, ran="OK"),
    kind("gRPC invoke, not valid", _invoke_refused, 1, "INVALID_ARGUMENT"),
    kind("gRPC publish and resume", _resume, 1, "resumed"),
    kind("gRPC stream", _stream, 1, "FRAME_KIND_RESPONSE", filling=1, ran="FRAME_KIND_RESPONSE"),
    kind("gRPC stream, left", _stream_left, 1, "left", ran="left"),
)
