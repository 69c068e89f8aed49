"""A client that shares nothing with the gateway but the .proto file: betterproto2's stubs on grpclib."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from grpclib.client import Channel
from grpclib.exceptions import GRPCError

from mig_protocol.betterproto.google import protobuf as google
from mig_protocol.betterproto.mig import v0_1 as mig
from support.grpc_client import GRPC, REFERENCE
from support.running_migd import local_migd

METADATA = {"x-tenant-id": "acme"}


@asynccontextmanager
async def channel() -> AsyncIterator[Channel]:
    async with local_migd(**GRPC) as migd:
        assert migd.grpc is not None
        opened = Channel(migd.grpc.address.host, migd.grpc.address.port)
        try:
            yield opened
        finally:
            opened.close()


def payload(**fields: Any) -> Any:
    return google.Struct.from_dict(fields)


async def test_hello_and_discover() -> None:
    async with channel() as opened:
        discovery = mig.DiscoveryStub(opened, metadata=METADATA)
        hello = await discovery.hello(mig.HelloRequest(requested_bindings=[mig.BindingType.GRPC]))
        found = await discovery.discover(mig.DiscoverRequest(include_qos=True, include_schema_refs=True))

    assert (hello.selected_version, hello.selected_binding) == ("0.1", mig.BindingType.GRPC)
    (descriptor,) = found.capabilities
    assert descriptor.id == REFERENCE
    assert set(descriptor.modes) == {mig.InvocationMode.UNARY, mig.InvocationMode.SERVER_STREAM}
    assert descriptor.qos is not None
    assert descriptor.qos.delivery_semantics is mig.DeliverySemantics.AT_LEAST_ONCE


async def test_invoke_with_a_whole_header() -> None:
    header = mig.MessageHeader(
        mig_version="0.1",
        message_id="m-1",
        timestamp=datetime.now(UTC),
        tenant_id="acme",
        meta=payload(mine="yes"),
    )
    async with channel() as opened:
        request = mig.InvokeRequest(header=header, capability=REFERENCE, payload=payload(input="hi", n=1))
        answer = await mig.InvocationStub(opened).invoke(request)

    assert answer.header is not None
    assert answer.payload is not None
    assert (answer.header.message_id, answer.header.tenant_id) == ("m-1", "acme")
    assert answer.payload.to_dict()["echo"] == {"input": "hi", "n": 1.0}


async def test_an_error_has_the_mig_error_in_its_details() -> None:
    async with channel() as opened:
        request = mig.InvokeRequest(capability="no.such.thing")
        with pytest.raises(GRPCError) as raised:
            await mig.InvocationStub(opened, metadata=METADATA).invoke(request)

    assert raised.value.status.name == "NOT_FOUND"
    assert raised.value.message is not None
    assert raised.value.message.startswith("MIG_UNSUPPORTED_CAPABILITY: ")
    packed = raised.value.details[0]
    assert packed.DESCRIPTOR.full_name == "mig.v0_1.MigError"


async def test_streamed_invocations() -> None:
    async def frames() -> AsyncIterator[mig.StreamFrame]:
        for stream in ("s-1", "s-2"):
            yield mig.StreamFrame(
                stream_id=stream,
                capability=REFERENCE,
                kind=mig.FrameKind.REQUEST,
                payload=payload(input="a b"),
            )

    async with channel() as opened:
        stub = mig.InvocationStub(opened, metadata=METADATA)
        found = [frame async for frame in stub.stream_invoke(frames())]

    for stream in ("s-1", "s-2"):
        *pieces, last = [frame for frame in found if frame.stream_id == stream]
        assert [piece.payload.to_dict() for piece in pieces if piece.payload] == [
            {"delta": "a "},
            {"delta": "b"},
        ]
        assert last.end_stream
        assert last.error is None


async def test_publish_subscribe_cancel_and_heartbeat() -> None:
    async with channel() as opened:
        events, control = (
            mig.EventsStub(opened, metadata=METADATA),
            mig.ControlStub(opened, metadata=METADATA),
        )
        for number in range(3):
            await events.publish(mig.PublishRequest(topic="a.b", payload=payload(n=number)))
        found = []
        async for event in events.subscribe(mig.SubscribeRequest(topic="a.b", resume_cursor="1")):
            found.append((event.sequence, event.replay))
            if len(found) == 2:
                break
        ack = await control.cancel(mig.CancelRequest(target_message_id="m-9"))
        beat = await control.heartbeat(mig.HeartbeatRequest(interval_ms=7000))

    assert found == [(2, True), (3, True)]
    assert (ack.accepted, ack.status) == (True, "pending")
    assert (beat.suggested_interval_ms, beat.load_factor) == (7000, 0.0)
