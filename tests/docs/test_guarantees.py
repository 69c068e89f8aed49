"""docs/GUARANTEES.md: every guarantee names the tests that hold it, and they exist."""

from __future__ import annotations

import ast
import re
from collections import defaultdict

import pytest

from support.document_blocks import ROOT

DOCUMENT = (ROOT / "docs" / "GUARANTEES.md").read_text()
GUARANTEES = ("Ordered", "Unique", "Durable", "Resumable", "Tenant-isolated", "Terminal-once")
_TEST = re.compile(r"^- `(tests/\S+\.py)::(\w+)`$")


def named() -> dict[str, list[tuple[str, str]]]:
    """The tests that each section names, as file and function."""
    tests: dict[str, list[tuple[str, str]]] = defaultdict(list)
    section = ""
    for line in DOCUMENT.splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif found := _TEST.match(line):
            tests[section].append((found[1], found[2]))
    return tests


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_a_guarantee_says_what_is_not_promised_and_which_tests_hold_it(guarantee: str) -> None:
    section = DOCUMENT.partition(f"\n## {guarantee}\n")[2].partition("\n## ")[0]
    assert "Not promised:" in section
    assert len(named()[guarantee]) > 1


@pytest.mark.parametrize(
    "test", sorted({test for tests in named().values() for test in tests}), ids="::".join
)
def test_a_test_that_is_named_exists(test: tuple[str, str]) -> None:
    file, name = test
    tree = ast.parse((ROOT / file).read_text())
    assert name in {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_line_that_looks_like_a_test_is_read_as_one() -> None:
    assert DOCUMENT.count("tests/") == sum(map(len, named().values()))
