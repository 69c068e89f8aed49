"""JSON Schemas as tables: one row for each property, other schemas as links."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from migd.console.reference.documents import Document, JsonObject, referred_name
from migd.console.reference.markdown import inline


@dataclass(frozen=True, slots=True)
class TypeLabel:
    """`list of` CapabilityDescriptor: words, then the schema they lead to, if any."""

    words: str
    schema: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One property; `name` is dotted for what lies in an object without a name of its own."""

    name: str
    type: TypeLabel
    required: bool
    description: Markup
    bounds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One side of a conditional: when it holds, and what the properties are then."""

    when: Markup
    rows: tuple[Row, ...]
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SchemaView:
    """One named schema. `rows` is empty for one that describes no object."""

    name: str
    type: TypeLabel
    description: Markup
    bounds: tuple[str, ...]
    rows: tuple[Row, ...]
    cases: tuple[Case, ...]


class SchemaTables:
    """The schemas of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def named(self, name: str) -> SchemaView:
        schema = self._document.schemas[name]
        return SchemaView(
            name=name,
            type=self.label(schema),
            description=inline(schema.get("description", "")),
            bounds=tuple(_bounds(schema)),
            rows=tuple(self._rows(schema)),
            cases=tuple(self._cases(schema)),
        )

    def all(self) -> list[SchemaView]:
        return [self.named(name) for name in sorted(self._document.schemas)]

    def label(self, schema: JsonObject) -> TypeLabel:
        """What to call the schema in a table."""
        if "$ref" in schema:
            return TypeLabel("", referred_name(schema))
        if schema.get("type") == "array":
            item = self.label(schema.get("items", {}))
            return TypeLabel(f"list of {item.words}".rstrip() + " " * bool(item.schema), item.schema)
        values = schema.get("additionalProperties")
        if isinstance(values, dict) and "properties" not in schema:
            value = self.label(values)
            return TypeLabel(f"map of string to {value.words}", value.schema)
        return TypeLabel(_words(schema))

    def described(self, schema: JsonObject) -> Markup:
        """Its own description, else that of what it refers to."""
        text = schema.get("description") or self._document.resolve(schema).get("description", "")
        return inline(text)

    def bounds(self, schema: JsonObject) -> tuple[str, ...]:
        """In words; those of a schema with a name are told where it is described."""
        return tuple(_bounds(schema))

    def _rows(self, schema: JsonObject, prefix: str = "") -> Iterator[Row]:
        required = schema.get("required", ())
        for name, value in schema.get("properties", {}).items():
            yield Row(
                name=prefix + name,
                type=self.label(value),
                required=name in required,
                description=self.described(value),
                bounds=self.bounds(value),
            )
            yield from self._rows(value, f"{prefix}{name}.")

    def _cases(self, schema: JsonObject) -> Iterator[Case]:
        if "if" not in schema:
            return
        condition = _condition(schema["if"])
        for branch, when in (("then", f"When {condition}"), ("else", f"Unless {condition}")):
            if branch in schema:
                rows = tuple(self._content_rows(schema[branch]))
                yield Case(inline(when), rows, tuple(schema[branch].get("required", ())))

    def _content_rows(self, branch: JsonObject) -> Iterator[Row]:
        """What a branch says of a property: mostly, which message its text holds."""
        for row in self._rows(branch):
            content = branch["properties"][row.name].get("contentSchema")
            if content is None:
                yield row
            else:
                label = self.label(content)
                yield Row(row.name, TypeLabel(f"JSON of {label.words}", label.schema), False, Markup(""), ())


def _condition(schema: JsonObject) -> str:
    parts = []
    for name, value in schema.get("properties", {}).items():
        allowed = [value["const"]] if "const" in value else value.get("enum", [])
        parts.append(f"`{name}` is " + " or ".join(f"`{_literal(item)}`" for item in allowed))
    return " and ".join(parts)


def _words(schema: JsonObject) -> str:
    kind = schema.get("type")
    if kind is None:
        kind = "string" if isinstance(schema.get("const"), str) else "any value"
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return f"{words} ({schema['format']})" if "format" in schema else words


def _bounds(schema: JsonObject) -> Iterator[str]:
    if "const" in schema:
        yield f"always {_literal(schema['const'])}"
    if "enum" in schema:
        yield "one of " + ", ".join(_literal(value) for value in schema["enum"])
    yield from _range("", schema.get("minimum"), schema.get("maximum"))
    if "exclusiveMinimum" in schema:
        yield f"greater than {schema['exclusiveMinimum']}"
    if "exclusiveMaximum" in schema:
        yield f"less than {schema['exclusiveMaximum']}"
    yield from _range("characters", schema.get("minLength"), schema.get("maxLength"))
    yield from _range("items", schema.get("minItems"), schema.get("maxItems"))
    yield from _range("properties", schema.get("minProperties"), schema.get("maxProperties"))
    if schema.get("uniqueItems"):
        yield "no item twice"
    if "pattern" in schema:
        yield f"matches {schema['pattern']}"
    if "default" in schema:
        yield f"default {_literal(schema['default'])}"


def _range(unit: str, low: float | None, high: float | None) -> Iterator[str]:
    if low is None and high is None:
        return
    if low is None:
        words = f"at most {high}"
    elif high is None:
        words = f"at least {low}"
    else:
        words = f"{low} to {high}"
    yield f"{words} {unit}".rstrip()


def _literal(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
