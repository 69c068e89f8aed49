"""How large a registered schema may be, and how much work it may make of a payload."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mig_protocol.errors import MigFault
from migd.core.provider import JsonObject
from migd.core.schema_bounds import SchemaBounds
from migd.core.schemas import PayloadSchema
from support.running_migd import local_migd

BOUNDS = SchemaBounds(max_bytes=20_000, max_parts=200, max_patterns=5, max_steps=500)


def refused(schema: JsonObject) -> str:
    with pytest.raises(MigFault) as caught:
        PayloadSchema(schema, BOUNDS)
    assert caught.value.code.value == "MIG_INVALID_REQUEST"
    return caught.value.message


def forking(levels: int, **end: Any) -> JsonObject:
    """Each level refers to the next one twice: 2 to the power of `levels` steps for any value."""
    twice = {
        str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}, {"$ref": f"#/$defs/{n + 1}"}]} for n in range(levels)
    }
    return {"$ref": "#/$defs/0", "$defs": {**twice, str(levels): {"type": "object", **end}}}


@pytest.mark.parametrize(
    ("schema", "setting"),
    [
        ({"description": "x" * 20_000}, "MIGD_MAX_SCHEMA_BYTES"),
        ({"$defs": {str(n): {"not": {}} for n in range(100)}}, "MIGD_MAX_SCHEMA_PARTS"),
        ({"allOf": [{"pattern": str(n)} for n in range(6)]}, "MIGD_MAX_SCHEMA_PATTERNS"),
        ({"patternProperties": {str(n): True for n in range(6)}}, "MIGD_MAX_SCHEMA_PATTERNS"),
        (forking(40), "MIGD_MAX_SCHEMA_STEPS"),
        (forking(40, properties={"again": {"$ref": "#"}}), "MIGD_MAX_SCHEMA_STEPS"),
    ],
)
def test_a_schema_beyond_a_bound_is_refused_by_its_setting(schema: JsonObject, setting: str) -> None:
    assert setting in refused(schema)


@pytest.mark.parametrize("kind", ["$anchor", "$dynamicAnchor", "$id"])
def test_forks_are_found_by_whatever_name_they_are_referred_to(kind: str) -> None:
    prefix, sign = ("#", "") if kind != "$id" else ("", "https://a.example/")
    keyword = "$dynamicRef" if kind == "$dynamicAnchor" else "$ref"

    def name(n: int) -> str:
        return f"{sign}a{n}"

    levels = [
        {kind: name(n), "anyOf": [{keyword: prefix + name(n + 1)}, {keyword: prefix + name(n + 1)}]}
        for n in range(30)
    ]
    schema: JsonObject = {
        keyword: prefix + name(0),
        "$defs": {str(n): level for n, level in enumerate(levels)},
    }
    schema["$defs"]["end"] = {kind: name(30)}
    assert "MIGD_MAX_SCHEMA_STEPS" in refused(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "file:///etc/passwd"},
        {"$ref": "http://169.254.169.254/latest/meta-data"},
        {"$ref": "schema://observatory/models/infer-input/v1"},
        {"$schema": "https://evil.example/dialect"},
        {"pattern": "(x{1000}){1000}"},
        {"pattern": "(?=a)b"},
    ],
)
def test_nothing_is_fetched_and_no_pattern_grows_or_backtracks(schema: JsonObject) -> None:
    assert "not a usable JSON Schema" in refused(schema)


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "integer"}}}, 1, "x"),
        ({"$ref": "https://json-schema.org/draft/2020-12/schema"}, {"type": "object"}, {"type": 1}),
        ({"properties": {"next": {"$ref": "#"}, "n": {"type": "integer"}}}, {"next": {"n": 1}}, {"n": ""}),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "not": {}}, None, 1),
        ({"enum": [{"pattern": "["}], "default": {"$ref": "nowhere"}}, {"pattern": "["}, 1),
        ({"properties": {"enum": {"type": "string"}, "$ref": {"type": "string"}}}, {"enum": ""}, {"enum": 1}),
        ({"$ref": "#/items", "items": {"not": False}}, 1, None),
        ({"pattern": r"^(a+)+$"}, "aaaa", "a" * 5000 + "b"),
    ],
)
def test_what_is_within_the_bounds_means_what_it_meant(schema: JsonObject, right: Any, wrong: Any) -> None:
    compiled = PayloadSchema(schema, BOUNDS)
    if right is not None:
        assert compiled.is_valid(right)
    if wrong is not None:
        assert not compiled.is_valid(wrong)


async def test_the_administration_takes_no_schema_beyond_the_settings() -> None:
    async with local_migd(MIGD_MAX_SCHEMA_STEPS="100", MIGD_MAX_SCHEMA_PARTS="50") as migd:
        for schema, setting in ((forking(10), "STEPS"), ({"allOf": [{}] * 60}, "PARTS")):
            answer = await migd.post("/admin/v0.1/schemas", {"uri": "schema://a/b/v1", "schema": schema})
            assert (answer.status, answer.code) == (400, "MIG_INVALID_REQUEST")
            assert f"MIGD_MAX_SCHEMA_{setting}" in answer.json["error"]["message"]
        deep = b'{"uri":"schema://a/b/v1","schema":%b{}%b}' % (b'{"not":' * 200, b"}" * 200)
        assert "128 levels" in (await migd.post("/admin/v0.1/schemas", deep)).json["error"]["message"]
        good = {"uri": "schema://a/b/v1", "schema": json.loads('{"type": "object"}')}
        assert (await migd.post("/admin/v0.1/schemas", good)).status == 201
