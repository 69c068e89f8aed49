"""Malformed vectors as protobuf, where it can say what is wrong (spec/registry/json-mapping.yaml)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from mig_conformance.golden.saying import NotExpressibleError

_WORD = re.compile(r"(?<!^)(?=[A-Z])")
_UNKNOWN_NUMBER = 99
_TIMESTAMP = "google.protobuf.Timestamp"
_STRUCT = "google.protobuf.Struct"


def fill(message: Message, value: object) -> None:
    """Set the fields that the JSON value has. Raises NotExpressibleError for what protobuf can not carry."""
    if not isinstance(value, dict):
        raise NotExpressibleError("a protobuf message is always an object")
    for name, inner in value.items():
        field = message.DESCRIPTOR.fields_by_name.get(name)
        if field is None:
            raise NotExpressibleError(f"protobuf has no field {name}")
        _set(message, field, inner)


def _set(message: Message, field: Any, value: object) -> None:
    if field.is_repeated:
        _extend(message, field, value)
    elif field.message_type is not None:
        _fill_field(getattr(message, field.name), field, value)
    else:
        _assign(message, field, _scalar(field, value))


def _extend(message: Message, field: Any, value: object) -> None:
    if not isinstance(value, list):
        raise NotExpressibleError(f"protobuf's {field.name} is always a list")
    try:
        getattr(message, field.name).extend(_scalar(field, item) for item in value)
    except (TypeError, ValueError, UnicodeError) as error:
        raise _refused(field, error) from error


def _fill_field(message: Message, field: Any, value: object) -> None:
    full_name = field.message_type.full_name
    if full_name == _STRUCT:
        _fill_struct(message, field, value)
    elif full_name == _TIMESTAMP:
        _fill_timestamp(message, field, value)
    else:
        message.SetInParent()
        fill(message, value)


def _fill_struct(message: Any, field: FieldDescriptor, value: object) -> None:
    if not isinstance(value, Mapping):
        raise NotExpressibleError(f"protobuf's {field.name} is always an object")
    message.SetInParent()
    try:
        message.update(value)
    except (TypeError, ValueError, UnicodeError) as error:
        raise _refused(field, error) from error


def _fill_timestamp(message: Any, field: FieldDescriptor, value: object) -> None:
    try:
        message.FromJsonString(value)
    except (TypeError, ValueError, AttributeError) as error:
        raise _refused(field, error) from error


def _assign(message: Message, field: FieldDescriptor, value: object) -> None:
    if not value:
        raise NotExpressibleError(f"protobuf can not tell an empty {field.name} from an absent one")
    try:
        setattr(message, field.name, value)
    except (TypeError, ValueError, UnicodeError) as error:
        raise _refused(field, error) from error


def _scalar(field: FieldDescriptor, value: object) -> object:
    if field.enum_type is None:
        return value
    if not isinstance(value, str):
        raise NotExpressibleError(f"protobuf's {field.name} is always a number of the enum")
    return _number(field.enum_type, value)


def _number(enum: EnumDescriptor, spelling: str) -> int:
    """A spelling that the enum has not is a number that it has not."""
    prefix = _WORD.sub("_", enum.name).upper()
    found = enum.values_by_name.get(f"{prefix}_{spelling.upper()}") if spelling == spelling.lower() else None
    return _UNKNOWN_NUMBER if found is None else found.number


def _refused(field: FieldDescriptor, error: Exception) -> NotExpressibleError:
    return NotExpressibleError(f"protobuf can not hold such a {field.name}: {error}")
