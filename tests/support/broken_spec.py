"""A copy of spec/ with one mistake in it, and what the linker says of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mig_codegen.link import link
from mig_codegen.load import load
from mig_codegen.problem import SpecError

SPEC = Path(__file__).parents[2] / "spec"
PROTO = "proto/mig/v0_1/mig.proto"


@dataclass(frozen=True, kw_only=True)
class Break:
    """Replace `old` by `new` in `file`, and be told `says`.

    The line told is the one where `at` stands after the change, in `told_in` (default: the same file);
    `at` defaults to `new`. References to other lines inside `says` are written `:N`.
    """

    name: str
    file: str
    old: str
    new: str
    says: str
    at: str = ""
    told_in: str = ""

    def expected(self, spec: Path) -> str:
        """The whole line that the linker is to print."""
        file = self.told_in or self.file
        text = (spec / file).read_text()
        start = text.find(self.at or self.new)
        assert start >= 0, f"{self.at or self.new!r} is not in {file}: the test no longer fits the spec"
        return f"spec/{file}:{text.count(chr(10), 0, start) + 1}: {self.says}"


def named(case: Break) -> str:
    """How pytest calls the case."""
    return case.name


def copy_spec(folder: Path) -> Path:
    """A copy of the real spec inside `folder`."""
    return Path(shutil.copytree(SPEC, folder / "spec"))


def replace(path: Path, old: str, new: str) -> None:
    """Change a file in one place. Fails when the text is not there exactly once: tests must not rot."""
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {path.name}, not once"
    path.write_text(text.replace(old, new))


def problems(spec: Path, cases: Path | None = None) -> list[str]:
    """What the linker says of the folder, each line with further line numbers as `:N`; empty if it links.

    With the folder of the suite's `cases`, also of what covers the requirements.
    """
    try:
        link(load(spec, cases=cases))
    except SpecError as error:
        return [_steady(str(problem)) for problem in error.problems]
    return []


def told(folder: Path, change: Callable[[Path], object]) -> list[str]:
    """What the linker says of a copy of the real spec after `change`."""
    spec = copy_spec(folder)
    change(spec)
    return problems(spec)


def assert_told(folder: Path, case: Break) -> None:
    """Break a copy as the case says and find its line among the problems."""
    spec = copy_spec(folder)
    replace(spec / case.file, case.old, case.new)
    found = problems(spec)
    expected = case.expected(spec)
    assert expected in found, "\n".join(["not told:", expected, "but:", *(found or ["nothing"])])


def _steady(line: str) -> str:
    place, separator, message = line.partition(": ")
    return place + separator + re.sub(r"(spec/[^\s:]+):\d+", r"\1:N", message)
