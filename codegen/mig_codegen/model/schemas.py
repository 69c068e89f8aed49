"""JSON Schema documents and their types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mig_codegen.model.source import Source

JsonObject = Mapping[str, Any]
"""A JSON object as written. It is a plain dict, so that it can be encoded; nobody may change it."""


@dataclass(frozen=True, kw_only=True)
class JsonType:
    """The type of a property, parameter or array item, seen through its `$ref`.

    `ref` is the title of the schema document referred to, or None when the type is written in place.
    `written` is the JSON schema as it stands in its file, `resolved` the target's when there is a ref.
    `type` is resolved's JSON type; `items` is set for arrays only.
    """

    type: str
    ref: str | None
    format: str | None
    items: JsonType | None
    written: JsonObject
    resolved: JsonObject


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property of an object schema. A `default` is present only where `has_default` is true."""

    name: str
    type: JsonType
    required: bool
    has_default: bool
    default: Any
    description: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class Schema:
    """One file of spec/schema. `file` is its name there; `enum` is empty unless it is a string enum;
    `refs` are the titles that it refers to, sorted."""

    title: str
    file: str
    description: str
    type: str
    properties: tuple[Property, ...]
    enum: tuple[str, ...]
    refs: tuple[str, ...]
    document: JsonObject
    source: Source

    def property(self, name: str) -> Property | None:
        """The property of this name, or None."""
        return next((one for one in self.properties if one.name == name), None)
