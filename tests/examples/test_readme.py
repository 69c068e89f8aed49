"""examples/README.md: every command, and the answer it promises."""

from __future__ import annotations

from pathlib import Path

from support.document_blocks import Run, steps
from support.document_reader import Reader

from .conftest import ROOT


def test_the_readme_can_be_followed_from_top_to_bottom(tmp_path: Path) -> None:
    taken = steps(ROOT / "examples" / "README.md")
    assert sum(isinstance(step, Run) and step.answer is not None for step in taken) >= 5
    with Reader(tmp_path) as reader:
        for step in taken:
            reader.take(step)
