"""Do the OpenAPI and AsyncAPI documents leave every object to spec/schema?"""

from __future__ import annotations

from mig_codegen.link.place import Place, places_called, target
from mig_codegen.link.types import schema_title
from mig_codegen.load import Spec
from mig_codegen.problem import Problems

_OBJECT_KEYWORDS = frozenset(
    {"properties", "patternProperties", "additionalProperties", "allOf", "anyOf", "oneOf", "not", "required"}
)
_TODO = "move it to a file of spec/schema and refer to that with $ref"


def check_inline(spec: Spec, problems: Problems) -> None:
    """Refuse objects, and any payload, that a document writes out. A parameter may have its own scalar."""
    for file in spec.folder("openapi"):
        for place in places_called(file, "schema", "itemSchema"):
            if _is_reference(spec, place, problems):
                continue
            for inner in place.everything():
                _check_object(inner, problems)
    for file in spec.folder("asyncapi"):
        for place in places_called(file, "payload", "headers"):
            if not _is_reference(spec, place.get("schema") or place, problems):
                what = f"{'.'.join(map(str, place.path))} is defined inline"
                problems.add(place.source, what, _TODO)
    for file in (*spec.folder("openapi"), *spec.folder("asyncapi")):
        for place in Place.root(file).members("components", "schemas"):
            problems.add(place.source, f"the document defines the schema {place.key!r}", _TODO)


def _is_reference(spec: Spec, place: Place, problems: Problems) -> bool:
    ref = place.text("$ref")
    if ref and target(spec, place) is not None and schema_title(spec, place) is None:
        what = f"$ref {ref!r} leads to what is no schema file"
        problems.add(place.source, what, "refer to a file of spec/schema")
    return bool(ref)


def _check_object(place: Place, problems: Problems) -> None:
    if not isinstance(place.value, dict):
        return
    keywords = sorted(_OBJECT_KEYWORDS & place.value.keys())
    if place.value.get("type") == "object" or keywords:
        what = f"an object is defined inline ({', '.join(keywords) or 'type: object'})"
        problems.add(place.source, what, _TODO)
