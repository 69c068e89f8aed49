# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""Fields of messages whose values arrive as plain text: path parameters, HTTP header fields, subject tokens.

They obey the same bounds as in JSON. The bounds are read off the message types once; a value that fits is
then accepted without going through the JSON machinery, which matters for what every request carries.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec

_INTEGER = re.compile(r"(?:0|-?[1-9][0-9]{0,18})\Z")


def as_integer(text: str) -> int | str:
    """The integer that `text` spells as JSON would, else the text itself, for a type check to refuse."""
    return int(text) if _INTEGER.match(text) else text


def text_reader(message: type[msgspec.Struct], field: str) -> Callable[[str], Any]:
    """A function from text to the value of this field. It raises msgspec.ValidationError for what does not
    fit.
    """
    annotation = _present(get_type_hints(message, include_extras=True)[field])
    kind, bounds = _bounds(annotation)
    if kind is int:
        return lambda text: msgspec.convert(as_integer(text), annotation)
    return _string_reader(annotation, bounds)


def _string_reader(annotation: Any, bounds: msgspec.Meta) -> Callable[[str], str]:
    matches = re.compile(bounds.pattern or "").search
    least = bounds.min_length or 0
    most = bounds.max_length if bounds.max_length is not None else 1 << 30

    def read(text: str) -> str:
        if least <= len(text) <= most and matches(text):
            return text
        value: str = msgspec.convert(text, annotation)  # refuses, in the words used for JSON
        return value

    return read


def _present(annotation: Any) -> Any:
    """The type of an optional field when it is there: `T` of `T | UnsetType`."""
    if get_origin(annotation) is Annotated:
        return annotation
    return next((one for one in get_args(annotation) if one is not msgspec.UnsetType), annotation)


def _bounds(annotation: Any) -> tuple[type, msgspec.Meta]:
    if get_origin(annotation) is not Annotated:
        return annotation, msgspec.Meta()
    kind, *metas = get_args(annotation)
    return kind, next((one for one in metas if isinstance(one, msgspec.Meta)), msgspec.Meta())
