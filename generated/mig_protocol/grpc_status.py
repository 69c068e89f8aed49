# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""The details of a failed gRPC call: a google.rpc.Status with the MigError in it, packed as an Any
[MIG-ERR-008].

It travels as the trailing metadata `grpc-status-details-bin`, as gRPC's richer error model has it. The header
of the answer is packed beside the error, where there is room.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message
from msgspec import UNSET

from mig_protocol import convert
from mig_protocol.errors import ERRORS, MigFault
from mig_protocol.messages import ErrorEnvelope, MigError, MigErrorCode
from mig_protocol.pb import mig_pb2 as pb

DETAILS_KEY: Final = "grpc-status-details-bin"
"""The metadata key that status details have."""

# Clients take 8 KiB of metadata by default, in which these bytes are base64 and the message is there again.
_ROOM: Final = 4096
_MESSAGE_ROOM: Final = 512


def _status_type() -> Any:
    """google.rpc.Status. Made here, in a pool of its own: the package that has it is not worth a dependency,
    and a program that does use it keeps its own.
    """
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="google/rpc/status.proto",
        package="google.rpc",
        syntax="proto3",
        dependency=[any_pb2.DESCRIPTOR.name],
    )
    status = file.message_type.add(name="Status")
    status.field.add(name="code", number=1, type=field.TYPE_INT32, label=field.LABEL_OPTIONAL)
    status.field.add(name="message", number=2, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    status.field.add(
        name="details",
        number=3,
        type=field.TYPE_MESSAGE,
        type_name=".google.protobuf.Any",
        label=field.LABEL_REPEATED,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(any_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("google.rpc.Status"))


_Status: Final = _status_type()


def status_message(error: MigError) -> str:
    """`CODE: message`, shortened where it is longer than metadata should be."""
    return f"{error.code.value}: {error.message}"[:_MESSAGE_ROOM]


def status_details(envelope: ErrorEnvelope) -> bytes:
    """The value of `grpc-status-details-bin`. Details of the error that are too long for metadata are cut:
    violations to the first few, anything else to `{"truncated": true}`; and `header` is then left out.
    """
    error = envelope.error
    status = _Status(code=ERRORS[error.code].grpc_status, message=status_message(error))
    packed = convert.mig_error_to_pb(_fitting(error))
    _pack(status, packed)
    header = convert.message_header_to_pb(envelope.header)
    if status.ByteSize() + header.ByteSize() < _ROOM:
        _pack(status, header)
    data: bytes = status.SerializeToString()
    return data


def fault_in(details: bytes) -> MigFault | None:
    """The fault that a failed call ended with; None where the details hold no MigError that is valid."""
    error = header = None
    try:
        for packed in _Status.FromString(details).details:
            if packed.Is(pb.MigError.DESCRIPTOR):
                error = convert.mig_error_from_pb(pb.MigError.FromString(packed.value))
            elif packed.Is(pb.MessageHeader.DESCRIPTOR):
                header = convert.message_header_from_pb(pb.MessageHeader.FromString(packed.value))
    except (DecodeError, MigFault):
        return None
    if error is None:
        return None
    found = None if error.details is UNSET else error.details
    fault = MigFault(error.code, error.message, details=found, retryable=error.retryable)
    fault.header = header
    return fault


def _pack(status: Any, message: Message) -> None:
    status.details.add(
        type_url=f"type.googleapis.com/{message.DESCRIPTOR.full_name}", value=message.SerializeToString()
    )


def _fitting(error: MigError) -> MigError:
    short = MigError(code=error.code, message=error.message[:_MESSAGE_ROOM], retryable=error.retryable)
    if error.details is UNSET:
        return short
    details: dict[str, Any] = error.details
    while not _fits(details):
        violations = details.get("violations")
        if not isinstance(violations, list) or len(violations) < 2:
            details = {"truncated": True}
            break
        details = {**details, "violations": violations[: len(violations) // 2], "truncated": True}
    short.details = details
    return short


def _fits(details: dict[str, Any]) -> bool:
    probe = MigError(code=MigErrorCode.MIG_INTERNAL, message="", retryable=False, details=details)
    return convert.mig_error_to_pb(probe).ByteSize() < _ROOM - 2 * _MESSAGE_ROOM
