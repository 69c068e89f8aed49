"""The tests that a document names as those that hold what it says."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from support.document_blocks import ROOT

_NAMED = re.compile(r"`(tests/\S+?\.py)::(\w+)`")


@dataclass(frozen=True, slots=True, order=True)
class NamedTest:
    """`file` is from the root of the repository."""

    file: str
    function: str

    def __str__(self) -> str:
        return f"{self.file}::{self.function}"

    def exists(self) -> bool:
        path = ROOT / self.file
        return path.exists() and self.function in _functions(path)


def named_tests(text: str) -> list[NamedTest]:
    """In their order, as often as each is named."""
    return [NamedTest(*found) for found in _NAMED.findall(text)]


def section(document: str, heading: str) -> str:
    """What is below a heading of the second level, up to the next one; "" where there is no such one."""
    return document.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def _functions(path: Path) -> set[str]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, kinds)}
