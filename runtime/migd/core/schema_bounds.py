"""How large a JSON Schema may be, and how much work it may make of one value.

A schema of a few hundred bytes whose references fork and join takes longer than anybody waits, for the
smallest payload. The work is found without doing it: each subschema is looked at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

import msgspec

from mig_protocol.codec import MAX_DEPTH
from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.provider import JsonObject

_encode = msgspec.json.Encoder().encode
# By keyword, what its value holds (JSON Schema 2020-12, 10 and 11, and what earlier drafts have beside).
_SCHEMAS_BY_NAME = frozenset({"properties", "patternProperties", "dependentSchemas", "dependencies"})
_DEFINITIONS = frozenset({"$defs", "definitions"})
_DATA = frozenset({"const", "enum", "default", "examples", "required", "dependentRequired", "$vocabulary"})
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_ANCHORS = ("$anchor", "$dynamicAnchor")
_METASCHEMAS = ("http://json-schema.org/", "https://json-schema.org/")
_METASCHEMA_STEPS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaBounds:
    """`max_bytes` of its JSON text, `max_parts` subschemas, `max_patterns` regular expressions, and
    `max_steps` subschemas that are looked at for one value where none recurs.
    """

    max_bytes: int = 262_144
    max_parts: int = 5_000
    max_patterns: int = 100
    max_steps: int = 10_000

    def check_size(self, document: JsonObject) -> None:
        """Raises MigFault MIG_INVALID_REQUEST for what is too large to be compiled."""
        if len(_encode(document)) > self.max_bytes:
            raise _beyond("has more bytes", self.max_bytes, "MIGD_MAX_SCHEMA_BYTES")
        patterns = 0
        for parts, part in enumerate(_parts(document), start=1):
            patterns += ("pattern" in part) + len(_object(part.get("patternProperties")))
            if parts > self.max_parts:
                raise _beyond("has more subschemas", self.max_parts, "MIGD_MAX_SCHEMA_PARTS")
            if patterns > self.max_patterns:
                raise _beyond("has more patterns", self.max_patterns, "MIGD_MAX_SCHEMA_PATTERNS")

    def check_work(self, document: JsonObject) -> None:
        """Raises MigFault MIG_INVALID_REQUEST for what takes too many steps. It is a valid schema."""
        try:
            steps = _Work(document).steps(document, "")
        except RecursionError:
            raise _fault("its references go too deep: take some of the steps between out") from None
        if steps > self.max_steps:
            raise _beyond("takes more steps for one value", self.max_steps, "MIGD_MAX_SCHEMA_STEPS")


DEFAULT_BOUNDS = SchemaBounds()


class _Work:
    """Counts each subschema's steps once, however often it is referred to. One that refers to itself goes no
    further than what it is applied to, and counts as one step there.
    """

    def __init__(self, document: JsonObject) -> None:
        self._resources: dict[str, JsonObject] = {"": document}
        self._anchors: dict[str, JsonObject] = {}
        self._index(document, "")
        self._counted: dict[int, int] = {}

    def steps(self, schema: JsonObject, base: str) -> int:
        """`base` is the URI that references in it are relative to."""
        counted = self._counted.get(id(schema))
        if counted is not None:
            return counted
        self._counted[id(schema)] = 1
        base = _base(schema, base)
        total = 1 + sum(self.steps(part, base) for part in _applied(schema))
        for keyword in _REFERENCES:
            reference = schema.get(keyword)
            if isinstance(reference, str):
                total += self._referred(reference, base)
        self._counted[id(schema)] = total
        return total

    def _referred(self, reference: str, base: str) -> int:
        if reference.startswith(_METASCHEMAS):
            return _METASCHEMA_STEPS
        target = urljoin(base, reference)
        uri, fragment = urldefrag(target)
        found: Any = self._anchors.get(target)
        if found is None:
            found = _at(self._resources.get(uri), fragment)
        if isinstance(found, bool):
            return 1
        if not isinstance(found, dict):
            raise _fault(f"the reference {reference[:100]} can not be followed within it")
        return self.steps(found, uri)

    def _index(self, schema: JsonObject, base: str) -> None:
        base = _base(schema, base)
        self._resources.setdefault(base, schema)
        for keyword in _ANCHORS:
            if isinstance(schema.get(keyword), str):
                self._anchors[f"{base}#{schema[keyword]}"] = schema
        for part in (*_applied(schema), *_defined(schema)):
            self._index(part, base)


def _parts(document: JsonObject) -> Iterator[JsonObject]:
    """Every subschema, the whole one first. Raises MigFault for what nests too deep to be walked."""
    waiting = [(document, 0)]
    while waiting:
        schema, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise _fault(f"it is nested deeper than {MAX_DEPTH} levels")
        yield schema
        waiting += ((part, depth + 1) for part in (*_applied(schema), *_defined(schema)))


def _applied(schema: JsonObject) -> Iterator[JsonObject]:
    """The subschemas that a value, or a part of it, is held against."""
    for keyword, value in schema.items():
        if keyword in _SCHEMAS_BY_NAME:
            yield from _objects(_object(value).values())
        elif keyword in _DEFINITIONS or keyword in _DATA:
            continue
        elif isinstance(value, list):
            yield from _objects(value)
        elif isinstance(value, dict):
            yield value


def _defined(schema: JsonObject) -> Iterator[JsonObject]:
    for keyword in _DEFINITIONS:
        yield from _objects(_object(schema.get(keyword)).values())


def _objects(values: Any) -> Iterator[JsonObject]:
    return (value for value in values if isinstance(value, dict))


def _object(value: Any) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _base(schema: JsonObject, base: str) -> str:
    identifier = schema.get("$id")
    return urldefrag(urljoin(base, identifier)).url if isinstance(identifier, str) else base


def _at(resource: Any, pointer: str) -> Any:
    """What a JSON Pointer in a URI's fragment names (RFC 6901, 6)."""
    found = resource
    for step in unquote(pointer).split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list):
            found = found[int(key)] if key.isdigit() and int(key) < len(found) else None
        else:
            found = _object(found).get(key)
    return found if pointer.startswith("/") or not pointer else None


def _beyond(what: str, bound: int, setting: str) -> MigFault:
    return _fault(f"it {what} than {bound} ({setting})")


def _fault(reason: str) -> MigFault:
    return MigFault(MigErrorCode.MIG_INVALID_REQUEST, f"not a usable JSON Schema: {reason}")
