"""gRPC unary invoke with everything on, against grpc.aio that only moves bytes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import uvloop
from tools.bench import processes
from tools.bench.grpc_load import drive_grpc, grpc_message, request_block
from tools.bench.processes import Server
from tools.bench.report import Figure
from tools.bench.unary import Turn, figures, message_ids

import grpc
from mig_protocol.pb import mig_pb2 as pb

IN_FLIGHT = 32
_PATH = "/mig.v0_1.Invocation/Invoke"
_FLOOR = "tools.bench.grpc_floor"


def measure(*, quick: bool) -> Iterator[Figure]:
    """Calls per second with 32 in flight, and how far the slowest hundredth is from the middle."""
    rounds, seconds = (3, 0.7) if quick else (9, 2.0)
    requests = [_invocation(message_id) for message_id in message_ids()]
    messages = [grpc_message(request) for request in requests]
    with (
        processes.migd(MIGD_GRPC_ADDR="127.0.0.1:0") as server,
        processes.floor(len(_answer(server.grpc_port, requests[0])), _FLOOR) as floor,
    ):
        for one in ((floor, floor.port), (server, server.grpc_port)):
            _turn(*one, messages, seconds / 2)
        turns = [
            (
                _turn(floor, floor.port, messages, seconds),
                _turn(server, server.grpc_port, messages, seconds),
            )
            for _ in range(rounds)
        ]
    yield from figures("gRPC unary invoke", 0.85, turns)


def _turn(server: Server, port: int, messages: list[bytes], seconds: float) -> Turn:
    before = server.cpu_s
    block = request_block(_PATH)
    load = uvloop.run(drive_grpc(port, block, messages, in_flight=IN_FLIGHT, seconds=seconds))
    return Turn(load, (server.cpu_s - before) / len(load.latencies) * 1e6)


def _answer(port: int, request: bytes) -> bytes:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(_PATH, request_serializer=None, response_deserializer=None)
        answer: bytes = call(request)
        return answer


def _invocation(message_id: str) -> bytes:
    header = pb.MessageHeader(mig_version="0.1", message_id=message_id, tenant_id="acme", deadline_ms=30000)
    header.timestamp.FromDatetime(datetime(2026, 1, 15, 9, 30, tzinfo=UTC))
    header.meta.SetInParent()
    request = pb.InvokeRequest(
        header=header,
        capability="observatory.models.infer",
        stream_preference=pb.STREAM_PREFERENCE_UNARY,
    )
    request.payload.update({"input": "The quick brown fox jumps over the lazy dog."})
    return request.SerializeToString()
