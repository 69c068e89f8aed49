"""Is every protobuf enum value spelled in JSON as json-mapping says, and nothing else?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from google.protobuf.descriptor_pb2 import EnumDescriptorProto

from mig_codegen.load import ProtoFile, Spec
from mig_codegen.load.proto import ENUM, VALUE
from mig_codegen.model import Enum, EnumValue, JsonMapping, Schema
from mig_codegen.problem import Problems


def link_enums(
    spec: Spec, schemas: Mapping[str, Schema], mapping: JsonMapping, problems: Problems
) -> tuple[Enum, ...]:
    """Every enum of the proto files, its values compared with the schema of the same title."""
    return tuple(
        _enum(proto, index, descriptor, schemas, mapping, problems)
        for proto in spec.protos
        for index, descriptor in enumerate(proto.descriptor.enum_type)
    )


def _enum(
    proto: ProtoFile,
    index: int,
    descriptor: EnumDescriptorProto,
    schemas: Mapping[str, Schema],
    mapping: JsonMapping,
    problems: Problems,
) -> Enum:
    verbatim = descriptor.name in mapping.enum_exceptions
    enum = Enum(
        name=descriptor.name,
        description=proto.comment(ENUM, index),
        values=tuple(_values(proto, index, descriptor, verbatim, problems)),
        source=proto.at(ENUM, index),
    )
    schema = schemas.get(descriptor.name)
    if schema is None:
        what = f"the enum {enum.name} has no JSON schema with the title {enum.name!r}"
        problems.add(enum.source, what, "add it to spec/schema or remove the enum")
    else:
        _compare(enum, schema, problems)
    return enum


def _values(
    proto: ProtoFile, index: int, descriptor: EnumDescriptorProto, verbatim: bool, problems: Problems
) -> Iterator[EnumValue]:
    prefix = _prefix(descriptor.name)
    values = sorted(enumerate(descriptor.value), key=lambda pair: pair[1].number)
    for i, value in values:
        source = proto.at(ENUM, index, VALUE, i)
        if value.number == 0 and value.name != f"{prefix}UNSPECIFIED":
            problems.add(
                source, f"value 0 of {descriptor.name} is {value.name}", f"name it {prefix}UNSPECIFIED"
            )
        if not verbatim and not value.name.startswith(prefix):
            what = f"{value.name} does not start with {prefix}"
            problems.add(source, what, "rename it, or list the enum in enum_exceptions of json-mapping.yaml")
        spelled = value.name if verbatim else value.name.removeprefix(prefix).lower()
        yield EnumValue(
            name=value.name,
            number=value.number,
            json=spelled if value.number else None,
            description=proto.comment(ENUM, index, VALUE, i),
            source=source,
        )


def _compare(enum: Enum, schema: Schema, problems: Problems) -> None:
    spelled = {value.json: value for value in enum.values if value.json is not None}
    for json, value in spelled.items():
        if json not in schema.enum:
            what = f"{value.name} is {json!r} in JSON, which {schema.source.file} does not list"
            problems.add(value.source, what, "add the value there or remove it here")
    for json in schema.enum:
        if json not in spelled:
            what = f"{schema.title} lists {json!r}, which is no value of the enum at {enum.source}"
            problems.add(
                schema.source, what, f"spell it as one of {', '.join(spelled)}, or add it to the proto"
            )


def _prefix(enum: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum).upper() + "_"
