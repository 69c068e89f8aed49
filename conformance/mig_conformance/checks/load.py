"""Reading cases/*.yaml. What is wrong with a file is a CaseError that names file and line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from mig_conformance.checks.areas import area_files, rows_of
from mig_conformance.checks.check import Check
from mig_conformance.drivers.port import BINDINGS
from mig_protocol.requirements import REQUIREMENTS

_MEMBERS = {"id", "title", "bindings", "needs", "alone", "steps", "python", "vars"}


class CaseError(Exception):
    """A case can not be read: a fault of the suite."""


def load_checks(rows: Mapping[str, Iterable[str]], folder: Traversable | None = None) -> tuple[Check, ...]:
    """Every check, by file and place in it. `rows` has the ids of the checks of each requirement."""
    named: dict[str, list[str]] = {}
    for requirement, checks in rows.items():
        for check in checks:
            named.setdefault(check, []).append(requirement)
    return tuple(
        replace(check, requirements=tuple(named.get(check.id, ())))
        for file in case_files(folder)
        for check in (_check(*row) for row in rows_of(file, "cases", CaseError))
    )


def every_check() -> tuple[Check, ...]:
    """Those of this suite, with the requirements that name them."""
    return load_checks({row.id: row.checks for row in REQUIREMENTS})


def case_files(folder: Traversable | None = None) -> list[Traversable]:
    """The files of cases, by name."""
    found = folder or files("mig_conformance").joinpath("cases")
    return area_files(found)


def source(check: Check, folder: Traversable | None = None) -> str:
    """The lines of its file that the check is, as they are written there."""
    file = next(file for file in case_files(folder) if file.name == check.file)
    lines = file.read_text().splitlines()[check.line - 1 :]
    end = next((at for at, line in enumerate(lines) if at and line.startswith("  - ")), len(lines))
    return "\n".join(lines[:end]).rstrip()


def _check(area: str, file: str, line: int, case: dict[str, Any]) -> Check:
    where = f"{file}:{line}"
    if unknown := case.keys() - _MEMBERS:
        raise CaseError(f"{where}: {', '.join(sorted(unknown))}: no member of a case")
    if ("steps" in case) == ("python" in case):
        raise CaseError(f"{where}: {case.get('id')} has to have either steps or python")
    if unknown := set(case["bindings"]) - set(BINDINGS):
        raise CaseError(f"{where}: {', '.join(sorted(unknown))}: no binding")
    return Check(
        id=f"{area}/{case['id']}",
        title=case["title"],
        bindings=tuple(case["bindings"]),
        needs=frozenset(case.get("needs", ())),
        alone=case.get("alone", False),
        steps=tuple(case.get("steps", ())),
        python=case.get("python"),
        vars=case.get("vars", {}),
        file=file,
        line=line,
    )
