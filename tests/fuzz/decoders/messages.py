"""Messages as JSON and as protobuf: what is accepted must be written and read again as the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import msgspec

from fuzz.decoders.target import FindingError, Target
from mig_conformance.vectors import Vectors, load_vectors, packaged_vectors
from mig_protocol import codec, messages
from mig_protocol.errors import MigFault
from mig_protocol.grpc_service import RPCS

_MESSAGES: Sequence[type[msgspec.Struct]] = tuple(
    getattr(messages, vectors.message) for vectors in load_vectors(packaged_vectors())
)
_RPCS = tuple(rpc for rpc in RPCS)


@cache
def all_vectors() -> tuple[Vectors, ...]:
    """The golden messages."""
    return load_vectors(packaged_vectors())


def _json(data: bytes) -> None:
    """The first byte chooses the type of message."""
    message = _MESSAGES[data[0] % len(_MESSAGES)] if data else messages.RequestFrame
    _round_trip(message, data[1:])


def _round_trip(message: type[msgspec.Struct], body: bytes) -> None:
    try:
        read = codec.decode(message, body)
    except MigFault as fault:
        _is_a_refusal(fault)
        return
    written = codec.encode(read)
    if codec.decode(message, written) != read:
        raise FindingError(f"{message.__name__} is another one when it was written and read: {written!r}")


def _protobuf(data: bytes) -> None:
    """The first byte chooses the RPC."""
    rpc = _RPCS[data[0] % len(_RPCS)] if data else _RPCS[0]
    try:
        rpc.decode(data[1:])
    except MigFault as fault:
        _is_a_refusal(fault)


def _is_a_refusal(fault: MigFault) -> None:
    if fault.code is messages.MigErrorCode.MIG_INTERNAL:
        raise FindingError(f"refused as a fault of the server: {fault}")


def _json_seeds() -> Iterator[bytes]:
    for number, vectors in enumerate(all_vectors()):
        for row in vectors.to_send:
            yield bytes([number]) + row.body


def _protobuf_seeds() -> Iterator[bytes]:
    requests = {rpc.request_type.DESCRIPTOR.name: number for number, rpc in enumerate(_RPCS)}
    for vectors in all_vectors():
        for row in vectors.valid:
            if vectors.message in requests and row.protobuf is not None:
                yield bytes([requests[vectors.message]]) + row.protobuf


JSON = Target(name="json", decode=_json, seeds=_json_seeds)
PROTOBUF = Target(name="protobuf", decode=_protobuf, seeds=_protobuf_seeds)
