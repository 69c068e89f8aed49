"""What reference.md prints about the messages: one table per schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mig_codegen.model import JsonType, Model, Property, Schema

_BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "{} or more characters",
    "maxLength": "up to {} characters",
    "minItems": "{} or more items",
    "maxItems": "up to {} items",
    "pattern": "matches `{}`",
}


@dataclass(frozen=True, kw_only=True)
class PropertyView:
    """One row: `presence` is "required", "optional" or its default."""

    name: str
    type: str
    presence: str
    doc: str


@dataclass(frozen=True, kw_only=True)
class SchemaView:
    """One schema. `rule` says what a string or number must be; `enum` and `properties` may be empty."""

    title: str
    doc: str
    rule: str
    enum: tuple[str, ...]
    properties: tuple[PropertyView, ...]


def reference_views(model: Model) -> dict[str, Any]:
    """The names that the reference uses beside those of the tables."""
    return {"schemas": [_schema(schema) for schema in model.schemas]}


def _schema(schema: Schema) -> SchemaView:
    kind = "an enum" if schema.enum else f"a JSON {schema.type}"
    return SchemaView(
        title=schema.title,
        doc=schema.description,
        rule=", ".join([kind, *_bounds(schema.document)]),
        enum=schema.enum,
        properties=tuple(_property(one) for one in schema.properties),
    )


def _property(one: Property) -> PropertyView:
    presence = "required" if one.required else "optional"
    if one.has_default:
        presence = f"default `{json.dumps(one.default)}`"
    rules = _bounds(one.type.written)
    return PropertyView(
        name=one.name,
        type=_type(one.type),
        presence=presence,
        doc=" ".join([one.description, *([f"({', '.join(rules)})"] if rules else [])]).strip(),
    )


def _type(kind: JsonType) -> str:
    """The type of a property, for a person: "array of Topic", "integer"."""
    if kind.ref is not None:
        return f"[{kind.ref}](#{kind.ref.lower()})"
    if kind.items is not None:
        return f"array of {_type(kind.items)}"
    return f"{kind.type} ({kind.format})" if kind.format else kind.type


def _bounds(schema: Mapping[str, Any]) -> list[str]:
    return [text.format(schema[key]) for key, text in _BOUNDS.items() if key in schema]
