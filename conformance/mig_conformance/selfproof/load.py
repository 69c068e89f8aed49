"""Reading mutants/*.yaml. What is wrong with a file is a MutantError that names file and line."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from mig_conformance.checks.areas import area_files, rows_of
from mig_conformance.checks.load import CaseError
from mig_conformance.drivers.port import BINDINGS
from mig_conformance.selfproof.edits import EDITS, FLOW
from mig_conformance.selfproof.mutant import STAGES, Change, Mutant
from mig_protocol.operations import OPERATIONS

_MEMBERS = {"id", "title", "breaks", "killed_by", "mode", "bindings", "changes", "env"}
_REQUIRED = ("id", "title", "breaks", "killed_by")
_OF_A_CHANGE = {"at", "of", "when", "nth", "do"}
_MODES = ("none", "jwt")
_OPERATIONS = {operation.id for operation in OPERATIONS}


class MutantError(CaseError):
    """The mutants can not be used as they are: a fault of the suite."""


def load_mutants(
    checks: Collection[str], requirements: Collection[str], folder: Traversable | None = None
) -> tuple[Mutant, ...]:
    """Every mutant, by file and place in it. `checks` and `requirements` are the ids that there are."""
    found = folder or files("mig_conformance").joinpath("selfproof").joinpath("mutants")
    mutants = tuple(
        _mutant(*row) for file in area_files(found) for row in rows_of(file, "mutants", MutantError)
    )
    for mutant in mutants:
        _refuse(mutant, set(mutant.killed_by) - set(checks), "no check")
        _refuse(mutant, {mutant.breaks} - set(requirements), "no requirement")
    _refuse_repeated(mutants)
    return mutants


def _mutant(area: str, file: str, line: int, row: dict[str, Any]) -> Mutant:
    where = f"{file}:{line}"
    if missing := [name for name in _REQUIRED if not row.get(name)]:
        raise MutantError(f"{where}: a mutant has to have {', '.join(missing)}")
    if ("changes" in row) == ("env" in row):
        raise MutantError(f"{where}: {row['id']} has to have either changes or env")
    _known(where, row.keys(), _MEMBERS, "no member of a mutant")
    bindings = tuple(row.get("bindings", BINDINGS))
    _known(where, bindings, BINDINGS, "no binding")
    _known(where, [row.get("mode", "none")], _MODES, "no mode")
    return Mutant(
        id=f"{area}/{row['id']}",
        title=row["title"],
        breaks=row["breaks"],
        killed_by=tuple(row["killed_by"]),
        mode=row.get("mode", "none"),
        bindings=bindings,
        changes=tuple(_change(where, change) for change in row.get("changes", ())),
        env=row.get("env", {}),
        file=file,
        line=line,
    )


def _change(where: str, row: dict[str, Any]) -> Change:
    _known(where, row.keys(), _OF_A_CHANGE, "no member of a change")
    if not row.get("do") or "at" not in row:
        raise MutantError(f"{where}: a change has to have at and do")
    _known(where, [row["at"]], STAGES, "no stage")
    edits = [(name, argument) for edit in row["do"] for name, argument in edit.items()]
    _known(where, [name for name, _ in edits], EDITS.keys() | FLOW, "no edit")
    of = tuple(row.get("of", ()))
    _known(
        where, [name for name in of if name.isidentifier() and name.isupper()], _OPERATIONS, "no operation"
    )
    return Change(at=row["at"], of=of, when=row.get("when", {}), nth=row.get("nth"), do=tuple(edits))


def _known(where: str, names: Iterable[str], known: Collection[str], otherwise: str) -> None:
    if unknown := sorted(set(names) - set(known)):
        raise MutantError(f"{where}: {', '.join(unknown)}: {otherwise}")


def _refuse(mutant: Mutant, unknown: Iterable[str], otherwise: str) -> None:
    if names := sorted(unknown):
        raise MutantError(f"{mutant.file}:{mutant.line}: {', '.join(names)}: {otherwise}")


def _refuse_repeated(mutants: Iterable[Mutant]) -> None:
    seen: set[str] = set()
    for mutant in mutants:
        _refuse(mutant, {mutant.id} & seen, "a mutant of that id stands before")
        seen.add(mutant.id)
