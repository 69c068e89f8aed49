"""The JSON of a message as protobuf and back, by betterproto2 and spec/registry/json-mapping.yaml.

Servers convert with the code that is generated for them; this shares nothing with it but the .proto file and
the JSON Schemas, which say what is required and what an absent field is.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple, get_args, get_type_hints

import betterproto2

from mig_conformance import reference
from mig_conformance.drivers.port import JsonObject, NotOnBindingError
from mig_conformance.flaws import FlawError
from mig_protocol.betterproto.google.protobuf import Struct
from mig_protocol.betterproto.mig import v0_1

# A field that no message has (1007, three bytes), for what JSON has and the .proto file has not.
_UNKNOWN_FIELD = b"\xfa\x3e\x03\x00\xff\x7f"
_UNKNOWN_NUMBER = 99
_BOUNDS = {betterproto2.TYPE_UINT32: 2**32, betterproto2.TYPE_UINT64: 2**64}
_EXACT = 2**53  # doubles below it are exact integers


class _Field(NamedTuple):
    name: str
    kind: type
    many: bool
    bound: int | None
    required: bool
    default: object


def encoded(message: str, value: Mapping[str, Any]) -> bytes:
    """The bytes of a message of that name with these fields. Nothing is checked that protobuf can carry: a
    spelling that an enum has not is a number that it has not, an unknown field is an unknown field.

    Raises NotOnBindingError for what protobuf has no bytes for, such as text where a number belongs.
    """
    try:
        return bytes(_written(getattr(v0_1, message), value))
    except (TypeError, ValueError, OverflowError, struct.error) as error:
        raise NotOnBindingError(f"protobuf has no form of this {message}: {error}") from None


def decoded(message: str, data: bytes) -> JsonObject:
    """The message as a server has to write it over the bindings that carry JSON. An enum number that is not
    known stays a number, which no schema accepts. Raises FlawError for bytes that are no such message.
    """
    try:
        return _read(getattr(v0_1, message).parse(data))
    except Exception as error:  # betterproto2 does not say which ones it raises
        raise FlawError(f"{data[:100]!r} is no {message}: {type(error).__name__} {error}") from None


@cache
def _fields(kind: type[betterproto2.Message]) -> tuple[_Field, ...]:
    hints, needed = get_type_hints(kind), reference.required(kind.__name__)
    declared: Any = kind  # every message is a dataclass, which its base class does not say
    return tuple(
        _field(field, hints[field.name], field.name in needed, kind.__name__)
        for field in dataclasses.fields(declared)
    )


def _field(field: dataclasses.Field[Any], hint: Any, required: bool, message: str) -> _Field:
    meta = betterproto2.FieldMetadata.get(field)
    return _Field(
        name=field.name,
        kind=get_args(hint)[0] if get_args(hint) else hint,
        many=bool(meta.repeated),
        bound=_BOUNDS.get(meta.proto_type),
        required=required,
        default=reference.schema_of(message, field.name).get("default"),
    )


def _written(kind: type[betterproto2.Message], value: Mapping[str, Any]) -> betterproto2.Message:
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r} is no object")
    if issubclass(kind, Struct):
        return Struct.from_dict(value)
    fields = {field.name: field for field in _fields(kind)}
    message = kind.parse(_UNKNOWN_FIELD) if value.keys() - fields.keys() else kind()
    for name, field in fields.items():
        if name in value:
            setattr(message, name, _field_written(field, value[name]))
        elif field.default is not None:
            setattr(message, name, _field_written(field, field.default))
    return message


def _field_written(field: _Field, value: Any) -> Any:
    if not field.many:
        return _one_written(field, value)
    if not isinstance(value, list):
        raise TypeError(f"{field.name} is {value!r} and no list")
    return [_one_written(field, item) for item in value]


def _one_written(field: _Field, value: Any) -> Any:
    kind = field.kind
    if issubclass(kind, betterproto2.Message):
        return _written(kind, value)
    if issubclass(kind, betterproto2.Enum):
        return _number(kind, value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise TypeError(f"{field.name} is {value!r} and no {kind.__name__}")
    if field.bound is not None and isinstance(value, int) and not 0 <= value < field.bound:
        raise ValueError(f"{field.name} is {value}, which the field can not hold")
    return value


def _read(message: betterproto2.Message) -> JsonObject:
    found = {}
    for field in _fields(type(message)):
        value = getattr(message, field.name)
        absent = value is None or (not value and not field.required and not _is_message(value))
        if not absent:
            found[field.name] = [_one_read(item) for item in value] if field.many else _one_read(value)
    return found


def _is_message(value: object) -> bool:
    # An empty message is false, and is there all the same.
    return isinstance(value, betterproto2.Message)


def _one_read(value: Any) -> Any:
    if isinstance(value, Struct):
        return _with_integers(value.to_dict())
    if isinstance(value, betterproto2.Message):
        return _read(value)
    if isinstance(value, betterproto2.Enum):
        return _spelling(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def _with_integers(value: Any) -> Any:
    """Struct knows doubles only: integral ones are integers again."""
    if isinstance(value, dict):
        return {name: _with_integers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_integers(item) for item in value]
    if not isinstance(value, float):
        return value
    if not abs(value) < float("inf"):
        raise ValueError(f"JSON has no number {value}")
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


@cache
def _numbers(kind: type[betterproto2.Enum]) -> Mapping[str, int]:
    """By the JSON spelling: without the enum's prefix and in lower case, error codes as they are."""
    names = kind.betterproto_renamed_proto_names_to_value() or {one.name: one.value for one in kind}
    prefix = next(name for name, number in names.items() if number == 0).removesuffix("UNSPECIFIED")
    return {
        name.removeprefix(prefix).lower() if name.startswith(prefix) else name: number
        for name, number in names.items()
        if number
    }


def _number(kind: type[betterproto2.Enum], value: Any) -> betterproto2.Enum:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"{value!r} is neither a spelling nor a number of {kind.__name__}")
    return kind(_numbers(kind).get(value, _UNKNOWN_NUMBER) if isinstance(value, str) else value)


def _spelling(value: betterproto2.Enum) -> str | int:
    by_number = {number: spelling for spelling, number in _numbers(type(value)).items()}
    return by_number.get(value.value, value.value)
