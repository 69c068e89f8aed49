"""The specification's documents in one piece each: every `$ref` to a schema file points inside the
document.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mig_codegen.model import Document, Model

_IN_OPENAPI = "#/components/schemas/"
_IN_BUNDLE = "#/$defs/"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SUFFIX = ".schema.json"
_IDENTITY = (
    "$schema",
    "$id",
)  # of a file; inside another document they would move the base of its references


def bundles(model: Model) -> Iterator[tuple[str, str]]:
    """(path, text) of the OpenAPI and AsyncAPI documents and of the bundle of all schemas."""
    for document in model.openapi:
        yield f"openapi/{document.name}.v{_version(document)}.json", _text(_bundled(document, model))
    yield (
        f"asyncapi/{model.asyncapi.name}.v{_version(model.asyncapi)}.json",
        _text(_bundled(model.asyncapi, model)),
    )
    yield "schema/bundle.json", _text(_all_schemas(model))


def _version(document: Document) -> str:
    """ "0.1" of "spec/openapi/mig.v0.1.yaml"."""
    return document.file.rpartition("/")[2].partition(".v")[2].removesuffix(".yaml")


def _bundled(document: Document, model: Model) -> dict[str, Any]:
    used: set[str] = set()
    bundled = _rewritten(document.value, _titles(model), _IN_OPENAPI, used)
    components = bundled.setdefault("components", {})
    components["schemas"] = dict(components.get("schemas", {})) | _schemas(model, used)
    return dict(bundled)


def _schemas(model: Model, used: set[str]) -> dict[str, Any]:
    """The schemas of these titles and all that they refer to, by title."""
    found: dict[str, Any] = {}
    while missing := sorted(used - found.keys()):
        for title in missing:
            document = _without_identity(model.schema(title).document)
            found[title] = _rewritten(document, _titles(model), _IN_OPENAPI, used)
    return dict(sorted(found.items()))


def _all_schemas(model: Model) -> dict[str, Any]:
    titles = _titles(model)
    return {
        "$schema": _DIALECT,
        "title": "MIG messages",
        "description": "Every JSON schema of MIG by title. Refer to one as bundle.json#/$defs/InvokeRequest.",
        "$defs": {
            schema.title: _rewritten(_without_identity(schema.document), titles, _IN_BUNDLE, set())
            for schema in model.schemas
        },
    }


def _titles(model: Model) -> dict[str, str]:
    return {schema.file: schema.title for schema in model.schemas}


def _without_identity(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in _IDENTITY}


def _rewritten(node: Any, titles: Mapping[str, str], home: str, used: set[str]) -> Any:
    """The node with references to schema files turned into references below `home`; `used` collects their
    titles.
    """
    if isinstance(node, list | tuple):
        return [_rewritten(item, titles, home, used) for item in node]
    if not isinstance(node, Mapping):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str) and reference.endswith(_SUFFIX):
        title = titles[reference.rpartition("/")[2]]
        used.add(title)
        return {"$ref": f"{home}{title}"}
    return {key: _rewritten(value, titles, home, used) for key, value in node.items()}


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
