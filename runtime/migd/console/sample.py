"""A payload that fits a JSON Schema, to start typing from."""

from __future__ import annotations

from typing import Any

from migd.core.provider import JsonObject

# A schema may be recursive, or ask for a million items: what is made of it stays small.
_MAX_DEPTH = 8
_MAX_VALUES = 200
_MAX_ITEMS = 3
_MAX_TEXT = 1000

_TEXT = "The quick brown fox jumps over the lazy dog."
_FORMATS = {
    "date": "2026-01-15",
    "date-time": "2026-01-15T09:30:00Z",
    "time": "09:30:00Z",
    "duration": "PT1M",
    "email": "ada@example.org",
    "hostname": "example.org",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.org/",
    "uuid": "3b0f2c5e-9d0f-4c63-8f0a-2d7c5b1e9a77",
}


def sample_payload(schema: JsonObject | None) -> JsonObject:
    """An object with every required property, as the schema's own examples and defaults have it.

    A best effort: a `pattern` is not solved. Without a schema, or when it describes no object, what most
    capabilities take: `{"input": ...}`.
    """
    value = _Sampler(schema).value(schema, 0) if schema is not None else None
    return value if isinstance(value, dict) else {"input": _TEXT}


class _Sampler:
    def __init__(self, root: JsonObject) -> None:
        self._root = root
        self._left = _MAX_VALUES

    def value(self, schema: Any, depth: int) -> Any:
        self._left -= 1
        if not isinstance(schema, dict) or depth > _MAX_DEPTH or self._left < 0:
            return None
        for stated in (*_list(schema, "examples"), schema.get("default"), schema.get("const")):
            if stated is not None:
                return stated
        for chosen in _list(schema, "enum"):
            return chosen
        if "$ref" in schema:
            return self.value(self._target(schema["$ref"]), depth + 1)
        if "allOf" in schema:
            return self.value(self._folded(schema), depth + 1)
        for chosen in (*_list(schema, "oneOf"), *_list(schema, "anyOf")):
            return self.value(chosen, depth + 1)
        return self._typed(schema, depth)

    def _typed(self, schema: JsonObject, depth: int) -> Any:
        kind = schema.get("type", "object" if "properties" in schema else None)
        kind = kind[0] if isinstance(kind, list) and kind else kind
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            count = min(int(schema.get("minItems", 0)), _MAX_ITEMS)
            return [self.value(schema.get("items"), depth + 1) for _ in range(count)]
        if kind == "string":
            return _text(schema)
        if kind in ("integer", "number"):
            return _number(schema, whole=kind == "integer")
        return False if kind == "boolean" else None

    def _object(self, schema: JsonObject, depth: int) -> JsonObject:
        """The required properties; all of them when none is, since an empty object shows nothing."""
        properties = schema.get("properties", {})
        shown = _list(schema, "required") or list(properties)
        return {name: self.value(properties.get(name), depth + 1) for name in shown[: max(self._left, 0)]}

    def _folded(self, schema: JsonObject) -> JsonObject:
        """The schema with its `allOf` folded into it, as far as it describes an object."""
        folded: JsonObject = {key: value for key, value in schema.items() if key != "allOf"}
        for part in _list(schema, "allOf"):
            resolved = self._target(part["$ref"]) if isinstance(part, dict) and "$ref" in part else part
            for key, value in resolved.items() if isinstance(resolved, dict) else ():
                if key == "properties":
                    folded[key] = {**value, **folded.get(key, {})}
                elif key == "required":
                    folded[key] = [*folded.get(key, []), *value]
                else:
                    folded.setdefault(key, value)
        return folded

    def _target(self, reference: str) -> Any:
        """What a `$ref` inside the document points at; None for one that leaves it or leads nowhere."""
        if not reference.startswith("#"):
            return None
        node: Any = self._root
        for part in reference.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            node = node.get(key) if isinstance(node, dict) else None
        return node


def _list(schema: JsonObject, keyword: str) -> list[Any]:
    value = schema.get(keyword)
    return value if isinstance(value, list) else []


def _text(schema: JsonObject) -> str:
    shortest = min(int(schema.get("minLength", 0)), _MAX_TEXT)
    longest = int(schema.get("maxLength", _MAX_TEXT))
    return _FORMATS.get(schema.get("format", ""), _TEXT).ljust(shortest, ".")[:longest]


def _number(schema: JsonObject, *, whole: bool) -> float:
    """Zero if it may be, else the first that fits of what lies near the bounds."""
    low: float = _bound(schema, "minimum", "exclusiveMinimum", otherwise=0)
    high: float = _bound(schema, "maximum", "exclusiveMaximum", otherwise=low + 2)
    for candidate in (0, low, low + 1, high, high - 1, (low + high) / 2):
        if _within(schema, candidate) and (not whole or candidate == int(candidate)):
            return candidate
    return 0


def _bound(schema: JsonObject, inclusive: str, exclusive: str, *, otherwise: float) -> Any:
    return schema[inclusive] if inclusive in schema else schema.get(exclusive, otherwise)


def _within(schema: JsonObject, value: float) -> bool:
    at_least: float = schema.get("minimum", value)
    at_most: float = schema.get("maximum", value)
    above: float = schema.get("exclusiveMinimum", value - 1)
    below: float = schema.get("exclusiveMaximum", value + 1)
    return at_least <= value <= at_most and above < value < below
