"""ECMA-262 patterns mean the same in Python, or are refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mig_codegen.emit.patterns import python_pattern

SCHEMAS = Path(__file__).parents[2] / "spec" / "schema"


def matches(ecma: str, text: str) -> bool:
    return re.search(python_pattern(ecma), text) is not None


@pytest.mark.parametrize(
    ("ecma", "text", "expected"),
    [
        ("^a$", "a", True),
        ("^a$", "a\n", False),
        (r"^\d+$", "12", True),
        (r"^\d+$", "\u0663", False),
        (r"^\w+$", "caf\u00e9", False),
        (r"^[\d.]+$", "1.2", True),
        (r"^[\w$]+$", "a$", True),
        (r"^\$$", "$", True),
        ("^.$", "\u2028", False),
        ("^.$", "x", True),
        ("^[.$]+$", ".$", True),
        (r"^a\/b$", "a/b", True),
        (r"^[\]]$", "]", True),
        ("^(?:a|b)(?=c)c$", "ac", True),
        (r"^\u0041\x42$", "AB", True),
    ],
)
def test_a_pattern_matches_what_it_matches_in_json_schema(ecma: str, text: str, expected: bool) -> None:
    assert matches(ecma, text) is expected


@pytest.mark.parametrize(
    "ecma", [r"^\p{L}$", r"^\s$", r"^\bx$", "^(?<name>a)$", "^(?<=a)b$", r"^(a)\1$", "^a\\"]
)
def test_a_pattern_that_would_change_its_meaning_is_refused(ecma: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        python_pattern(ecma)


def test_every_pattern_of_the_spec_is_translated() -> None:
    found = [
        pattern
        for file in SCHEMAS.glob("*.json")
        for pattern in re.findall(r'"pattern":\s*("(?:[^"\\]|\\.)*")', file.read_text("utf-8"))
    ]
    assert found
    for pattern in found:
        re.compile(python_pattern(json.loads(pattern)))
