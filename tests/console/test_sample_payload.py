"""What the INVOKE editor is filled with."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from migd.console.sample import sample_payload

SCHEMAS: dict[str, dict[str, Any]] = {
    "the reference capability": {
        "type": "object",
        "required": ["input"],
        "properties": {"input": {"type": "string"}, "more": {"type": "integer"}},
    },
    "every kind of value": {
        "type": "object",
        "required": ["s", "i", "n", "b", "l", "o", "e", "c", "u"],
        "properties": {
            "s": {"type": "string", "minLength": 60, "maxLength": 61},
            "i": {"type": "integer", "minimum": 3, "exclusiveMaximum": 5},
            "n": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
            "b": {"type": "boolean"},
            "l": {"type": "array", "minItems": 2, "items": {"type": "integer", "maximum": -7}},
            "o": {"type": "object", "required": ["x"], "properties": {"x": {"type": "null"}}},
            "e": {"enum": ["red", "green"]},
            "c": {"const": {"fixed": 1}},
            "u": {"type": ["string", "null"], "maxLength": 4},
        },
    },
    "references and combinations": {
        "$ref": "#/$defs/Outer",
        "$defs": {
            "Named": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
            "Outer": {
                "allOf": [
                    {"$ref": "#/$defs/Named"},
                    {"required": ["choice"], "properties": {"choice": {"$ref": "#/$defs/Either~1Or"}}},
                ]
            },
            "Either/Or": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
        },
    },
    "nothing required": {"type": "object", "properties": {"text": {"type": "string"}}},
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_sample_is_valid_and_shows_something(name: str) -> None:
    sample = sample_payload(SCHEMAS[name])

    Draft202012Validator(SCHEMAS[name]).validate(sample)
    assert sample


def test_the_schema_s_own_example_and_default_come_first() -> None:
    schema = {
        "type": "object",
        "required": ["text", "to"],
        "properties": {
            "text": {"type": "string", "examples": ["Guten Morgen"]},
            "to": {"type": "string", "default": "en"},
        },
    }

    assert sample_payload(schema) == {"text": "Guten Morgen", "to": "en"}


def test_what_is_not_required_is_left_out() -> None:
    assert list(sample_payload(SCHEMAS["the reference capability"])) == ["input"]


@pytest.mark.parametrize("schema", [None, {"type": "string"}, {"type": "array"}, {}], ids=str)
def test_without_an_object_to_describe_it_is_the_usual_input(schema: dict[str, Any] | None) -> None:
    assert list(sample_payload(schema)) == ["input"]


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "https://example.org/elsewhere"},
        {"allOf": [{"$ref": "#"}, True]},
        {
            "type": "object",
            "required": [str(n) for n in range(50)],
            "properties": {str(n): {"$ref": "#"} for n in range(50)},
        },
        {
            "type": "object",
            "required": ["text", "list"],
            "properties": {
                "text": {"type": "string", "minLength": 10**9},
                "list": {"type": "array", "minItems": 10**9, "items": {"type": "integer"}},
            },
        },
    ],
    ids=["itself", "elsewhere", "all of itself", "a tree", "huge"],
)
def test_a_schema_that_never_ends_or_asks_for_a_lot_gives_a_small_sample(schema: dict[str, Any]) -> None:
    assert len(str(sample_payload(schema))) < 20_000
