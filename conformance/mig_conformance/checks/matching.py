"""Comparing an answer with what a case expects: objects in part, all else whole, and a few patterns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_BOOL = "tag:yaml.org,2002:bool"
_DATE = "tag:yaml.org,2002:timestamp"
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Pattern:
    """A YAML tag in an expectation. `holds` takes what was found; for something that is not there it gets
    `_MISSING`.
    """

    text: str
    holds: Callable[[Any], bool]

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Unordered:
    """A list of which the order does not matter, every item matched once."""

    items: list[Any]


@dataclass(frozen=True, slots=True)
class Exactly:
    """An object without further members."""

    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contains:
    """A list with an item that matches."""

    item: Any


@dataclass(frozen=True, slots=True)
class Every:
    """A list of which every item matches, and which is not empty."""

    item: Any


@dataclass(frozen=True, slots=True)
class OneOf:
    """What matches one of them."""

    items: list[Any]


@dataclass(frozen=True, slots=True)
class Not:
    """Anything else, but not nothing."""

    value: Any


def differences(expected: Any, found: Any, at: str = "") -> Iterator[str]:
    """One line for each place where `found` is not what is expected: "/pointer is X, expected Y"."""
    if isinstance(expected, Pattern):
        if not expected.holds(found):
            yield _line(at, found, expected)
    elif found is _MISSING:
        yield _line(at, found, expected)
    elif isinstance(expected, Exactly):
        yield from _exactly(expected.members, found, at)
    elif isinstance(expected, Contains):
        if not isinstance(found, list) or not any(_matches(expected.item, each) for each in found):
            yield _line(at, found, f"a list with {_shown(expected.item)}")
    elif isinstance(expected, Every):
        yield from _every(expected.item, found, at)
    elif isinstance(expected, OneOf):
        if not any(_matches(each, found) for each in expected.items):
            yield _line(at, found, f"one of {_shown(expected.items)}")
    elif isinstance(expected, Not):
        if _matches(expected.value, found):
            yield _line(at, found, f"anything but {_shown(expected.value)}")
    elif isinstance(expected, Unordered):
        yield from _unordered(expected.items, found, at)
    elif isinstance(expected, Mapping):
        yield from _in_part(expected, found, at)
    elif isinstance(expected, list):
        yield from _listed(expected, found, at)
    elif not equal(expected, found):
        yield _line(at, found, expected)


def equal(one: object, other: object) -> bool:
    """JSON's equality: 1 is 1.0 and no boolean is a number."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other


class CaseLoader(yaml.SafeLoader):
    """YAML with the patterns as tags: !any, !absent, !uuid, !utc, !regex TEXT, !between [LOW, HIGH],
    !contains ITEM, !every ITEM, !unordered LIST, !exactly OBJECT, !one_of LIST, !not VALUE. As in JSON, only
    true and false are booleans ("on" is a member of a step), and a date is a text.
    """


def _in_part(expected: Mapping[str, Any], found: Any, at: str) -> Iterator[str]:
    if not isinstance(found, dict):
        yield _line(at, found, expected)
        return
    for name, value in expected.items():
        yield from differences(value, found.get(name, _MISSING), f"{at}/{name}")


def _exactly(expected: Mapping[str, Any], found: Any, at: str) -> Iterator[str]:
    yield from _in_part(expected, found, at)
    if isinstance(found, dict):
        for name in sorted(found.keys() - expected.keys()):
            yield f"{at}/{name} is {_shown(found[name])}, expected nothing there"


def _listed(expected: list[Any], found: Any, at: str) -> Iterator[str]:
    if not isinstance(found, list) or len(found) != len(expected):
        yield _line(at, found, expected)
        return
    for index, (one, other) in enumerate(zip(expected, found, strict=True)):
        yield from differences(one, other, f"{at}/{index}")


def _every(expected: Any, found: Any, at: str) -> Iterator[str]:
    if not isinstance(found, list) or not found:
        yield _line(at, found, f"a list of {_shown(expected)}")
        return
    for index, each in enumerate(found):
        yield from differences(expected, each, f"{at}/{index}")


def _unordered(expected: list[Any], found: Any, at: str) -> Iterator[str]:
    if not isinstance(found, list) or len(found) != len(expected):
        yield _line(at, found, expected)
        return
    left = list(found)
    for item in expected:
        match = next((each for each in left if _matches(item, each)), _MISSING)
        if match is _MISSING:
            yield f"{at} has nothing that is {_shown(item)}: {_shown(found)}"
        else:
            left.remove(match)


def _matches(expected: Any, found: Any) -> bool:
    return not list(differences(expected, found))


def _line(at: str, found: object, expected: object) -> str:
    return f"{at or 'the whole'} is {_shown(found)}, expected {_shown(expected)}"


def _shown(value: object) -> str:
    text = "absent" if value is _MISSING else repr(value)
    return text if len(text) <= 300 else f"{text[:297]}..."


def _there(found: Any) -> bool:
    return found is not _MISSING


def _number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


def _plain(name: str, holds: Callable[[Any], bool]) -> None:
    def construct(_loader: CaseLoader, _node: yaml.Node) -> Pattern:
        return Pattern(f"!{name}", holds)

    CaseLoader.add_constructor(f"!{name}", construct)


def _text_of(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda found: isinstance(found, str) and pattern.fullmatch(found) is not None


def _regex(loader: CaseLoader, node: Any) -> Pattern:
    text = loader.construct_scalar(node)
    pattern = re.compile(text)
    return Pattern(f"!regex {text}", lambda found: isinstance(found, str) and bool(pattern.search(found)))


def _between(loader: CaseLoader, node: Any) -> Pattern:
    low, high = loader.construct_sequence(node)
    return Pattern(f"!between [{low}, {high}]", lambda found: _number(found) and low <= found <= high)


def _value(loader: yaml.SafeLoader, node: Any) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    resolve: Any = loader.resolve
    return loader.construct_object(
        yaml.ScalarNode(resolve(yaml.ScalarNode, node.value, (True, False)), node.value)
    )


def _wrapped(name: str, kind: Callable[[Any], object]) -> None:
    def construct(loader: CaseLoader, node: yaml.Node) -> object:
        return kind(_value(loader, node))

    CaseLoader.add_constructor(f"!{name}", construct)


CaseLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rows if tag not in (_BOOL, _DATE)]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
CaseLoader.add_implicit_resolver(_BOOL, re.compile(r"(true|false)\Z"), list("tf"))
_plain("any", _there)
_plain("absent", lambda found: found is _MISSING)
_plain("uuid", _text_of(_UUID))
_plain("utc", _text_of(_UTC))
CaseLoader.add_constructor("!regex", _regex)
CaseLoader.add_constructor("!between", _between)
_wrapped("contains", Contains)
_wrapped("every", Every)
_wrapped("exactly", Exactly)
_wrapped("not", Not)
_wrapped("one_of", OneOf)
_wrapped("unordered", Unordered)
