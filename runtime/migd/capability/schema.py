"""JSON Schemas of the types in a capability's signature."""

from __future__ import annotations

from typing import Any

import msgspec

from migd.core.provider import JsonObject


def object_schema(kind: Any, description: str = "") -> JsonObject:
    """The JSON Schema (2020-12) of a Struct, dataclass, TypedDict or dict, with `description` at its root.

    Raises TypeError when msgspec knows no schema for the type, or when it is not a JSON object.
    """
    try:
        schema = _with_open_root(msgspec.json.schema(kind))
    except TypeError as error:
        raise TypeError(f"{_name(kind)} has no JSON Schema: {str(error).splitlines()[0]}") from error
    if not _is_object(schema, schema):
        raise TypeError(
            f"{_name(kind)} is not a JSON object; use a msgspec.Struct, dataclass, TypedDict or dict"
        )
    return {**schema, "description": description} if description else schema


def _with_open_root(schema: JsonObject) -> JsonObject:
    """The referenced definition itself at the root: readers such as MCP clients want a `type` there."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    name = reference.rpartition("/")[2]
    definitions = schema["$defs"]
    others = {key: value for key, value in definitions.items() if key != name}
    if _refers(definitions, reference):
        others[name] = definitions[name]
    return {**definitions[name], "$defs": others} if others else dict(definitions[name])


def _refers(node: Any, reference: str) -> bool:
    if isinstance(node, dict):
        return node.get("$ref") == reference or any(_refers(value, reference) for value in node.values())
    return isinstance(node, list) and any(_refers(value, reference) for value in node)


def _is_object(schema: JsonObject, root: JsonObject) -> bool:
    if "$ref" in schema:
        return _is_object(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return all(_is_object(part, root) for part in schema["anyOf"])
    return schema.get("type") == "object"


def _name(kind: Any) -> str:
    return kind.__qualname__ if isinstance(kind, type) else str(kind)
