"""Hypothesis strategies for the protocol's messages, read off the message types themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import NODEFAULT, UNSET, Struct, inspect

_EXACT = 2**53 - 1
_WITH_A_ZERO = (inspect.StrType, inspect.IntType, inspect.FloatType, inspect.BoolType)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-_EXACT, _EXACT)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT
)
JSON_OBJECTS = st.dictionaries(
    _TEXT,
    st.recursive(
        _SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


def messages(message: type[Struct]) -> st.SearchStrategy[Any]:
    """Valid instances. A field that is there is not zero where zero would mean absent in protobuf."""
    described = inspect.type_info(message)
    assert isinstance(described, inspect.StructType)
    return st.builds(message, **{field.name: _field(field) for field in described.fields})


def _field(field: inspect.Field) -> st.SearchStrategy[Any]:
    values = _values(field.type)
    if field.required or (field.default, field.default_factory) != (NODEFAULT, NODEFAULT):
        return values
    return st.just(UNSET) | (values.filter(bool) if isinstance(field.type, _WITH_A_ZERO) else values)


def _values(kind: inspect.Type) -> st.SearchStrategy[Any]:
    if isinstance(kind, inspect.StructType):
        return messages(kind.cls)
    if isinstance(kind, inspect.EnumType):
        return st.sampled_from(list(kind.cls))
    if isinstance(kind, inspect.ListType):
        return st.lists(_values(kind.item_type), min_size=kind.min_length or 0, max_size=3)
    if isinstance(kind, inspect.DictType):
        return JSON_OBJECTS if isinstance(kind.value_type, inspect.AnyType) else _maps(kind)
    return _scalars(kind)


def _maps(kind: inspect.DictType) -> st.SearchStrategy[Any]:
    return st.dictionaries(_TEXT, _values(kind.value_type), max_size=3)


def _scalars(kind: inspect.Type) -> st.SearchStrategy[Any]:
    if isinstance(kind, inspect.StrType):
        return _strings(kind)
    if isinstance(kind, inspect.IntType):
        return st.integers(kind.ge if kind.ge is not None else -_EXACT, min(kind.le or _EXACT, _EXACT))
    if isinstance(kind, inspect.FloatType):
        return st.floats(min_value=kind.ge, allow_nan=False, allow_infinity=False)
    if isinstance(kind, inspect.DateTimeType):
        return st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
    if isinstance(kind, inspect.BoolType):
        return st.booleans()
    raise TypeError(f"no strategy for {kind}")


def _strings(kind: inspect.StrType) -> st.SearchStrategy[str]:
    least, most = kind.min_length or 0, kind.max_length or 1000
    if kind.pattern is None:
        return st.text(st.characters(exclude_categories=["Cs"]), min_size=least, max_size=min(most, 20))
    return st.from_regex(kind.pattern).filter(lambda text: least <= len(text) <= most)


def message_types(module: Any) -> list[type[Struct]]:
    """Every message type of a module, by name."""
    found = [
        one for one in vars(module).values() if isinstance(one, type) and issubclass(one, msgspec.Struct)
    ]
    return sorted((one for one in found if one is not msgspec.Struct), key=lambda one: one.__name__)
