"""Whether what a command printed is what the document shows.

A document leaves out what differs from run to run by writing `…`. In JSON, the value "…" matches any
value, `…` within a string any part of it, and a property of the name "…" any further properties. In text, `…`
matches any part of a line, and a line that is `…` alone any number of lines. JSON numbers with a fraction
need to be alike to three decimals only: what a model computes depends on the machine in the last ones.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

ANYTHING = "…"


def json_difference(expected: str, printed: str) -> str | None:
    """The first difference between two runs of JSON documents, as one line; None when there is none."""
    try:
        found = list(_documents(printed))
    except ValueError as error:
        return f"not JSON ({error})"
    wanted = list(_documents(expected))
    if len(wanted) != len(found):
        return f"{len(found)} JSON documents instead of {len(wanted)}"
    return next(
        filter(None, (_differ(one, other, "$") for one, other in zip(wanted, found, strict=True))), None
    )


def text_pattern(expected: str) -> re.Pattern[str]:
    """The pattern of a text, line ends included."""
    parts = []
    for line in expected.splitlines():
        if line.strip() == ANYTHING:
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append(".*?".join(map(re.escape, line.rstrip().split(ANYTHING))) + r"[ \t]*\n")
    return re.compile("".join(parts))


def _documents(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    rest = text.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        yield value
        rest = rest[end:].lstrip()


def _differ(wanted: Any, found: Any, place: str) -> str | None:
    if wanted == ANYTHING:
        return None
    if isinstance(wanted, dict) and isinstance(found, dict):
        return _differ_in_keys(wanted, found, place)
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        pairs = enumerate(zip(wanted, found, strict=True))
        return next(filter(None, (_differ(one, other, f"{place}[{i}]") for i, (one, other) in pairs)), None)
    if isinstance(wanted, str) and isinstance(found, str):
        pattern = ".*".join(map(re.escape, wanted.split(ANYTHING)))
        return None if re.fullmatch(pattern, found, re.DOTALL) else _told(wanted, found, place)
    return None if _same(wanted, found) else _told(wanted, found, place)


def _differ_in_keys(wanted: dict[str, Any], found: dict[str, Any], place: str) -> str | None:
    missing = wanted.keys() - found.keys() - {ANYTHING}
    if missing:
        return f"{place} lacks {', '.join(sorted(missing))}"
    unexpected = found.keys() - wanted.keys()
    if unexpected and ANYTHING not in wanted:
        return f"{place} has {', '.join(sorted(unexpected))} as well"
    pairs = ((key, value) for key, value in wanted.items() if key != ANYTHING)
    return next(filter(None, (_differ(value, found[key], f"{place}.{key}") for key, value in pairs)), None)


def _same(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, float) and isinstance(found, float):
        return math.isclose(wanted, found, abs_tol=0.001)
    return bool(wanted == found) and isinstance(wanted, bool) == isinstance(found, bool)


def _told(wanted: Any, found: Any, place: str) -> str:
    return f"{place} is {json.dumps(found, ensure_ascii=False)}, not {json.dumps(wanted, ensure_ascii=False)}"
