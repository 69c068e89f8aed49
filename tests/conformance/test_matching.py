"""What an expectation matches, and what it says of what it does not."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from mig_conformance.checks.matching import CaseLoader, differences
from mig_conformance.checks.variables import Variables


def read(text: str) -> Any:
    return yaml.load(text, CaseLoader)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ("!every {id: !any , qos: !absent }", [{"id": 1}, {"id": 2}]),
        ("!contains {id: 2}", [{"id": 1}, {"id": 2}]),
        ("!one_of [null, {a: !utc }]", None),
        ("!one_of [null, {a: !utc }]", {"a": "2026-01-15T09:30:00Z"}),
        ("!not {}", []),
        ("!not [a]", ["b"]),
        ("!exactly {on: true}", {"on": True}),
        ("{at: 2026-01-15}", {"at": "2026-01-15"}),
        ("!unordered [1, !any ]", ["x", 1]),
    ],
)
def test_what_is_expected_is_no_difference(expected: str, found: object) -> None:
    assert list(differences(read(expected), found)) == []


@pytest.mark.parametrize(
    ("expected", "found", "says"),
    [
        ("!every {qos: !absent }", [{}, {"qos": 1}], "/1/qos is 1, expected !absent"),
        ("!every {qos: !absent }", [], "the whole is [], expected"),
        ("!every {qos: !absent }", {"qos": 1}, "the whole is {'qos': 1}, expected"),
        ("!contains {id: 3}", [{"id": 1}], "the whole is [{'id': 1}], expected"),
        ("!one_of [null, {a: 1}]", {"a": 2}, "the whole is {'a': 2}, expected"),
        ("{a: !not 1}", {"a": 1}, "/a is 1, expected"),
        ("{a: !not 1}", {}, "/a is absent, expected"),
        ("{a: 1}", {"a": True}, "/a is True, expected 1"),
    ],
)
def test_what_is_not_expected_is_told_with_its_place(expected: str, found: object, says: str) -> None:
    [difference] = differences(read(expected), found)
    assert difference.startswith(says)


@pytest.mark.parametrize("pattern", ["!not", "!one_of", "!every", "!contains", "!unordered", "!exactly"])
def test_patterns_may_name_variables(pattern: str) -> None:
    named = {"!one_of": "['${x}']", "!unordered": "['${x}']", "!exactly": "{a: '${x}'}"}.get(pattern, "${x}")
    wanted = {"!one_of": "[1]", "!unordered": "[1]", "!exactly": "{a: 1}"}.get(pattern, "1")
    assert Variables({"x": 1}, {}).fill(read(f"{pattern} {named}")) == read(f"{pattern} {wanted}")


def test_letters_are_as_many_as_are_asked_for() -> None:
    assert Variables({}, {}).fill("x${letters.64}") == "x" + "a" * 64
