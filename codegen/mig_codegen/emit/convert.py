"""What the convert template prints: for each message and direction, the statements that copy its fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mig_codegen.emit.names import snake
from mig_codegen.model import Enum, Field, Model, Property


@dataclass(frozen=True, kw_only=True)
class EnumView:
    """One enum. `values` pairs a protobuf value's name with its JSON spelling; number 0 has none and is
    left out.
    """

    constant: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class ConversionView:
    """One JSON form of one protobuf message. `read` fills `values` from `message`, `write` `message` from
    `value`.
    """

    snake: str
    struct: str
    proto: str
    read: tuple[str, ...]
    write: tuple[str, ...]


def convert_views(model: Model) -> dict[str, Any]:
    """The names that the convert template uses."""
    conversions = [
        _conversion(model, message.name, message.fields, title, title == message.request_schema)
        for message in model.messages
        for title in message.schemas
    ]
    return {
        "conversions": conversions,
        "convert_messages": sorted(one.struct for one in conversions),
        "convert_enums": [_enum(one) for one in model.enums],
    }


def _enum(enum: Enum) -> EnumView:
    spelled = tuple((value.name, value.json) for value in enum.values if value.json is not None)
    return EnumView(constant=_constant(enum.name), values=spelled)


def _constant(enum: str) -> str:
    return snake(enum).upper()


def _conversion(
    model: Model, proto: str, fields: Iterable[Field], title: str, is_request: bool
) -> ConversionView:
    pairs = [(field, field.request if is_request else field.response) for field in fields]
    read = [line for field, prop in pairs for line in _read(model, proto, field, prop)]
    write = [line for field, prop in pairs for line in _write(field, prop)]
    return ConversionView(snake=snake(title), struct=title, proto=proto, read=tuple(read), write=tuple(write))


def _read(model: Model, proto: str, field: Field, prop: Property) -> Iterator[str]:
    """`if message.x:` where zero means absent; no condition where zero means what it says."""
    source = f"message.{field.name}"
    assign = f"values[{field.name!r}] = {_read_value(field, prop, source)}"
    if not field.repeated and field.kind in ("message", "timestamp", "struct"):
        yield f"if message.HasField({field.name!r}):"
        yield f"    {assign}"
    elif field.kind == "enum" or not _zero_is_a_value(model, proto, field, prop):
        yield f"if {source}:"
        yield f"    {assign}"
    else:
        yield assign


def _zero_is_a_value(model: Model, proto: str, field: Field, prop: Property) -> bool:
    return prop.required or f"{proto}.{field.name}" in model.json_mapping.json_defaults


def _read_value(field: Field, prop: Property, source: str) -> str:
    if not field.repeated:
        return _read_one(field, prop, source, f'f"{{at}}/{field.name}"')
    if field.kind == "scalar":
        return f"list({source})"
    item = _read_one(field, prop, "item", f'f"{{at}}/{field.name}/{{index}}"')
    return f"[{item} for index, item in enumerate({source})]"


def _read_one(field: Field, prop: Property, source: str, at: str) -> str:
    if field.kind == "enum":
        return f"_named(_{_constant(field.proto_type)}_NAMES, {source}, {at})"
    if field.kind == "message":
        return f"_{snake(_struct(field, prop))}_values({source}, {at})"
    if field.kind == "timestamp":
        return f"_instant({source}, {at})"
    if field.kind == "struct":
        return f"_json_object({source}, {at})"
    return source


def _write(field: Field, prop: Property) -> Iterator[str]:
    statements = tuple(_write_statements(field, prop, f"value.{field.name}"))
    if prop.required or prop.has_default:
        yield from statements
    else:
        yield f"if value.{field.name} is not UNSET:"
        yield from (f"    {statement}" for statement in statements)


def _write_statements(field: Field, prop: Property, source: str) -> Iterator[str]:
    target = f"message.{field.name}"
    if field.repeated and field.kind == "message":
        yield f"for item in {source}:"
        yield f"    _write_{snake(_struct(field, prop))}({target}.add(), item)"
    elif field.repeated:
        items = _write_item(field, prop, "item")
        yield f"{target}.extend({source if items == 'item' else f'{items} for item in {source}'})"
    elif field.kind == "message":
        yield f"{target}.SetInParent()  # one without a field is there all the same"
        yield f"_write_{snake(_struct(field, prop))}({target}, {source})"
    elif field.kind == "timestamp":
        yield f"_set_timestamp({target}, {source})"
    elif field.kind == "struct":
        yield f"_set_object({target}, {source})"
    else:
        yield f"{target} = {_write_item(field, prop, source)}"


def _write_item(field: Field, prop: Property, source: str) -> str:
    if field.kind == "enum":
        return f"_{_constant(field.proto_type)}_NUMBERS[{source}]"
    if field.kind == "scalar" and "enum" in prop.type.resolved:
        return f"{source}.value"
    return source


def _struct(field: Field, prop: Property) -> str:
    kind = prop.type.items if field.repeated and prop.type.items is not None else prop.type
    if kind.ref is None:
        raise ValueError(f"{prop.source}: {prop.name} is a message and has no $ref")
    return kind.ref
