"""messages.py: datamodel-code-generator's msgspec output over the JSON schemas.

The generator reads one OpenAPI-shaped document held in memory, so it needs no files and writes no root
model. Before it runs, each schema is prepared: references become local, patterns become Python's,
descriptions are gathered into the class docstring (msgspec would otherwise carry every one of them at run
time), and a property with a default is marked as required, which is how the generator is told "always
there, and this when it is absent".
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from datamodel_code_generator import generate
from datamodel_code_generator.enums import DataModelType, InputFileType
from datamodel_code_generator.format import DatetimeClassType, PythonVersion

from mig_codegen.emit.failure import EmitError
from mig_codegen.emit.patterns import python_pattern
from mig_codegen.model import Schema

_INSTANT = "Timestamp"
_INSTANT_SCHEMA = {"type": "string", "format": "date-time"}
_INSTANT_DOC = "A point in time with its offset. RFC 3339 text on the wire."
_DROPPED = frozenset(
    {"$schema", "$id", "$comment", "title", "description", "examples", "pattern", "properties"}
)
_ALIAS = re.compile(r"^(\w+): TypeAlias = (.+)$", re.MULTILINE)
_FIELD = re.compile(r"[a-z][a-z0-9_]*")
_DOCSTRING = re.compile(r'^    """\n    (.+?)\n    """$', re.MULTILINE | re.DOTALL)
_WIDTH = 102


def messages_module(schemas: Iterable[Schema], header: str) -> str:
    """The source of messages.py: a Struct per object, an Enum per enum, an alias per bounded string."""
    ordered = tuple(schema for schema in schemas if has_struct(schema))
    titles = {schema.file: schema.title for schema in ordered}
    definitions = {_INSTANT: _INSTANT_SCHEMA} | {
        schema.title: _definition(schema, titles) for schema in ordered
    }
    descriptions = {_INSTANT: _INSTANT_DOC} | {schema.title: schema.description for schema in ordered}
    source = _run_generator(definitions, header)
    return _DOCSTRING.sub(_tidied, _documented(_inlined(source, descriptions), descriptions))


def has_struct(schema: Schema) -> bool:
    """Whether the schema is a message. Those that describe header fields or SSE events have names or
    conditions that no JSON message of MIG has; they are for documents and validators.
    """
    return "if" not in schema.document and all(_FIELD.fullmatch(one.name) for one in schema.properties)


def _run_generator(definitions: Mapping[str, Any], header: str) -> str:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "messages", "version": "0"},
        "paths": {},
        "components": {"schemas": definitions},
    }
    source = generate(
        document,
        input_file_type=InputFileType.OpenAPI,
        output_model_type=DataModelType.MsgspecStruct,
        target_python_version=PythonVersion.PY_311,
        output_datetime_class=DatetimeClassType.Datetime,
        custom_file_header=header,
        disable_timestamp=True,
        keyword_only=True,
        use_annotated=True,
        use_schema_description=True,
        use_specialized_enum=True,
        apply_default_values_for_required_fields=True,
        formatters=[],
    )
    if not isinstance(source, str):
        raise EmitError("datamodel-code-generator split the messages into modules; one was expected")
    return source


def _definition(schema: Schema, titles: Mapping[str, str]) -> dict[str, Any]:
    try:
        definition = _prepared(schema.document, titles)
    except ValueError as error:
        raise EmitError(f"{schema.source.file}: {error}") from None
    if (
        schema.enum or schema.properties
    ):  # the rest become type aliases, which have their docstring added later
        definition["description"] = _docstring(schema.document)
    return definition


def _prepared(node: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, Any]:
    """The same schema as the generator should see it."""
    if "$ref" in node:
        return {"$ref": f"#/components/schemas/{titles[node['$ref']]}"}
    if node.get("format") == "date-time":
        return {"$ref": f"#/components/schemas/{_INSTANT}"}
    prepared = {key: value for key, value in node.items() if key not in _DROPPED}
    if "pattern" in node:
        prepared["pattern"] = python_pattern(node["pattern"])
    if isinstance(node.get("items"), Mapping):
        prepared["items"] = _prepared(node["items"], titles)
    if isinstance(node.get("additionalProperties"), Mapping):
        prepared["additionalProperties"] = _prepared(node["additionalProperties"], titles)
    if node.get("type") == "object":
        prepared |= _prepared_object(node, titles)
    return prepared


def _prepared_object(node: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, Any]:
    properties: Mapping[str, Mapping[str, Any]] = node.get("properties", {})
    if not properties:  # an object of any shape is a dict, not a Struct without fields
        return {} if isinstance(node.get("additionalProperties"), Mapping) else {"additionalProperties": {}}
    present = set(node.get("required", ())) | {
        name for name, schema in properties.items() if "default" in schema
    }
    return {
        "properties": {name: _prepared(schema, titles) for name, schema in properties.items()},
        "required": [name for name in properties if name in present],
    }


def _docstring(node: Mapping[str, Any]) -> str:
    fields = [
        _wrapped(f"{name}: {schema['description']}", "    ")
        for name, schema in node.get("properties", {}).items()
        if "description" in schema
    ]
    summary = _wrapped(node.get("description", ""), "")
    return "\n\n".join((summary, "\n".join(fields))) if fields else summary


def _wrapped(text: str, continuation: str) -> str:
    flat = " ".join(text.split())
    return textwrap.fill(
        flat, _WIDTH, subsequent_indent=continuation, break_long_words=False, break_on_hyphens=False
    )


def _inlined(source: str, titles: Collection[str]) -> str:
    """Without the aliases that the generator makes up for bounds written in place; their uses get the
    bounds.
    """
    for name, value in _ALIAS.findall(source):
        if name not in titles:
            source = source.replace(f"{name}: TypeAlias = {value}\n", "")
            source = re.sub(rf"\b{name}\b", value.replace("\\", r"\\"), source)
    return source


def _documented(source: str, descriptions: Mapping[str, str]) -> str:
    """Type aliases get their description as a docstring, and the instant the offset that it must have."""

    def documented(alias: re.Match[str]) -> str:
        name, value = alias.groups()
        if name == _INSTANT:
            value = "Annotated[datetime, Meta(tz=True)]"
        return f'{name}: TypeAlias = {value}\n"""{_wrapped(descriptions[name], "")}"""'

    return _ALIAS.sub(documented, source)


def _tidied(docstring: re.Match[str]) -> str:
    """A docstring that begins, and if it is one line ends, on the line of its quotes."""
    text = docstring.group(1)
    return f'    """{text}\n    """' if "\n" in text else f'    """{text}"""'
