"""Does a running server take the golden protobuf messages over gRPC, and refuse the malformed ones?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status
from grpc.aio import AioRpcError, Channel

from mig_conformance import reference
from mig_conformance.errors import error_flaws
from mig_conformance.golden.protobuf_requests import fill
from mig_conformance.golden.saying import NotExpressibleError
from mig_conformance.requests import TENANT, default_value, named_tenant
from mig_conformance.vectors import Malformed, Valid, Vectors
from mig_conformance.verdict import Verdict
from mig_protocol import codec, convert
from mig_protocol.errors import ERRORS, MigFault
from mig_protocol.grpc_service import RPCS, Rpc
from mig_protocol.messages import MigErrorCode
from mig_protocol.operations import OPERATIONS, Operation
from mig_protocol.pb import mig_pb2 as pb

PATIENCE_S = 10.0
_RPCS = {rpc.operation: rpc for rpc in RPCS}
_OPERATIONS = {operation.id: operation for operation in OPERATIONS}
_DETAILS = "grpc-status-details-bin"


def over_grpc(all_vectors: Iterable[Vectors]) -> list[Vectors]:
    """Those that are the request of an RPC with one answer."""
    return [vectors for vectors in all_vectors if _is_unary(vectors)]


async def judge_grpc(vectors: Vectors, channel: Channel) -> list[Verdict]:
    """One verdict for each row. The server must not authenticate its callers."""
    rpc = _RPCS[str(vectors.operation)]
    return [await _judge(vectors, rpc, row, channel) for row in vectors.to_send]


def request_bytes(rpc: Rpc, row: Valid | Malformed) -> bytes:
    """The request that carries the message. Raises NotExpressibleError where protobuf can not."""
    if isinstance(row, Valid):
        if row.protobuf is None:
            raise NotExpressibleError("protobuf has no form of it that means the same")
        message: Message = rpc.request_type.FromString(row.protobuf)
    else:
        message = rpc.request_type()
        fill(message, row.json)
    _name_defaults(_OPERATIONS[rpc.operation], message)
    return message.SerializeToString()


def metadata_for(row: Valid | Malformed) -> tuple[tuple[str, str], ...]:
    """The tenant, where the message does not name one."""
    return () if named_tenant(row) is not None else (("x-tenant-id", TENANT),)


def as_json(message: msgspec.Struct) -> Any:
    """The message as the JSON bindings would have it."""
    return json.loads(codec.encode(message))


def refusal_flaws(row: Malformed, error: AioRpcError) -> Iterator[str]:
    """Status, its message and its details (protocol section 3)."""
    expected = ERRORS[MigErrorCode(row.code)].grpc_status
    if error.code().value[0] != expected:
        yield f"answered with {error.code()}, not with {expected}: {error.details()}"
        return
    if not (error.details() or "").startswith(f"{row.code}: "):
        yield f"the status message is {error.details()!r}, not '{row.code}: …'"
    refusal = _details(error)
    if refusal is None:
        yield "the status details hold no MigError"
    else:
        yield from error_flaws(row, refusal)


def _is_unary(vectors: Vectors) -> bool:
    rpc = _RPCS.get(vectors.operation or "")
    return rpc is not None and rpc.shape == "unary"


async def _judge(vectors: Vectors, rpc: Rpc, row: Valid | Malformed, channel: Channel) -> Verdict:
    try:
        request = request_bytes(rpc, row)
    except NotExpressibleError as reason:
        return Verdict(vectors.message, row.name, skipped=str(reason))
    raw: Any = channel
    try:
        answer = await raw.unary_unary(rpc.path)(request, metadata=metadata_for(row), timeout=PATIENCE_S)
    except AioRpcError as error:
        flaws = refusal_flaws(row, error) if isinstance(row, Malformed) else [f"refused: {error.details()}"]
        return Verdict(vectors.message, row.name, tuple(flaws))
    if isinstance(row, Malformed):
        return Verdict(vectors.message, row.name, ("accepted",))
    return Verdict(vectors.message, row.name, tuple(_accepted(rpc, answer)))


def _accepted(rpc: Rpc, answer: bytes) -> Iterator[str]:
    operation = _OPERATIONS[rpc.operation]
    name = operation.response.__name__ if operation.response else ""
    try:
        message = getattr(convert, f"{_snake(name)}_from_pb")(rpc.response_type.FromString(answer))
    except (DecodeError, MigFault) as error:
        yield f"the answer is no {name}: {error}"
        return
    if not reference.accepts(name, as_json(message)):
        yield f"the answer is no {name}: {as_json(message)}"


def _name_defaults(operation: Operation, message: Message) -> None:
    # There is no path: what it would have named stands in the message.
    for parameter, field in operation.path_fields.items():
        if not getattr(message, field):
            setattr(message, field, default_value(parameter))


def _details(error: AioRpcError) -> Any:
    metadata: Any = error.trailing_metadata() or ()
    for key, value in metadata:
        if key == _DETAILS and isinstance(value, bytes):
            for detail in Status.FromString(value).details:
                refusal = pb.MigError()
                if detail.Unpack(refusal):
                    return as_json(convert.mig_error_from_pb(refusal))
    return None


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
