"""gRPC's messages and statuses as JSON in the protocol's spelling, and back, right or wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import any_pb2
from google.rpc import status_pb2
from grpc import StatusCode

from mig_conformance.drivers.port import JsonObject, NotOnBindingError
from mig_conformance.drivers.protobuf_json import decoded, encoded
from mig_conformance.flaws import FlawError
from mig_conformance.selfproof.passage import Passage
from mig_protocol.errors import ERRORS
from mig_protocol.grpc_status import DETAILS_KEY
from mig_protocol.messages import MigErrorCode
from mig_protocol.operations import OPERATIONS, Operation

_PREFIX = "type.googleapis.com/mig.v0_1."
# Requests have a JSON schema of their own where their protobuf message serves both ways.
_IN_PROTOBUF = {"RequestFrame": "StreamFrame"}
_PARTS = {"error": "MigError", "header": "MessageHeader"}

Metadata = tuple[tuple[str, str | bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """An RPC by its full name. `request` and `response` are names of messages, empty where it is none of MIG's."""

    name: str
    operation: Operation | None
    request: str = ""
    response: str = ""

    @property
    def operations(self) -> frozenset[str]:
        return frozenset({self.name, *({self.operation.id} if self.operation else ())})


def method_of(name: str) -> Method:
    """The method of that full name."""
    for operation in OPERATIONS:
        if operation.rpc == name and operation.request is not None and operation.response is not None:
            request = operation.request.__name__
            return Method(
                name=name,
                operation=operation,
                request=_IN_PROTOBUF.get(request, request),
                response=operation.response.__name__,
            )
    return Method(name=name, operation=None)


def read(message: str, raw: bytes) -> Any:
    """The JSON of a message; None for bytes that are none."""
    try:
        return decoded(message, raw) if message else None
    except FlawError:
        return None


def written(message: str, passage: Passage, fault: Callable[[str], object]) -> bytes:
    """The bytes of the message as it is now. `fault` is told when protobuf has no form for it."""
    if not passage.changed:
        return passage.raw
    try:
        return encoded(message, passage.message)
    except NotOnBindingError as error:
        fault(str(error))
        return passage.raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a call ended."""

    code: StatusCode
    text: str = ""
    metadata: Metadata = ()

    @property
    def envelope(self) -> JsonObject | None:
        """The error and the header of the status details, as an ErrorEnvelope has them."""
        found: JsonObject = {}
        for packed in _details(self.metadata).details:
            for part, message in _PARTS.items():
                if packed.type_url == f"{_PREFIX}{message}":
                    found[part] = decoded(message, packed.value)
        return found or None


def ending_after(ending: Ending, passage: Passage) -> Ending:
    """The end of a call as it goes on."""
    code = StatusCode[str(passage.new_status)] if passage.new_status is not None else ending.code
    metadata = dict(ending.metadata)
    if passage.changed and ending.code is not StatusCode.OK:
        metadata[DETAILS_KEY] = _packed(_details(ending.metadata), passage.message)
    metadata.update({name: value for name, value in passage.new_fields.items() if value is not None})
    kept = (
        (name, value) for name, value in metadata.items() if passage.new_fields.get(name, value) is not None
    )
    return Ending(code=code, text=ending.text, metadata=tuple(kept))


def refusal(envelope: Mapping[str, Any], status: int | str | None) -> Ending:
    """The end of a call that a mutant refuses."""
    error = envelope["error"]
    code = StatusCode[str(status or ERRORS[MigErrorCode(error["code"])].grpc_name)]
    text = f"{error['code']}: {error.get('message', '')}"
    details = _packed(status_pb2.Status(code=code.value[0], message=text), envelope)
    return Ending(code=code, text=text, metadata=((DETAILS_KEY, details),))


def _details(metadata: Metadata) -> Any:
    value = dict(metadata).get(DETAILS_KEY, b"")
    return status_pb2.Status.FromString(value if isinstance(value, bytes) else b"")


def _packed(status: Any, envelope: Mapping[str, Any]) -> bytes:
    """The same status with these details; those that the envelope has not are gone."""
    del status.details[:]
    for part, message in _PARTS.items():
        if part in envelope:
            value = encoded(message, envelope[part])
            status.details.append(any_pb2.Any(type_url=f"{_PREFIX}{message}", value=value))
    data: bytes = status.SerializeToString()
    return data
