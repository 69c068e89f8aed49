"""Requests as protobuf messages, made from their JSON spelling by the proto file alone; answers as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from equality.asked import JsonObject
from mig_protocol import convert
from mig_protocol.grpc_service import RPCS

# Field 1007 with three bytes in it: no message has one.
UNKNOWN_FIELD: Final = b"\xfa\x3e\x03\x00\xff\x7f"


class Form(NamedTuple):
    """An RPC: its path, its messages, and how its answer is read."""

    path: str
    request: type[Message]
    response: type[Message]
    read: Callable[[Any], msgspec.Struct]


_READERS: Final[Mapping[str, Callable[[Any], msgspec.Struct]]] = {
    "HELLO": convert.hello_response_from_pb,
    "DISCOVER": convert.discover_response_from_pb,
    "INVOKE": convert.invoke_response_from_pb,
    "STREAM": convert.stream_frame_from_pb,
    "PUBLISH": convert.publish_ack_from_pb,
    "SUBSCRIBE": convert.event_message_from_pb,
    "CANCEL": convert.cancel_ack_from_pb,
    "HEARTBEAT": convert.heartbeat_ack_from_pb,
}
FORMS: Final[Mapping[str, Form]] = {
    rpc.operation: Form(rpc.path, rpc.request_type, rpc.response_type, _READERS[rpc.operation])
    for rpc in RPCS
}


def encoded(kind: type[Message], values: JsonObject, *, extra: bool = False) -> bytes:
    """The bytes of a message with these fields. Those that it has not are left out, as JSON ignores them."""
    message = kind()
    _fill(message, values)
    return message.SerializeToString() + (UNKNOWN_FIELD if extra else b"")


def decoded(form: Form, data: bytes) -> JsonObject:
    """An answer as the JSON bindings write it."""
    plain: JsonObject = msgspec.to_builtins(form.read(form.response.FromString(data)))
    return plain


def _fill(message: Any, values: JsonObject) -> None:
    for name, value in values.items():
        field = message.DESCRIPTOR.fields_by_name.get(name)
        if field is None:
            continue
        if field.message_type is None:
            _set_scalar(message, field, value)
        elif field.message_type.full_name == "google.protobuf.Struct":
            getattr(message, name).Clear()
            getattr(message, name).SetInParent()
            getattr(message, name).update(value)
        elif field.message_type.full_name == "google.protobuf.Timestamp":
            getattr(message, name).FromDatetime(datetime.fromisoformat(value))
        else:
            getattr(message, name).SetInParent()
            _fill(getattr(message, name), value)


def _set_scalar(message: Any, field: FieldDescriptor, value: Any) -> None:
    kind = field.enum_type
    if kind is not None:
        value = [_number(kind, item) for item in value] if isinstance(value, list) else _number(kind, value)
    if isinstance(value, list):
        getattr(message, field.name).extend(value)
    else:
        setattr(message, field.name, value)


def _number(kind: EnumDescriptor, spelling: str) -> int:
    """The enum value whose name ends in this, after the enum's own prefix."""
    prefix = kind.values[0].name.removesuffix("UNSPECIFIED")
    return int(kind.values_by_name[prefix + spelling.upper()].number)
