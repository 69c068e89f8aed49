"""The JSON Schemas themselves, as a judge that shares no code with what it judges."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators
from jsonschema.protocols import Validator

JsonSchema = Mapping[str, Any]

_SHOWN = 200


def _matches(_validator: object, pattern: str, text: object, _schema: object) -> Iterator[ValidationError]:
    # In the schemas' dialect (ECMA-262) "$" is the end of the text; in Python's, also before its last "\n".
    if isinstance(text, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), text):
        yield ValidationError(f"{text!r} does not match {pattern!r}")


_extend: Any = validators.extend  # it has no annotations
_Validator: type[Validator] = _extend(Draft202012Validator, {"pattern": _matches})


@cache
def _bundle() -> dict[str, Any]:
    text = files("mig_protocol").joinpath("schema/bundle.json").read_text()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def _validator(message: str) -> Validator:
    schema = {**_bundle(), "$ref": f"#/$defs/{message}"}
    return _Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def accepts(message: str, value: Any) -> bool:
    """Whether the schema of that message type does."""
    return _validator(message).is_valid(value)


def violations(message: str, value: Any) -> list[str]:
    """What that schema finds wrong with the value: "/pointer: why" each, in the order of the pointers."""
    return sorted(
        f"{''.join(f'/{step}' for step in error.absolute_path)}: {error.message[:_SHOWN]}"
        for error in _validator(message).iter_errors(value)
    )


def required(message: str) -> frozenset[str]:
    """The fields without which the schema of that message type accepts no object."""
    return frozenset(_follow(_bundle()["$defs"][message]).get("required", ()))


def schema_of(message: str, field: str) -> JsonSchema:
    """The schema of one field of a message type, references followed; {} for an unknown field."""
    properties = _follow(_bundle()["$defs"][message]).get("properties", {})
    return _follow(properties.get(field, {}))


def differences(message: str, before: object, after: object) -> Iterator[str]:
    """Where `after` is another message than `before`, one line each.

    Not different: an unknown field that is gone, a field that now has its default, another spelling of the
    same instant.
    """
    yield from _differences({"$ref": f"#/$defs/{message}"}, before, after, "")


def _differences(schema: JsonSchema, before: object, after: object, at: str) -> Iterator[str]:
    schema = _follow(schema)
    if isinstance(before, dict) and isinstance(after, dict) and "properties" in schema:
        yield from _in_fields(schema["properties"], before, after, at)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _differences(schema.get("items", {}), one, other, f"{at}/{index}")
    elif schema.get("format") == "date-time":
        if _instant(before) != _instant(after):
            yield f"{at} was {before!r} and is {after!r}"
    elif not _equal(before, after):
        yield f"{at} was {before!r} and is {after!r}"


def _in_fields(
    properties: JsonSchema, before: Mapping[str, Any], after: Mapping[str, Any], at: str
) -> Iterator[str]:
    for name, schema in properties.items():
        if name in before and name not in after:
            yield f"{at}/{name} is lost"
        elif name in before:
            yield from _differences(schema, before[name], after[name], f"{at}/{name}")
        elif name in after and after[name] != _follow(schema).get("default"):
            yield f"{at}/{name} is made up: {after[name]!r}"
    for name in after.keys() - properties.keys():
        yield f"{at}/{name} is no field"


def _equal(one: object, other: object) -> bool:
    """JSON's equality: 1 is 1.0 and no boolean is a number."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return one == other


def _follow(schema: JsonSchema) -> JsonSchema:
    while "$ref" in schema:
        schema = _bundle()["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    return schema


def _instant(text: object) -> datetime:
    return datetime.fromisoformat(str(text))
