"""Does a protobuf field mean the same as the JSON property of its name?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from mig_codegen.model import FieldKind, JsonMapping, JsonType, Property, Source
from mig_codegen.problem import Problems

# 64-bit integers are JSON numbers in MIG: beyond 2^53 readers start to round them.
_LARGEST = {"uint32": 2**32 - 1, "uint64": 2**53 - 1}
_ZERO: Mapping[str, object] = {
    "string": "",
    "boolean": False,
    "integer": 0,
    "number": 0,
    "array": [],
    "object": {},
}


@dataclass(frozen=True, kw_only=True)
class FieldRules:
    """What decides which property a field may have. `inputs` and `outputs` are what rpcs take and give."""

    mapping: JsonMapping
    enums: frozenset[str]
    inputs: frozenset[str]
    outputs: frozenset[str]
    problems: Problems

    def forms(self, message: str) -> tuple[str, str]:
        """The titles of a message's request and response form."""
        for direction in self.mapping.directions:
            if direction.message == message:
                return direction.request, direction.response
        return message, message

    def check(
        self, message: str, title: str, field: FieldDescriptorProto, written: Source, found: Property
    ) -> None:
        """Refuse a property whose type, range or default is not the field's."""
        self._check_type(title, field, written, found)
        self._check_range(title, field, found)
        self._check_default(f"{message}.{found.name}", found)

    def _check_type(self, title: str, field: FieldDescriptorProto, written: Source, found: Property) -> None:
        repeated = is_repeated(field)
        expected = [f"array of {one}" if repeated else one for one in self._expected(title, field)]
        actual = self._describe(found.type)
        if actual not in expected:
            what = (
                f"{title}.{found.name} is {actual}, but the field at {written} is "
                f"{'repeated ' * repeated}{proto_type(field)}, in JSON {' or '.join(expected) or 'nothing'}"
            )
            todo = "make the two agree, or correct types in spec/registry/json-mapping.yaml"
            self.problems.add(found.source, what, todo)

    def _expected(self, inside: str, field: FieldDescriptorProto) -> list[str]:
        name = proto_type(field)
        if field_kind(field) == "message":
            return sorted(self._expected_forms(name, inside))
        if field_kind(field) == "enum":
            return [name]
        return [self.mapping.types[name]] if name in self.mapping.types else []

    def _expected_forms(self, message: str, inside: str) -> set[str]:
        # What goes one way only holds forms for that way; what goes both ways or nowhere may hold either.
        requests = {one.request for one in self.mapping.directions} | self.inputs - self.outputs
        responses = {one.response for one in self.mapping.directions} | self.outputs - self.inputs
        request, response = self.forms(message)
        if inside in requests:
            return {request}
        return {response} if inside in responses else {request, response}

    def _describe(self, kind: JsonType) -> str:
        if kind.type == "array":
            return f"array of {self._describe(kind.items) if kind.items else 'anything'}"
        if kind.ref in self.enums or "properties" in kind.resolved:
            return kind.ref or "an object written in place"
        if kind.type == "string" and kind.format == "date-time":
            return "date-time"
        return kind.type or "of no known type"

    def _check_range(self, title: str, field: FieldDescriptorProto, found: Property) -> None:
        largest = _LARGEST.get(proto_type(field))
        if largest is None or found.type.type != "integer":
            return
        low, high = found.type.resolved.get("minimum"), found.type.resolved.get("maximum")
        if low is None or high is None or low < 0 or high > largest:
            what = f"{title}.{found.name} allows integers that protobuf's {proto_type(field)} does not carry"
            self.problems.add(
                found.source, what, f"give it a minimum of 0 or more and a maximum up to {largest}"
            )

    def _check_default(self, key: str, found: Property) -> None:
        listed = key in self.mapping.json_defaults
        expected = self.mapping.json_defaults.get(key, _ZERO.get(found.type.type))
        # Where zero is no value (minimum 1), protobuf's zero says "absent", as a missing property does.
        zero_is_absent = found.type.resolved.get("minimum", 0) > 0 and not listed
        if found.has_default and found.default != expected and not zero_is_absent:
            what = (
                f"the default of {key} is {found.default!r}; protobuf's, or json_defaults', is {expected!r}"
            )
            self.problems.add(found.source, what, "say the same in spec/registry/json-mapping.yaml")
        elif listed and not found.has_default:
            what = f"json_defaults gives {key} the default {expected!r}, and the schema gives none"
            self.problems.add(found.source, what, "add the default or remove the row of json_defaults")


def is_repeated(field: FieldDescriptorProto) -> bool:
    """Whether the field is a list."""
    return field.label == FieldDescriptorProto.LABEL_REPEATED


def short_name(type_name: str) -> str:
    """`.mig.v0_1.MigError` is MigError."""
    return type_name.rpartition(".")[2]


def proto_type(field: FieldDescriptorProto) -> str:
    """The type as the proto file writes it, our own package left out."""
    if field.type_name.startswith(".google."):
        return field.type_name[1:]
    if field.type_name:
        return short_name(field.type_name)
    return FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()


def field_kind(field: FieldDescriptorProto) -> FieldKind:
    """Which of the model's five kinds the type is."""
    if field.type == FieldDescriptorProto.TYPE_ENUM:
        return "enum"
    if field.type_name == ".google.protobuf.Timestamp":
        return "timestamp"
    if field.type_name == ".google.protobuf.Struct":
        return "struct"
    return "message" if field.type == FieldDescriptorProto.TYPE_MESSAGE else "scalar"
