"""How far a run is: a live line on a terminal, else a line for each area; and whatever goes wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

from mig_conformance.running.result import Outcome, Result
from mig_conformance.running.selection import Planned

_WRONG = {Outcome.failed: "red", Outcome.unexpected: "red", Outcome.broken: "magenta"}


class Progress:
    """Enter it before the first check runs; `planned` is what will."""

    def __init__(self, planned: Iterable[Planned], console: Console) -> None:
        self._console = console
        self._left = Counter(_area(each.name) for each in planned)
        self._total = self._left.total()
        self._ended: Counter[Outcome] = Counter()
        self._by_area: dict[str, Counter[Outcome]] = {area: Counter() for area in self._left}
        self._live = Status("", console=console) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def tell(self, result: Result) -> None:
        """One has ended."""
        area = _area(result.name)
        self._ended[result.outcome] += 1
        self._by_area[area][result.outcome] += 1
        self._left[area] -= 1
        if result.outcome in _WRONG:
            line = Text.assemble(
                (result.outcome.value, _WRONG[result.outcome]), f" {result.name}: {result.why}"
            )
            self._console.print(line, soft_wrap=True)
        if self._live is not None:
            self._live.update(f"{self._ended.total()} of {self._total}: {_counts(self._ended)}")
        elif self._left[area] == 0:
            self._console.print(f"{area}: {_counts(self._by_area[area])}", soft_wrap=True, highlight=False)


def _area(name: str) -> str:
    return name.partition("/")[0]


def _counts(ended: Counter[Outcome]) -> str:
    return ", ".join(f"{ended[outcome]} {outcome.value}" for outcome in Outcome if ended[outcome])
