"""The kill matrix as one page of HTML that needs nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mig_conformance.drivers.port import BINDINGS
from mig_conformance.report.page import templates_of
from mig_conformance.selfproof.matrix import CheckRow, Matrix, MutantRow
from mig_protocol.requirements import REQUIREMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """The mutants and the checks of one area; a check has one row, with its bindings by name."""

    name: str
    mutants: Sequence[MutantRow]
    checks: Sequence[Mapping[str, CheckRow]]


def to_page(matrix: Matrix) -> str:
    """HTML, for a file."""
    # The style is that of the report.
    templates = templates_of("mig_conformance.selfproof", "mig_conformance.report")
    return templates.get_template("matrix.html").render(
        matrix=matrix,
        areas=_areas(matrix),
        columns=[each for each in BINDINGS if any(row.binding == each for row in matrix.checks)],
        texts={row.id: row for row in REQUIREMENTS},
    )


def _areas(matrix: Matrix) -> list[Area]:
    mutants: dict[str, list[MutantRow]] = defaultdict(list)
    for row in matrix.mutants:
        mutants[_area(row.id)].append(row)
    checks: dict[str, dict[str, dict[str, CheckRow]]] = defaultdict(lambda: defaultdict(dict))
    for check in matrix.checks:
        checks[_area(check.check)][check.check][check.binding] = check
    return [
        Area(name=name, mutants=mutants[name], checks=list(checks[name].values()))
        for name in _in_order([*mutants, *checks])
    ]


def _area(name: str) -> str:
    return name.partition("/")[0]


def _in_order(names: Iterable[str]) -> list[str]:
    return sorted(set(names))
