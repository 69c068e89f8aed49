"""JSON Schemas in a migd.yaml: written in place, or in a file of their own."""

from __future__ import annotations

import json

import yaml

from mig_protocol.errors import MigFault
from migd.core.provider import JsonObject
from migd.core.schemas import PayloadSchema
from migd.manifest.document import Place, read_document


def read_schema(place: Place | None) -> JsonObject:
    """The schema of an entry; without one, any JSON object is valid.

    A string is a path, relative to the manifest's folder, of a JSON or YAML file. Raises ManifestError
    when it is missing, unreadable or not a usable JSON Schema.
    """
    if place is None:
        return {"type": "object"}
    document = _from_file(place) if isinstance(place.node, yaml.ScalarNode) else place.json()
    if not isinstance(document, dict):
        raise place.wrong("a schema is a mapping")
    try:
        PayloadSchema(document)
    except MigFault as error:
        raise place.wrong(error.message) from error
    return document


def _from_file(place: Place) -> object:
    file = place.file.parent / place.text()
    if file.suffix in (".yaml", ".yml"):
        return read_document(file, {}).json()
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise place.wrong(f"{file} can not be read: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise place.wrong(f"{file}:{error.lineno} is not JSON: {error.msg}") from error
    except ValueError as error:
        raise place.wrong(f"{file} is not UTF-8 text") from error
