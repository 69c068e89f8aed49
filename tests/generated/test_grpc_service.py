"""The gRPC table: every RPC of the proto file, decoding and encoding between bytes and messages."""

from __future__ import annotations

import pytest

from mig_protocol.errors import MigFault
from mig_protocol.grpc_exchange import GrpcExchange, Metadata
from mig_protocol.grpc_service import RPCS, GrpcService
from mig_protocol.messages import (
    HeartbeatAck,
    InvokeRequest,
    MessageHeader,
    MigErrorCode,
    RequestFrame,
    RequestHeader,
)
from mig_protocol.operations import OPERATION_BY_ID
from mig_protocol.pb import mig_pb2 as pb
from support.scripted_http import NOW

BY_OPERATION = {rpc.operation: rpc for rpc in RPCS}


def test_the_table_is_the_services_of_the_proto_file() -> None:
    services = pb.DESCRIPTOR.services_by_name
    methods = {
        f"/{service.full_name}/{method.name}": (method.input_type.full_name, method.output_type.full_name)
        for service in services.values()
        for method in service.methods
    }
    assert methods == {
        rpc.path: (rpc.request_type.DESCRIPTOR.full_name, rpc.response_type.DESCRIPTOR.full_name)
        for rpc in RPCS
    }


def test_every_rpc_has_its_operation_and_its_method() -> None:
    for rpc in RPCS:
        operation = OPERATION_BY_ID[rpc.operation]
        assert (operation.rpc, operation.method, operation.shape) == (rpc.path, rpc.method, rpc.shape)
        assert rpc.method in GrpcService.__abstractmethods__


def test_bytes_become_messages() -> None:
    wire = pb.InvokeRequest(capability="a.b", header=pb.MessageHeader(tenant_id="acme"))
    wire.payload.update({"n": 1})
    assert BY_OPERATION["INVOKE"].decode(wire.SerializeToString()) == InvokeRequest(
        capability="a.b", header=RequestHeader(tenant_id="acme"), payload={"n": 1}
    )
    frame = pb.StreamFrame(kind=pb.FRAME_KIND_CONTROL)
    assert isinstance(BY_OPERATION["STREAM"].decode(frame.SerializeToString()), RequestFrame)


def test_messages_become_bytes() -> None:
    header = MessageHeader(mig_version="0.1", message_id="m", timestamp=NOW, tenant_id="acme")
    ack = HeartbeatAck(header=header, suggested_interval_ms=5000, load_factor=0.5)
    wire = pb.HeartbeatAck.FromString(BY_OPERATION["HEARTBEAT"].encode(ack))
    assert (wire.header.tenant_id, wire.suggested_interval_ms, wire.load_factor) == ("acme", 5000, 0.5)


@pytest.mark.parametrize("data", [b"\xff", b"\x0a\x05abc", b"\x12\x01\xff"])
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(MigFault) as raised:
        BY_OPERATION["INVOKE"].decode(data)
    assert raised.value.code is MigErrorCode.MIG_INVALID_REQUEST
    assert "mig.v0_1.InvokeRequest" in raised.value.message


def test_the_exchange_reads_its_metadata() -> None:
    metadata: Metadata = [
        ("x-tenant-id", "acme"),
        ("authorization", "Bearer x"),
        ("traceparent-bin", b"\x00"),
    ]
    exchange = GrpcExchange("/mig.v0_1.Discovery/Hello", "HELLO", metadata, "ipv4:127.0.0.1:1")
    exchange.read_carried()
    assert (exchange.tenant, exchange.authorization) == ("acme", "Bearer x")
    assert exchange.carried == RequestHeader(tenant_id="acme")


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ([("x-tenant-id", "a b")], "x-tenant-id is not valid"),
        ([("traceparent", "00-x")], "traceparent is not valid"),
        ([("x-tenant-id", "acme"), ("x-tenant-id", "globex")], "x-tenant-id is given more than once"),
    ],
)
def test_metadata_out_of_bounds_is_refused(metadata: Metadata, says: str) -> None:
    exchange = GrpcExchange("/mig.v0_1.Discovery/Hello", "HELLO", metadata)
    with pytest.raises(MigFault, match=says):
        exchange.read_carried()
