"""A manifest as it was written: its values, and where each of them comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from mig_conformance.subject.placeholders import UnsetError

Place = tuple[str | int, ...]


class ManifestError(Exception):
    """Where, what, and what to do, in one line."""


class Document:
    """`content` is what the schema is about."""

    def __init__(self, name: str, content: dict[str, Any], lines: Mapping[Place, int]) -> None:
        self.content = content
        self._name = name
        self._lines = lines
        self._options: dict[Place, str] = {}

    def override(self, place: Place, value: Any, option: str) -> None:
        """The value of an option of the command line, in place of the file's."""
        parent = self.content
        for name in place[:-1]:
            inner = parent.get(str(name))
            parent[str(name)] = parent = inner if isinstance(inner, dict) else {}
        parent[str(place[-1])] = value
        self._options[place] = option

    def fill(self, replaced: Callable[[str], str]) -> None:
        """Every text replaced. Raises ManifestError where that is an UnsetError."""
        self.content = self._filled(self.content, (), replaced)

    def error(self, place: Place, why: str) -> ManifestError:
        """With the option or the line that the value at that place comes from."""
        for length in range(len(place), 0, -1):
            if place[:length] in self._options:
                return ManifestError(f"{self._options[place[:length]]}: {why}")
        inner = next((place[:end] for end in range(len(place), -1, -1) if place[:end] in self._lines), ())
        where = f"{self._name}:{self._lines[inner]}" if inner in self._lines else self._name
        said = "/".join(map(str, place))
        return ManifestError(": ".join(filter(None, (where, said, why))))

    def _filled(self, value: Any, place: Place, replaced: Callable[[str], str]) -> Any:
        if isinstance(value, dict):
            return {name: self._filled(each, (*place, name), replaced) for name, each in value.items()}
        if isinstance(value, list):
            return [self._filled(each, (*place, index), replaced) for index, each in enumerate(value)]
        try:
            return replaced(value) if isinstance(value, str) else value
        except UnsetError as unset:
            raise self.error(place, str(unset)) from None


def read_document(file: Path | None) -> Document:
    """The file's; an empty one without a file. Raises ManifestError."""
    if file is None:
        return Document("", {}, {})
    try:
        text = file.read_text()
        content, tree = yaml.safe_load(text), yaml.compose(text, yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{file}: can not be read: {error}") from None
    except yaml.MarkedYAMLError as error:
        # Not all that it says: it would show the line, and a secret may be on it.
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ManifestError(f"{file}:{line}: no YAML: {error.problem}") from None
    except yaml.YAMLError:
        raise ManifestError(f"{file}: no YAML: it has characters that no text has") from None
    if not isinstance(content, dict):
        raise ManifestError(
            f"{file}: expected members such as endpoints; docs/CONFORMANCE.md shows a manifest"
        )
    return Document(str(file), content, dict(_lines(tree, ())))


def _lines(node: Any, place: Place) -> Iterator[tuple[Place, int]]:
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield (*place, name.value), name.start_mark.line + 1
            yield from (
                (each, line)
                for each, line in _lines(value, (*place, name.value))
                if each != (*place, name.value)
            )
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*place, index))
