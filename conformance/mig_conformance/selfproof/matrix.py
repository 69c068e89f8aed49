"""The kill matrix as plain values, and as JSON. matrix.schema.json is its JSON Schema."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import msgspec

from mig_conformance.report.model import Suite
from mig_conformance.report.redaction import Redaction
from mig_conformance.running.result import Result
from mig_conformance.selfproof.proof import Attempt, Proof
from mig_conformance.version import SUITE_VERSION
from mig_protocol import MIG_VERSION, SPEC_HASH

FORMAT = 1


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One check on one binding against one mutant. `why` is what the check found, or why the mutant lives."""

    check: str
    binding: str
    killed: bool
    why: str
    seconds: float


class MutantRow(msgspec.Struct, frozen=True, kw_only=True):
    """A mutant, described in `file`, breaks the requirement `breaks` of a server in the auth mode `mode`."""

    id: str
    title: str
    breaks: str
    mode: str
    file: str
    line: int
    killed: bool
    cells: tuple[Cell, ...]


class CheckRow(msgspec.Struct, frozen=True, kw_only=True):
    """A check on a binding. `killers` are the mutants under which it is red; `outcomes` how it ended on the
    right server, by auth mode.
    """

    check: str
    binding: str
    title: str
    killers: tuple[str, ...]
    outcomes: dict[str, str]


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """`holds` says whether the suite is proven: the right server green, every mutant killed, every check red
    under one. `faults` are what speaks against it, a line each. `began` is RFC 3339 in UTC.
    """

    format: int
    suite: Suite
    holds: bool
    summary: str
    faults: tuple[str, ...]
    began: str
    seconds: float
    mutants: tuple[MutantRow, ...]
    checks: tuple[CheckRow, ...]


def matrix_of(proof: Proof, *, began: str, seconds: float) -> Matrix:
    """What was found, without credentials."""
    hidden = Redaction(())
    return Matrix(
        format=FORMAT,
        suite=Suite(version=SUITE_VERSION, spec_hash=SPEC_HASH, mig_version=MIG_VERSION),
        holds=proof.holds,
        summary=proof.summary(),
        faults=tuple(hidden(fault) for fault in proof.faults()),
        began=began,
        seconds=round(seconds, 2),
        mutants=tuple(_mutant(attempts, hidden) for attempts in proof.mutants().values()),
        checks=tuple(_checks(proof)),
    )


def to_json(matrix: Matrix) -> bytes:
    """UTF-8, indented."""
    return msgspec.json.format(msgspec.json.encode(matrix), indent=2) + b"\n"


def matrix_schema() -> dict[str, Any]:
    """The JSON Schema that is packaged."""
    text = files("mig_conformance.selfproof").joinpath("matrix.schema.json").read_text()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def schema_of_model() -> dict[str, Any]:
    """What the packaged one has to be."""
    title = {"title": "A kill matrix of the conformance suite for MIG 0.1"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **title, **msgspec.json.schema(Matrix)}


def _mutant(attempts: list[Attempt], hidden: Redaction) -> MutantRow:
    mutant = attempts[0].mutant
    return MutantRow(
        id=mutant.id,
        title=mutant.title,
        breaks=mutant.breaks,
        mode=mutant.mode,
        file=mutant.file,
        line=mutant.line,
        killed=all(attempt.killed for attempt in attempts),
        cells=tuple(
            Cell(
                check=attempt.result.check.id,
                binding=attempt.result.binding,
                killed=attempt.killed,
                why=hidden(attempt.result.why if attempt.killed else attempt.why_not),
                seconds=round(attempt.result.seconds, 3),
            )
            for attempt in attempts
        ),
    )


def _checks(proof: Proof) -> list[CheckRow]:
    killers = proof.killers()
    by_name: dict[str, dict[str, Result]] = {}
    for mode, results in proof.good.items():
        for result in results:
            by_name.setdefault(result.name, {})[mode] = result
    return [
        CheckRow(
            check=result.check.id,
            binding=result.binding,
            title=result.check.title,
            killers=tuple(killers[name]),
            outcomes={mode: each.outcome.value for mode, each in found.items()},
        )
        for name, found in by_name.items()
        for result in list(found.values())[:1]
    ]
