"""The bundled OpenAPI and AsyncAPI documents, and what a `$ref` in one means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, NamedTuple

JsonObject = dict[str, Any]

# In the order in which a reader needs them.
NAMES = ("mig", "admin", "pro", "cloud")
_VERBS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


class Endpoint(NamedTuple):
    """One operation of a document and where it is."""

    verb: str
    path: str
    operation: JsonObject


class Document:
    """One bundled document. Every `$ref` in it points into itself."""

    def __init__(self, name: str, raw: bytes) -> None:
        self.name = name
        self.raw = raw
        self.tree: JsonObject = json.loads(raw)

    @property
    def schemas(self) -> JsonObject:
        return self.components("schemas")

    def components(self, kind: str) -> JsonObject:
        found: JsonObject = self.tree.get("components", {}).get(kind, {})
        return found

    def endpoints(self) -> Iterator[Endpoint]:
        """The operations of an OpenAPI document, in its order."""
        for path, item in self.tree["paths"].items():
            for verb in item:
                if verb in _VERBS:
                    yield Endpoint(verb.upper(), path, item[verb])

    def resolve(self, node: JsonObject) -> JsonObject:
        """The node itself, or what it refers to."""
        while "$ref" in node:
            node = self._at(node["$ref"])
        return node

    def _at(self, reference: str) -> JsonObject:
        node: Any = self.tree
        for part in reference.removeprefix("#/").split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]
        found: JsonObject = node
        return found


def referred_name(node: JsonObject) -> str:
    """`Topic` for a reference to #/components/schemas/Topic; empty for anything else."""
    return str(node.get("$ref", "")).rpartition("/")[2]


def load_documents() -> dict[str, Document]:
    """The OpenAPI documents by name."""
    return {name: _load(name, f"openapi/{name}.v0.1.json") for name in NAMES}


def load_asyncapi() -> Document:
    return _load("asyncapi", "asyncapi/mig.v0.1.json")


def _load(name: str, path: str) -> Document:
    return Document(name, files("mig_protocol").joinpath(path).read_bytes())
