"""registry/json-mapping.yaml as the model holds it, and whether every name in it exists."""

from __future__ import annotations

from collections.abc import Mapping

from mig_codegen.link.place import Place
from mig_codegen.load import Spec
from mig_codegen.model import Direction, JsonMapping, Schema
from mig_codegen.problem import Problems


def link_mapping(spec: Spec, schemas: Mapping[str, Schema], problems: Problems) -> JsonMapping:
    """Build the mapping; check the names of messages, enums, fields and titles in it."""
    root = Place.root(spec.registry("json-mapping"))
    names = {message.name for proto in spec.protos for message in proto.descriptor.message_type}
    enums = {enum.name for proto in spec.protos for enum in proto.descriptor.enum_type}
    fields = {
        f"{message.name}.{field.name}"
        for proto in spec.protos
        for message in proto.descriptor.message_type
        for field in message.field
    }
    _check_names(root, "directions", names, "message", problems)
    _check_names(root, "enum_exceptions", enums, "enum", problems)
    _check_names(root, "json_defaults", fields, "field", problems)
    _check_json_only(root, names | enums, schemas, problems)
    value = root.value
    return JsonMapping(
        types=value["types"],
        enum_exceptions=value["enum_exceptions"],
        directions=tuple(Direction(message=name, **two) for name, two in value["directions"].items()),
        json_defaults=value["json_defaults"],
        json_only=value["json_only"],
    )


def _check_names(root: Place, key: str, known: set[str], kind: str, problems: Problems) -> None:
    for place in root.members(key):
        if place.key not in known:
            what = f"{key} names {place.key!r}, which is no {kind} of the proto file"
            problems.add(place.source, what, "correct the name or remove the row")


def _check_json_only(
    root: Place, protos: set[str], schemas: Mapping[str, Schema], problems: Problems
) -> None:
    for place in root.members("json_only"):
        if place.key in protos:
            what = f"json_only names {place.key!r}, which the proto file has too"
            problems.add(place.source, what, "remove the row")
        elif place.key not in schemas:
            what = f"json_only names {place.key!r}, which has no schema file"
            problems.add(place.source, what, f"add a schema with the title {place.key} or remove the row")
