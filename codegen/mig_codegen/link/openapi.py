"""Are the OpenAPI documents valid, and do they leave every object to spec/schema?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator, OpenAPIV32SpecValidator

from mig_codegen.link.place import Place
from mig_codegen.load import SourceFile, Spec
from mig_codegen.load.parse import Path, parse
from mig_codegen.problem import Problems

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")

_OBJECT_KEYWORDS = frozenset(
    {"properties", "patternProperties", "additionalProperties", "allOf", "anyOf", "oneOf", "not", "required"}
)
_VALIDATORS = {"3.1": OpenAPIV31SpecValidator, "3.2": OpenAPIV32SpecValidator}


def check_openapi(spec: Spec, problems: Problems) -> None:
    """Refuse documents that OpenAPI does not allow, by openapi-spec-validator's judgement."""
    for file in spec.folder("openapi"):
        version = str(file.value.get("openapi", ""))[:3]
        if version not in _VALIDATORS:
            what = f"openapi is {file.value.get('openapi')!r}"
            problems.add(file.at("openapi"), what, "write a version 3.1.x or 3.2.x")
            continue
        for path, message in _errors(file.name, file.text, version):
            where = "/".join(map(str, path)) or "the document"
            problems.add(
                file.at(*path), f"not valid OpenAPI {version}: {where}: {message}", "correct the document"
            )


@lru_cache(maxsize=64)
def _errors(name: str, text: str, version: str) -> tuple[tuple[Path, str], ...]:
    # Schema files have been checked by themselves: their place is taken by a schema that accepts all.
    document = _without_files(parse(name, text).value)
    validator = _VALIDATORS[version](document)
    # What OpenAPI's own schema refuses, the validator's further checks trip over.
    errors = list(validator.schema_validator.iter_errors(document)) or list(validator.iter_errors())
    # The first line says what is wrong; the rest repeats the document.
    return tuple((tuple(error.absolute_path), error.message.partition("\n")[0]) for error in errors)


def _without_files(value: Any) -> Any:
    if isinstance(value, dict):
        ref = value.get("$ref")
        if isinstance(ref, str) and not ref.startswith("#"):
            return {}
        return {key: _without_files(inner) for key, inner in value.items()}
    return [_without_files(inner) for inner in value] if isinstance(value, list) else value


def check_inline_schemas(spec: Spec, problems: Problems) -> None:
    """Refuse a body, and any object, that an OpenAPI document writes out instead of referring to."""
    for file in spec.folder("openapi"):
        for place in _schema_places(file):
            for inner in place.everything():
                _check_inline(inner, problems)
        for place in Place.root(file).members("components", "schemas"):
            what = f"the document defines the schema {place.key!r}"
            problems.add(place.source, what, "move it to a file of spec/schema and refer to that")


def _check_inline(place: Place, problems: Problems) -> None:
    if not isinstance(place.value, dict):
        return
    keywords = sorted(_OBJECT_KEYWORDS & place.value.keys())
    if place.value.get("type") == "object" or keywords:
        what = f"an object is defined inline ({', '.join(keywords) or 'type: object'})"
        problems.add(place.source, what, "move it to a file of spec/schema and refer to that with $ref")


def _schema_places(file: SourceFile) -> Iterator[Place]:
    """Every place of an OpenAPI document where a JSON schema may stand."""
    # Examples are left out by `everything`, so a key "schema" below is OpenAPI's own.
    for place in Place.root(file).everything():
        if place.key in ("schema", "itemSchema") and isinstance(place.value, dict):
            yield place


def operations(file: SourceFile) -> Iterator[tuple[str, Place]]:
    """Every HTTP operation of a document as (path, place); the place's key is the method in lower case."""
    for item in Place.root(file).members("paths"):
        for place in item.children():
            if place.key in METHODS:
                yield item.key, place
