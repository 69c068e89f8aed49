"""A value inside a document that knows where it is written, and how a `$ref` leads from one to another."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mig_codegen.load import SourceFile, Spec
from mig_codegen.load.parse import Path
from mig_codegen.model import Source

# Under these keys stands data, in which "$ref" or "description" means nothing to us.
_DATA = frozenset({"example", "examples", "default", "const", "enum", "value"})


@dataclass(frozen=True, kw_only=True)
class Place:
    """The value of `file` under `path`."""

    file: SourceFile
    path: Path
    value: Any

    @classmethod
    def root(cls, file: SourceFile) -> Place:
        """The whole document."""
        return cls(file=file, path=(), value=file.value)

    @property
    def source(self) -> Source:
        """Its file and line."""
        return self.file.at(*self.path)

    @property
    def key(self) -> str:
        """The last key on the way to it, or "" at the root."""
        return str(self.path[-1]) if self.path else ""

    def get(self, *keys: str) -> Place | None:
        """What is under these keys, or None."""
        here = self
        for key in keys:
            if not isinstance(here.value, dict) or key not in here.value:
                return None
            here = here._child(key, here.value[key])
        return here

    def text(self, key: str) -> str:
        """The string under `key`, or "" if there is none."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return value if isinstance(value, str) else ""

    def children(self) -> Iterator[Place]:
        """The values of a mapping or the items of a list; nothing for a scalar."""
        if isinstance(self.value, dict):
            yield from (self._child(key, value) for key, value in self.value.items())
        elif isinstance(self.value, list):
            yield from (self._child(i, value) for i, value in enumerate(self.value))

    def members(self, *keys: str) -> Iterator[Place]:
        """The children of what is under these keys, if it is there."""
        inside = self.get(*keys)
        if inside is not None:
            yield from inside.children()

    def everything(self) -> Iterator[Place]:
        """This place and all below it, examples and other data left out."""
        yield self
        for child in self.children():
            # A property may well be called "value" or "default": below "properties" keys are names.
            if child.key not in _DATA or (self.key == "properties"):
                yield from child.everything()

    def _child(self, key: str | int, value: Any) -> Place:
        return Place(file=self.file, path=(*self.path, key), value=value)


def places_called(file: SourceFile, *keys: str) -> Iterator[Place]:
    """Every mapping of the document under one of these keys, examples and other data left out."""
    for place in Place.root(file).everything():
        if place.key in keys and isinstance(place.value, dict):
            yield place


def target(spec: Spec, place: Place) -> Place | None:
    """Where the `$ref` at `place` leads, or None if it leads nowhere. A place without `$ref` is its own."""
    seen: set[tuple[str, Path]] = set()
    while place.text("$ref"):
        if (place.file.name, place.path) in seen:
            return None
        seen.add((place.file.name, place.path))
        step = _step(spec, place)
        if step is None:
            return None
        place = step
    return place


def _step(spec: Spec, place: Place) -> Place | None:
    name, _, pointer = place.text("$ref").partition("#")
    folder = posixpath.dirname(place.file.name)
    file = spec.file(posixpath.normpath(posixpath.join(folder, name))) if name else place.file
    if file is None:
        return None
    keys = [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]]
    return Place.root(file).get(*keys)
