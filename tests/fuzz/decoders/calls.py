"""gRPC calls: metadata in any spelling, and the message behind it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from fuzz.decoders.messages import PROTOBUF
from fuzz.decoders.service import is_refused_well, service_of
from fuzz.decoders.target import Target
from mig_protocol.grpc_server import RPCS, GrpcExchange, GrpcStub
from mig_protocol.grpc_service import GrpcService

_LIMIT = 1 << 16
_UNARY = tuple(rpc for rpc in RPCS if rpc.shape == "unary")
_METADATA = b"x-tenant-id:acme\ntraceparent:00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n"


@cache
def _stub() -> tuple[GrpcStub, Any]:
    service = service_of(GrpcService)
    return GrpcStub(service, max_message_bytes=_LIMIT, max_frame_bytes=_LIMIT), service


def _grpc(data: bytes) -> None:
    """The first byte chooses the RPC; then metadata, a line each, an empty line and the message."""
    rpc = _UNARY[data[0] % len(_UNARY)] if data else _UNARY[0]
    head, _, message = data[1:].partition(b"\n\n")
    lines = [line.partition(":") for line in head.decode("latin-1").split("\n")]
    exchange = GrpcExchange(rpc.path, rpc.operation, [(name.lower(), value) for name, _, value in lines])
    stub, service = _stub()
    try:
        stub.unary(rpc)(exchange, message)
    except Exception as error:
        is_refused_well(service, stub.refuse(exchange, error))


def _grpc_seeds() -> Iterator[bytes]:
    for number, seed in enumerate(PROTOBUF.seeds()):
        yield bytes([number]) + _METADATA + b"authorization:Bearer x\n\n" + seed[1:]
    yield b"\x00x-tenant-id:acme\nx-tenant-id:other\n\n"


GRPC = Target(name="grpc", decode=_grpc, seeds=_grpc_seeds)
