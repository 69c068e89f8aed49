"""Do protobuf and JSON Schema know the same messages, with the same fields?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto

from mig_codegen.link.fields import FieldRules, field_kind, is_repeated, proto_type, short_name
from mig_codegen.load import ProtoFile, Spec
from mig_codegen.load.proto import FIELD, MESSAGE
from mig_codegen.model import Field, JsonMapping, Message, Property, Schema, Source
from mig_codegen.problem import Problems


def link_messages(
    spec: Spec, schemas: Mapping[str, Schema], mapping: JsonMapping, problems: Problems
) -> tuple[Message, ...]:
    """Every message of the proto files with its JSON form. Also refuses a schema that nothing there has."""
    rules = _rules(spec, mapping, problems)
    messages = tuple(
        _message(rules, schemas, proto, index, descriptor)
        for proto in spec.protos
        for index, descriptor in enumerate(proto.descriptor.message_type)
    )
    known = (
        {title for message in messages for title in message.schemas} | rules.enums | set(mapping.json_only)
    )
    for title, schema in schemas.items():
        if title not in known:
            what = f"{title!r} is neither a message nor an enum of the proto file"
            problems.add(
                schema.source, what, "add it there, or to json_only in spec/registry/json-mapping.yaml"
            )
    return messages


def _rules(spec: Spec, mapping: JsonMapping, problems: Problems) -> FieldRules:
    methods = [rpc for proto in spec.protos for service in proto.descriptor.service for rpc in service.method]
    return FieldRules(
        mapping=mapping,
        enums=frozenset(enum.name for proto in spec.protos for enum in proto.descriptor.enum_type),
        inputs=frozenset(short_name(method.input_type) for method in methods),
        outputs=frozenset(short_name(method.output_type) for method in methods),
        problems=problems,
    )


def _message(
    rules: FieldRules,
    schemas: Mapping[str, Schema],
    proto: ProtoFile,
    index: int,
    descriptor: DescriptorProto,
) -> Message:
    source = proto.at(MESSAGE, index)
    request, response = rules.forms(descriptor.name)
    for title in dict.fromkeys((request, response)):
        if title in schemas:
            _check_against(rules, proto, index, descriptor, schemas[title])
        else:
            what = f"the message {descriptor.name} has no JSON schema with the title {title!r}"
            rules.problems.add(source, what, "add it to spec/schema or remove the message")
    return Message(
        name=descriptor.name,
        description=proto.comment(MESSAGE, index),
        fields=tuple(_fields(proto, index, descriptor, schemas.get(request), schemas.get(response))),
        request_schema=request,
        response_schema=response,
        source=source,
    )


def _check_against(
    rules: FieldRules, proto: ProtoFile, index: int, descriptor: DescriptorProto, schema: Schema
) -> None:
    name = descriptor.name
    for i, field in enumerate(descriptor.field):
        source = proto.at(MESSAGE, index, FIELD, i)
        found = schema.property(field.name)
        if found is not None:
            rules.check(name, schema.title, field, source, found)
        else:
            what = f"the field {name}.{field.name} has no property in {schema.source.file}"
            rules.problems.add(source, what, f"add the property {field.name!r} there or remove the field")
    fields = {field.name for field in descriptor.field}
    for extra in schema.properties:
        if extra.name not in fields:
            what = f"the property {schema.title}.{extra.name} has no field in the message {name}"
            todo = f"add a field at {proto.at(MESSAGE, index)} or remove the property"
            rules.problems.add(extra.source, what, todo)


def _fields(
    proto: ProtoFile, index: int, descriptor: DescriptorProto, request: Schema | None, response: Schema | None
) -> Iterator[Field]:
    for i, field in enumerate(descriptor.field):
        path = (MESSAGE, index, FIELD, i)
        taken = request.property(field.name) if request else None
        given = response.property(field.name) if response else None
        if taken is not None and given is not None:
            yield _field(field, proto.at(*path), proto.comment(*path), taken, given)


def _field(
    field: FieldDescriptorProto, source: Source, comment: str, request: Property, response: Property
) -> Field:
    return Field(
        name=field.name,
        number=field.number,
        proto_type=proto_type(field),
        kind=field_kind(field),
        repeated=is_repeated(field),
        description=comment,
        request=request,
        response=response,
        source=source,
    )
