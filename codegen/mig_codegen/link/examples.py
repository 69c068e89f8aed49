"""Do the examples and the golden vectors obey the schemas that they illustrate?"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012, Schema

from mig_codegen.link.place import Place, target
from mig_codegen.load import Spec
from mig_codegen.problem import Problems


def check_examples(spec: Spec, problems: Problems) -> None:
    """Refuse an example that its schema refuses, and a malformed vector that its schema takes.

    The schemas are valid and their references lead somewhere.
    """
    validators = _Validators(spec)
    for example, schema in _examples(spec):
        _check(validators.of(spec, schema), example, problems)
    for file in spec.folder("vectors"):
        validator = validators.titled(file.value["message"])
        for row in Place.root(file).members("valid"):
            for message in _under(row, "json"):
                _check(validator, message, problems)
        for row in Place.root(file).members("malformed"):
            _check_malformed(validator, row, problems)


class _Validators:
    """One validator for each schema file, all of them knowing each other."""

    def __init__(self, spec: Spec) -> None:
        files = spec.folder("schema")
        # A subschema that names its dialect would be given that dialect's own validator.
        schemas = {file.name: _without_dialect(file.value) for file in files}
        resources = [(schema["$id"], DRAFT202012.create_resource(schema)) for schema in schemas.values()]
        self._registry: Registry[Schema] = Registry().with_resources(resources)
        self._by_file = {name: self._validator(schema) for name, schema in schemas.items()}
        self._by_title = {file.value["title"]: self._by_file[file.name] for file in files}

    def titled(self, title: str) -> Draft202012Validator:
        """The validator of a type."""
        return self._by_title[title]

    def of(self, spec: Spec, place: Place) -> Draft202012Validator:
        """The validator of the schema at `place`, or of the file that its `$ref` leads to."""
        found = target(spec, place)
        name = found.file.name if found is not None and not found.path else ""
        return self._by_file.get(name) or self._validator(place.value)

    def _validator(self, schema: Mapping[str, object]) -> Draft202012Validator:
        return _Validator(schema, registry=self._registry, format_checker=FormatChecker())


def _pattern(
    _validator: object, pattern: str, instance: object, _schema: object
) -> Iterator[ValidationError]:
    # The spec's patterns are ECMA-262 and anchored: there `$` is the very end and a class is ASCII.
    if isinstance(instance, str) and not re.search(f"{pattern.removesuffix('$')}\\Z", instance, re.ASCII):
        yield ValidationError(f"{instance!r} does not match {pattern}")


def _without_dialect(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "$schema"}


_Validator: type[Draft202012Validator] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"pattern": _pattern}
)


def _examples(spec: Spec) -> Iterator[tuple[Place, Place]]:
    """Every (example, schema) of the OpenAPI and AsyncAPI documents."""
    for file in spec.folder("openapi"):
        for owner in Place.root(file).everything():
            for schema in _under(owner, "schema"):
                yield from ((example, schema) for example in _openapi_examples(spec, owner))
    for file in spec.folder("asyncapi"):
        for message in Place.root(file).members("components", "messages"):
            for example in message.members("examples"):
                for key in ("payload", "headers"):
                    yield from zip(_under(example, key), _under(message, key), strict=False)


def _openapi_examples(spec: Spec, owner: Place) -> Iterator[Place]:
    yield from _under(owner, "example")
    for named in owner.members("examples"):
        found = target(spec, named)
        if found is not None:
            yield from _under(found, "value")


def _under(place: Place, key: str) -> Iterator[Place]:
    found = place.get(key)
    if found is not None:
        yield found


def _check(validator: Draft202012Validator, example: Place, problems: Problems) -> None:
    error = best_match(validator.iter_errors(example.value))
    if error is not None:
        source = example.file.at(*example.path, *error.absolute_path)
        where = ".".join(map(str, error.absolute_path)) or "the example"
        what = textwrap.shorten(f"an example is not valid: {where}: {error.message}", 200)
        problems.add(source, what, "correct the example or its schema")


def _check_malformed(validator: Draft202012Validator, row: Place, problems: Problems) -> None:
    # "stage: operation" and raw bytes are refused by other things than the schema.
    if "json" in row.value and "stage" not in row.value and validator.is_valid(row.value["json"]):
        what = f"the malformed vector {row.text('name')!r} is valid under its schema"
        problems.add(row.source, what, 'correct the vector or the schema, or write "stage": "operation"')
