"""Are the OpenAPI documents valid?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, OpenAPIV32SpecValidator

from mig_codegen.link.place import Place, places_called, target
from mig_codegen.link.refs import references
from mig_codegen.load import SourceFile, Spec
from mig_codegen.load.parse import Path, parse
from mig_codegen.problem import Problems

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")

_VALIDATORS = {"3.1": OpenAPIV31SpecValidator, "3.2": OpenAPIV32SpecValidator}


def check_openapi(spec: Spec, problems: Problems) -> None:
    """Refuse documents that OpenAPI does not allow, by openapi-spec-validator's judgement."""
    for file in spec.folder("openapi"):
        version = str(file.value.get("openapi", ""))[:3]
        if version not in _VALIDATORS:
            what = f"openapi is {file.value.get('openapi')!r}"
            problems.add(file.at("openapi"), what, "write a version 3.1.x or 3.2.x")
            continue
        if any(target(spec, place) is None for place in references(file)):
            continue  # the validator can not follow it either; `check_refs` tells of it
        if _check_scalars(file, problems):
            continue  # the validator tells of them too, without their place
        for path, message in _errors(file.name, file.text, version):
            where = "/".join(map(str, path)) or "the document"
            problems.add(
                file.at(*path), f"not valid OpenAPI {version}: {where}: {message}", "correct the document"
            )


def _check_scalars(file: SourceFile, problems: Problems) -> bool:
    """Refuse a schema written in the document that is none; whether there was one."""
    found = False
    for place in places_called(file, "schema", "itemSchema"):
        if place.text("$ref"):
            continue
        for error in Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(place.value):
            source = place.file.at(*place.path, *error.absolute_path)
            where = ".".join(map(str, error.absolute_path)) or place.key
            problems.add(source, f"not valid under 2020-12: {where}: {error.message}", "correct the keyword")
            found = True
    return found


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


def operations(file: SourceFile) -> Iterator[tuple[str, Place]]:
    """Every HTTP operation of a document as (path, place); the place's key is the method in lower case."""
    for item in Place.root(file).members("paths"):
        for place in item.children():
            if place.key in METHODS:
                yield item.key, place
