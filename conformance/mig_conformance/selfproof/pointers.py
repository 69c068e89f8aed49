"""JSON Pointers in which `*` is every item of a list, and what can be done at the places that they name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def found(value: Any, pointer: str) -> list[Any]:
    """The values at the pointer, as many as there are."""
    return (
        [value] if not pointer else [place[key] for place, key in _places(value, pointer) if _has(place, key)]
    )


def put(value: Any, pointer: str, new: Any) -> Any:
    """The value with `new` at the pointer; objects on the way there are made. A list takes a new item at its
    end.
    """
    if not pointer:
        return new
    for place, key in list(_places(value, pointer, make=True)):
        if isinstance(place, list) and key == len(place):
            place.append(new)
        else:
            place[key] = new
    return value


def take(value: Any, pointer: str) -> None:
    """What is at the pointer is taken out."""
    for place, key in reversed(list(_places(value, pointer))):
        if _has(place, key):
            del place[key]


def replace(value: Any, pointer: str, change: Callable[[Any], Any]) -> Any:
    """The value with what is at the pointer changed by a function, where there is something."""
    if not pointer:
        return change(value)
    for place, key in _places(value, pointer):
        if _has(place, key):
            place[key] = change(place[key])
    return value


def _places(value: Any, pointer: str, *, make: bool = False) -> Iterator[tuple[Any, Any]]:
    """The containers in which the last part of the pointer may be found, with its key there."""
    first, _, rest = pointer.removeprefix("/").partition("/")
    for key in _keys(value, first):
        if not rest:
            yield value, key
        elif _has(value, key):
            yield from _places(value[key], rest, make=make)
        elif make and isinstance(value, dict):
            value[key] = {}
            yield from _places(value[key], rest, make=make)


def _keys(value: Any, part: str) -> list[Any]:
    if isinstance(value, dict):
        return [part]
    if isinstance(value, list):
        return list(range(len(value))) if part == "*" else [int(part)] if part.isdecimal() else []
    return []


def _has(place: Any, key: Any) -> bool:
    return key in place if isinstance(place, dict) else isinstance(place, list) and key < len(place)
