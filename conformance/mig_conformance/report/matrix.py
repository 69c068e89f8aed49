"""What the results say of each requirement on each of its bindings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from mig_conformance.report.model import Cell, Row, State
from mig_conformance.running.result import Outcome, Result
from mig_protocol.requirements import Requirement

# SSE is how HTTP carries events: the table of requirements has it as http.
_COLUMN = {"sse": "http"}
_STATES: Mapping[Outcome, State] = {
    Outcome.passed: "passed",
    Outcome.unexpected: "passed",
    Outcome.failed: "failed",
    Outcome.known: "known",
    Outcome.unchecked: "unchecked",
    Outcome.broken: "unchecked",
    Outcome.not_applicable: "not applicable",
}
_WORST_FIRST: tuple[State, ...] = ("failed", "known", "unchecked", "passed", "not applicable", "excluded")


def matrix(results: Iterable[Result], requirements: Iterable[Requirement], *, whole: bool) -> tuple[Row, ...]:
    """A row for each requirement. Not `whole`: only those, and only on those bindings, that a result is
    about.
    """
    of_check: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        of_check[result.check.id, _COLUMN.get(result.binding, result.binding)].append(result)
    rows = (_row(requirement, of_check, whole=whole) for requirement in requirements)
    return tuple(row for row in rows if row.cells)


def _row(requirement: Requirement, of_check: Mapping[tuple[str, str], list[Result]], *, whole: bool) -> Row:
    cells: dict[str, Cell] = {}
    for binding in requirement.bindings:
        found = [result for check in requirement.checks for result in of_check.get((check, binding), ())]
        if found:
            cells[binding] = _cell(found)
        elif whole:
            cells[binding] = _without_results(requirement, binding)
    states = [cell.state for cell in cells.values()]
    return Row(
        id=requirement.id,
        level=requirement.level,
        text=requirement.text,
        section=requirement.section,
        profile=requirement.profile,
        state=worst(states),
        cells=cells,
    )


def worst(states: Sequence[State]) -> State:
    """The one that decides; "excluded" of none."""
    return next((state for state in _WORST_FIRST if state in states), "excluded")


def _cell(found: Sequence[Result]) -> Cell:
    state = worst([_STATES[result.outcome] for result in found])
    names = [result for result in found if _STATES[result.outcome] == state]
    if state == "passed":
        return Cell(state=state)
    return Cell(state=state, why="; ".join(f"{result.name}: {result.why}" for result in names))


def _without_results(requirement: Requirement, binding: str) -> Cell:
    if requirement.excluded is not None:
        return Cell(state="excluded", why=requirement.excluded)
    if binding in requirement.unchecked:
        return Cell(state="excluded", why=requirement.unchecked[binding])
    if requirement.level == "MAY":
        return Cell(state="excluded", why="a server may do so or not")
    return Cell(state="unchecked", why="no check covers it")
