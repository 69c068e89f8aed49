"""YAML and JSON text as plain values that remember on which line each of them stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

import yaml

from mig_codegen.model import Source
from mig_codegen.problem import Problem, SpecError

Path = tuple[str | int, ...]
"""Where a value is inside a document: keys and indexes from the root."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_JSON_TOKEN = re.compile(r'\n|"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """One parsed file. `name` starts with "spec/" or "conformance/"; mapping keys are always strings."""

    name: str
    text: str
    value: Any
    lines: Mapping[Path, int]

    def at(self, *path: str | int) -> Source:
        """Where the value under `path` is written, or else the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return Source(file=self.name, line=self.lines.get(path, 1))


@lru_cache(maxsize=1024)  # the checks of whole documents ask for the same text again
def parse(name: str, text: str) -> SourceFile:
    """Parse by the ending of `name` (.json, else YAML). Raises SpecError with the line of a mistake."""
    value, lines = _parse_json(name, text) if name.endswith(".json") else _parse_yaml(name, text)
    return SourceFile(name=name, text=text, value=value, lines=lines)


def _refuse(name: str, line: int, what: str, todo: str) -> NoReturn:
    raise SpecError([Problem(Source(file=name, line=line), what, todo)])


# --- YAML -----------------------------------------------------------------------------------------------


def _parse_yaml(name: str, text: str) -> tuple[Any, dict[Path, int]]:
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        _refuse(name, mark.line + 1 if mark else 1, f"not valid YAML: {error.problem}", "correct the syntax")
    except yaml.reader.ReaderError as error:
        _refuse(name, 1, f"not valid YAML: {error.reason}", "remove the character")
    lines: dict[Path, int] = {}
    return _yaml_value(name, root, (), lines), lines


def _yaml_value(name: str, node: yaml.Node | None, path: Path, lines: dict[Path, int]) -> Any:
    if node is None:
        return None
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _yaml_mapping(name, node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_yaml_value(name, item, (*path, i), lines) for i, item in enumerate(node.value)]
    return _yaml_scalar(node)


def _yaml_mapping(name: str, node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            _refuse(name, line, "a mapping key is not a plain word", "write the key as a string")
        key = str(key_node.value)
        if key in result:
            _refuse(name, line, f"key {key!r} is written twice in one mapping", "keep one of the two")
        lines[(*path, key)] = line
        result[key] = _yaml_value(name, value_node, (*path, key), lines)
    return result


def _yaml_scalar(node: yaml.Node) -> Any:
    # YAML 1.2's core schema, as OpenAPI and AsyncAPI ask for: `yes`, `on` and dates stay strings.
    text = str(node.value)
    if node.tag == f"{_TAG}null":
        return None
    if node.tag == f"{_TAG}bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if node.tag == f"{_TAG}int" and _INTEGER.fullmatch(text):
        return int(text)
    if node.tag == f"{_TAG}float" and _FLOAT.fullmatch(text):
        return float(text)
    return text


# --- JSON -----------------------------------------------------------------------------------------------


def _parse_json(name: str, text: str) -> tuple[Any, dict[Path, int]]:
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        _refuse(name, error.lineno, f"not valid JSON: {error.msg}", "correct the syntax")
    except ValueError as error:
        _refuse(name, 1, f"not valid JSON: {error}", "write a finite number")
    except RecursionError:
        _refuse(
            name, 1, "JSON nested too deeply to be read", "describe the nesting instead of writing it out"
        )
    lines: dict[Path, int] = {}
    _json_lines(name, _json_tokens(text), (), lines)
    return value, lines


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a JSON number")


def _json_tokens(text: str) -> Iterator[tuple[str, int]]:
    line = 1
    for match in _JSON_TOKEN.finditer(text):
        if match[0] == "\n":
            line += 1
        else:
            yield match[0], line


def _json_lines(name: str, tokens: Iterator[tuple[str, int]], path: Path, lines: dict[Path, int]) -> str:
    # The text is known to be valid JSON. Returns the word read, so that a list can see its own end.
    word, line = next(tokens)
    if word not in ("]", "}"):
        lines.setdefault(path, line)
    if word == "[":
        index = 0
        while _json_lines(name, tokens, (*path, index), lines) != "]" and next(tokens)[0] != "]":
            index += 1
        return "[]"
    if word == "{":
        _json_members(name, tokens, path, lines)
    return word


def _json_members(name: str, tokens: Iterator[tuple[str, int]], path: Path, lines: dict[Path, int]) -> None:
    for word, line in tokens:
        if word == "}":
            return
        if word == ",":
            continue
        key = json.loads(word)
        if (*path, key) in lines:
            _refuse(name, line, f"key {key!r} is written twice in one object", "keep one of the two")
        lines[(*path, key)] = line
        next(tokens)  # the colon
        _json_lines(name, tokens, (*path, key), lines)
