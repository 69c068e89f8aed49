"""What is wrong with a spec, in lines that a person can act on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mig_codegen.model import Source


@dataclass(frozen=True, order=True)
class Problem:
    """One disagreement. Printed as `file:line: what disagrees; what to do`."""

    source: Source
    what: str
    todo: str

    def __str__(self) -> str:
        return f"{self.source}: {self.what}; {self.todo}"


class SpecError(Exception):
    """The spec contradicts itself. `problems` has every disagreement found, sorted by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


class Problems:
    """Collects problems, so that one run tells them all."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, source: Source, what: str, todo: str) -> None:
        """Remember one problem; each argument is a clause without a final full stop."""
        self._found.append(Problem(source, " ".join(what.split()), " ".join(todo.split())))

    def refuse_if_any(self) -> None:
        """Raise SpecError with all that was found, if anything was."""
        if self._found:
            raise SpecError(self._found)
