"""JSON types as the model holds them: a schema seen through its `$ref`."""

from __future__ import annotations

from typing import Any

from mig_codegen.link.place import Place, target
from mig_codegen.load import Spec
from mig_codegen.model import JsonType

# What restricts a value, as opposed to what tells about it.
_BOUNDS = (
    "type",
    "format",
    "enum",
    "const",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minItems",
    "maxItems",
    "uniqueItems",
)


def json_type(spec: Spec, place: Place) -> JsonType:
    """The type written at `place`. A dangling `$ref`, refused elsewhere, gives the type ""."""
    found = target(spec, place)
    resolved: dict[str, Any] = found.value if found is not None and isinstance(found.value, dict) else {}
    items = found.get("items") if found is not None else None
    return JsonType(
        type=str(resolved.get("type", "")),
        ref=schema_title(spec, place),
        format=resolved.get("format"),
        items=json_type(spec, items) if items is not None else None,
        written=place.value if isinstance(place.value, dict) else {},
        resolved=resolved,
    )


def schema_title(spec: Spec, place: Place | None) -> str | None:
    """The title of the schema document that a `$ref` at `place` ends in, or None."""
    if place is None or not place.text("$ref"):
        return None
    found = target(spec, place)
    if found is None or found.path or not found.file.name.startswith("spec/schema/"):
        return None
    return found.text("title") or None


def bounds(kind: JsonType) -> dict[str, Any]:
    """All that restricts values of this type, one level deep into arrays: equal bounds accept the same."""
    result = {key: kind.resolved[key] for key in _BOUNDS if key in kind.resolved}
    if kind.items is not None:
        result["items"] = bounds(kind.items)
    return result
