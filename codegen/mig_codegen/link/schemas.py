"""Is each file of spec/schema one well-formed type, in the subset that every tool reads alike?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from jsonschema import Draft7Validator, Draft202012Validator

from mig_codegen.link.place import Place
from mig_codegen.link.refs import references
from mig_codegen.link.types import json_type, schema_title
from mig_codegen.load import SourceFile, Spec
from mig_codegen.load.parse import Path, parse
from mig_codegen.model import Property, Schema
from mig_codegen.problem import Problems

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID_BASE = "https://mig.dev/schema/v0.1/"

_FORBIDDEN = re.compile(r"prefixItems|unevaluated.*|dependent.*|dependencies")
_ONE_SCHEMA = frozenset(
    {"items", "additionalProperties", "not", "contains", "contentSchema", "propertyNames"}
)
_MANY_SCHEMAS = frozenset({"properties", "patternProperties", "$defs", "definitions"})
_ALTERNATIVES = frozenset({"allOf", "anyOf", "oneOf"})
_TYPES = ("object", "array", "string", "integer", "number", "boolean")


def check_metaschemas(spec: Spec, problems: Problems) -> None:
    """Refuse what is no JSON Schema, by the rules of 2020-12 (OpenAPI) and of draft-07 (AsyncAPI)."""
    for file in spec.folder("schema"):
        for path, draft, message in _metaschema_errors(file.name, file.text):
            where = "/".join(map(str, path)) or "the schema"
            problems.add(
                file.at(*path), f"not valid under {draft}: {where}: {message}", "correct the keyword"
            )


def link_schemas(spec: Spec, problems: Problems) -> dict[str, Schema]:
    """Check every schema file by itself and return them by title, sorted. They are valid JSON Schemas."""
    schemas: dict[str, Schema] = {}
    for file in spec.folder("schema"):
        _check_identity(file, problems)
        for place in subschemas(Place.root(file)):
            _check_keywords(place, problems)
            _check_choices(place, problems)
            _check_properties(place, problems)
        schema = _schema(spec, file)
        if schema.title in schemas:
            what = f"the title {schema.title!r} is also that of {schemas[schema.title].source.file}"
            problems.add(schema.source, what, "give one of them another title")
        schemas.setdefault(schema.title, schema)
    return dict(sorted(schemas.items()))


def kebab(title: str) -> str:
    """How a type's file is called: QoSProfile is qos-profile, MigError is mig-error."""
    words = re.findall(r"[A-Z]+(?=[A-Z][a-z]{2})|[A-Z][a-z0-9]*[A-Z](?=[A-Z])|[A-Z][a-z0-9]*", title)
    return "-".join(words).lower()


def subschemas(place: Place) -> Iterator[Place]:
    """This schema and every schema written inside it."""
    yield place
    for child in place.children():
        if child.key in _ONE_SCHEMA and isinstance(child.value, dict):
            yield from subschemas(child)
        elif child.key in _MANY_SCHEMAS or child.key in _ALTERNATIVES:
            for inner in child.children():
                if isinstance(inner.value, dict):
                    yield from subschemas(inner)


@lru_cache(maxsize=512)
def _metaschema_errors(name: str, text: str) -> tuple[tuple[Path, str, str], ...]:
    value = parse(name, text).value
    return tuple(
        (tuple(error.absolute_path), draft, error.message)
        for draft, validator in (("2020-12", Draft202012Validator), ("draft-07", Draft7Validator))
        for error in validator(validator.META_SCHEMA).iter_errors(value)
    )


def _check_identity(file: SourceFile, problems: Problems) -> None:
    root = Place.root(file)
    name = file.name.rpartition("/")[2]
    expected = {"$schema": DIALECT, "$id": ID_BASE + name}
    for key, value in expected.items():
        if root.text(key) != value:
            problems.add(file.at(key), f"{key} is {root.text(key)!r}", f"write {value!r}")
    title = root.text("title")
    if not title:
        problems.add(file.at(), "the schema has no title", "give it the name of its type")
    elif name != f"{kebab(title)}.schema.json":
        what = f"the title {title!r} does not go with the file name"
        problems.add(file.at("title"), what, f"name the file {kebab(title)}.schema.json or change the title")
    if not root.text("description"):
        problems.add(file.at(), f"{title or 'the schema'} has no description", "say what it is for")


def _check_keywords(place: Place, problems: Problems) -> None:
    for child in place.children():
        if _FORBIDDEN.fullmatch(child.key):
            what = f"the keyword {child.key!r} is not read alike by 2020-12 and draft-07 tools"
            problems.add(child.source, what, "express it without")
    _check_pattern(place, problems)
    alternatives = any(key in place.value for key in _ALTERNATIVES)
    if "$ref" not in place.value and not alternatives and place.value.get("type") not in _TYPES:
        problems.add(
            place.source, f"type is {place.value.get('type')!r}", f"write one of {', '.join(_TYPES)}"
        )
    if place.path and "properties" in place.value:
        what = f"{place.key!r} defines an object inside another type's file"
        problems.add(place.source, what, "give it a schema file of its own and refer to that")


def _check_pattern(place: Place, problems: Problems) -> None:
    pattern = place.text("pattern")
    if not pattern:
        return
    source = place.file.at(*place.path, "pattern")
    if not (pattern.startswith("^") and pattern.endswith("$")):
        problems.add(source, f"the pattern {pattern!r} is not anchored", "write ^...$")
    try:
        re.compile(pattern)
    except re.error as error:
        what = f"the pattern {pattern!r} is not one that every regular expression engine reads: {error}"
        problems.add(source, what, "use classes, groups and counts only")


def _check_choices(place: Place, problems: Problems) -> None:
    seen: list[object] = []
    for choice in place.members("enum"):
        if choice.value in seen:
            problems.add(choice.source, f"{choice.value!r} is listed twice", "keep one of the two")
        seen.append(choice.value)


def _check_properties(place: Place, problems: Problems) -> None:
    names = {child.key for child in place.members("properties")}
    for child in place.members("properties"):
        if not child.text("$ref") and not child.text("description"):
            problems.add(child.source, f"the property {child.key!r} has no description", "say what it means")
    for required in place.members("required"):
        if required.value not in names:
            what = f"required names {required.value!r}, which is no property"
            problems.add(required.source, what, "add the property or drop the name")


def _schema(spec: Spec, file: SourceFile) -> Schema:
    root = Place.root(file)
    titles = (schema_title(spec, place) for place in references(file))
    return Schema(
        title=root.text("title"),
        file=file.name.rpartition("/")[2],
        description=root.text("description"),
        type=str(file.value.get("type", "")),
        properties=tuple(_property(spec, root, place) for place in root.members("properties")),
        enum=tuple(str(value) for value in file.value.get("enum", ())),
        refs=tuple(sorted({title for title in titles if title})),
        document=file.value,
        source=file.at("title"),
    )


def _property(spec: Spec, owner: Place, place: Place) -> Property:
    kind = json_type(spec, place)
    return Property(
        name=place.key,
        type=kind,
        required=place.key in owner.value.get("required", ()),
        has_default="default" in kind.resolved,
        default=kind.resolved.get("default"),
        description=place.text("description") or str(kind.resolved.get("description", "")),
        source=place.source,
    )
