"""The bundled documents stand on their own, and say what the message types do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from msgspec import Struct
from openapi_spec_validator import validate

import mig_protocol
from mig_protocol import messages

PACKAGE = Path(mig_protocol.__file__).parent
SPEC = Path(__file__).parents[2] / "spec"
DOCUMENTS = sorted(PACKAGE.glob("*api/*.json"))


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from references(item)


def resolved(document: Any, reference: str) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        document = document[step.replace("~1", "/").replace("~0", "~")]
    return document


@pytest.mark.parametrize("path", [*DOCUMENTS, PACKAGE / "schema" / "bundle.json"], ids=lambda path: path.name)
def test_every_reference_stays_inside_and_is_found(path: Path) -> None:
    document = read(path)
    found = set(references(document))
    assert found
    for reference in found:
        assert reference.startswith("#/")
        assert resolved(document, reference) is not None


@pytest.mark.parametrize("path", sorted((PACKAGE / "openapi").glob("*.json")), ids=lambda path: path.name)
def test_the_openapi_documents_are_valid_in_one_piece(path: Path) -> None:
    validate(read(path))


@pytest.mark.parametrize("source", sorted(SPEC.glob("*api/*.yaml")), ids=lambda path: path.name)
def test_a_bundle_has_the_operations_of_its_source(source: Path) -> None:
    document = read(PACKAGE / source.parent.name / f"{source.stem}.json")
    written = yaml.safe_load(source.read_text("utf-8"))
    assert document["info"] == written["info"]
    for part in ("paths", "operations", "channels"):
        assert list(document.get(part, {})) == list(written.get(part, {}))


def test_the_bundle_has_every_schema_and_they_are_valid() -> None:
    bundle = read(PACKAGE / "schema" / "bundle.json")
    titles = {read(path)["title"] for path in (SPEC / "schema").glob("*.json")}
    assert set(bundle["$defs"]) == titles
    Draft202012Validator.check_schema(bundle)


def test_the_bundle_validates_a_message_through_its_references() -> None:
    bundle = read(PACKAGE / "schema" / "bundle.json")
    validator = Draft202012Validator({**bundle, "$ref": "#/$defs/InvokeRequest"})
    assert validator.is_valid({"header": {"tenant_id": "acme"}})
    assert not validator.is_valid({"header": {"tenant_id": "a b"}})


def test_every_object_schema_that_is_a_message_has_a_type_with_its_properties() -> None:
    definitions = read(PACKAGE / "schema" / "bundle.json")["$defs"]
    without_type = set()
    for title, schema in definitions.items():
        if "properties" not in schema:
            assert hasattr(messages, title)
        elif hasattr(messages, title):
            message = getattr(messages, title)
            assert issubclass(message, Struct)
            assert set(message.__struct_fields__) == set(schema["properties"])
        else:
            without_type.add(title)
    assert without_type == {"MirrorHeaders", "NatsHeaders", "SseEvent"}
