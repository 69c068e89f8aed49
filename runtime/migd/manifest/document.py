"""A YAML file as places: values that know where they stand, and can say what is wrong with them."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from migd.manifest.variables import expand

_KINDS = {
    "tag:yaml.org,2002:str": "a string",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:bool": "true or false",
    "tag:yaml.org,2002:null": "nothing",
    "tag:yaml.org,2002:timestamp": "a date",
    "tag:yaml.org,2002:seq": "a list",
    "tag:yaml.org,2002:map": "a mapping",
}


_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


class ManifestError(Exception):
    """The file can not be used. Its text is one line: file, line, place, what is wrong, what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """One value of the file. `path` is its address in it, such as `capabilities[1].modes[0]`."""

    file: Path
    node: yaml.Node
    environ: Mapping[str, str] = field(repr=False)
    path: str = ""

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1

    @property
    def kind(self) -> str:
        return _KINDS.get(self.node.tag, f"a {self.node.tag}")

    @property
    def written(self) -> str:
        """The scalar as the file has it: what a message may show, unlike the value of a variable."""
        return str(self.node.value) if isinstance(self.node, yaml.ScalarNode) else self.kind

    def wrong(self, message: str) -> ManifestError:
        """The error to raise for this value."""
        where = f"{self.path}: " if self.path else ""
        return ManifestError(f"{self.file}:{self.line}: {where}{message}")

    def entries(self) -> dict[str, Place]:
        """The values of a mapping by key. Raises ManifestError for anything else, and for a repeated key."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.wrong(f"expected a mapping, found {self.kind}")
        own = [
            self._entry(key, value) for key, value in self.node.value if key.tag != "tag:yaml.org,2002:merge"
        ]
        seen: dict[str, Place] = {}
        for key, place in own:
            if key in seen:
                raise place.wrong(f"given twice, first in line {seen[key].line}")
            seen[key] = place
        return {**self._merged(), **seen}

    def only(self, known: Sequence[str]) -> dict[str, Place]:
        """`entries()`, refusing a key that is not `known`."""
        found = self.entries()
        for key, place in found.items():
            if key not in known:
                raise place.wrong(f"unknown key{suggestion(key, known)}")
        return found

    def items(self) -> list[Place]:
        """The values of a list. Raises ManifestError for anything else."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.wrong(f"expected a list, found {self.kind}")
        return [self._below(f"{self.path}[{index}]", node) for index, node in enumerate(self.node.value)]

    def text(self) -> str:
        """A string, its variables expanded."""
        if self.kind != "a string":
            quote = f'; write "{self.written}" in quotes' if isinstance(self.node, yaml.ScalarNode) else ""
            raise self.wrong(f"expected a string, found {self.kind}{quote}")
        try:
            return expand(str(self.node.value), self.environ)
        except ValueError as error:
            raise self.wrong(str(error)) from error

    def checked(self, check: Callable[[str], str]) -> str:
        """A string that `check` accepts; the ValueError that it raises becomes this place's error."""
        try:
            return check(self.text())
        except ValueError as error:
            raise self.wrong(str(error)) from error

    def integer(self, least: int, most: int) -> int:
        """A whole number, written as one or come from a variable."""
        written = self.text() if self.kind == "a string" else self.written
        if not (written.isascii() and written.isdigit() and least <= int(written) <= most):
            raise self.wrong(f"{self.written} is not a whole number from {least} to {most}")
        return int(written)

    def number(self, least: float, most: float) -> float:
        """A decimal number, written as one or come from a variable."""
        written = self.text() if self.kind == "a string" else self.written
        if not (_NUMBER.fullmatch(written) and least <= float(written) <= most):
            raise self.wrong(f"{self.written} is not a number from {least:g} to {most:.15g}")
        return float(written)

    def flag(self) -> bool:
        if self.kind != "true or false":
            raise self.wrong(f"expected true or false, found {self.kind}")
        return bool(SafeConstructor().construct_document(self.node))

    def one_of(self, allowed: Sequence[str]) -> str:
        value = self.text()
        if value not in allowed:
            raise self.wrong(f'"{self.written}" is not one of {", ".join(allowed)}')
        return value

    def json(self) -> Any:
        """The value as JSON data, `${...}` left alone: a schema's patterns are not ours to expand."""
        value = SafeConstructor().construct_document(self.node)
        try:
            return json.loads(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise self.wrong(f"is not JSON data ({error}); dates have to be in quotes") from error

    def _entry(self, key: yaml.Node, value: yaml.Node) -> tuple[str, Place]:
        if not isinstance(key, yaml.ScalarNode):
            raise self._below(self.path, key).wrong("a key must be a string")
        name = str(key.value)
        place = self._below(f"{self.path}.{name}" if self.path else name, value)
        return name, place

    def _merged(self) -> dict[str, Place]:
        """What `<<: *anchor` brings in; the mapping's own keys win over it."""
        inherited: dict[str, Place] = {}
        for key, value in self.node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for source in reversed(sources):
                    inherited |= self._below(self.path, source).entries()
        return inherited

    def _below(self, path: str, node: yaml.Node) -> Place:
        return Place(self.file, node, self.environ, path)


def suggestion(word: str, known: Sequence[str]) -> str:
    """The end of a message about an unknown word: the likely one, else all of them."""
    close = difflib.get_close_matches(word, known, n=1)
    return f'; did you mean "{close[0]}"?' if close else f"; known here: {', '.join(known)}"


def read_document(file: Path, environ: Mapping[str, str]) -> Place:
    """The top of the YAML file. Raises ManifestError when it can not be read or is not YAML."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ManifestError(f"{file}: can not be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{file}: is not UTF-8 text") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ManifestError(f"{file}:{mark.line + 1 if mark else 1}: not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ManifestError(f"{file}: not YAML: {' '.join(str(error).split())}") from error
    if node is None:
        raise ManifestError(
            f"{file}:1: the file is empty; it starts with `migd: 1` and a list of `capabilities`"
        )
    return Place(file, node, environ)
