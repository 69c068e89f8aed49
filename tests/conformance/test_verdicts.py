"""What results say of a requirement on its bindings, and of a profile; and the exit status that follows."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from mig_conformance.commands.run import status_of
from mig_conformance.report.matrix import matrix
from mig_conformance.report.model import Row
from mig_conformance.report.verdicts import verdicts
from mig_conformance.running.result import Outcome
from support.suite_results import check, of_profile, patterns, report_of, requirement, result

A, B = check("invoke/a"), check("invoke/b", bindings=("http", "sse"))


def row(*results: Any, whole: bool = True, **members: Any) -> Row:
    (found,) = matrix(results, [requirement("MIG-INV-900", "invoke/a", "invoke/b", **members)], whole=whole)
    return found


@pytest.mark.parametrize(
    ("a", "b", "state"),
    [
        (Outcome.passed, Outcome.passed, "passed"),
        (Outcome.passed, Outcome.failed, "failed"),
        (Outcome.passed, Outcome.known, "known"),
        (Outcome.known, Outcome.failed, "failed"),
        (Outcome.passed, Outcome.unchecked, "unchecked"),
        (Outcome.passed, Outcome.broken, "unchecked"),
        (Outcome.passed, Outcome.not_applicable, "passed"),
        (Outcome.unexpected, Outcome.not_applicable, "passed"),
        (Outcome.not_applicable, Outcome.not_applicable, "not applicable"),
        (Outcome.unchecked, Outcome.not_applicable, "unchecked"),
    ],
)
def test_the_worst_of_its_checks_decides_on_a_requirement(a: Outcome, b: Outcome, state: str) -> None:
    found = row(result(A, "http", a), result(B, "http", b))
    assert found.cells["http"].state == state


def test_sse_counts_as_http() -> None:
    found = row(result(A, "http"), result(B, "sse", Outcome.failed, why="no event"))
    assert (found.cells["http"].state, found.cells["http"].why) == ("failed", "invoke/b@sse: no event")


def test_nothing_is_green_because_it_did_not_run() -> None:
    assert row(result(A, "http")).cells["grpc"].state == "unchecked"
    assert row(excluded="only the log shows it").cells["grpc"].state == "excluded"
    assert row(result(A, "http"), unchecked={"grpc": "no such thing there"}).cells["grpc"].state == "excluded"
    assert row(level="MAY").state == "excluded"


def test_a_selection_is_about_what_it_selected() -> None:
    assert list(row(result(A, "http"), whole=False).cells) == ["http"]
    assert matrix([], [requirement("MIG-INV-900", "invoke/a")], whole=False) == ()


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        (["passed", "passed", "not applicable", "excluded"], "conformant"),
        (["passed", "unchecked"], "partly checked"),
        (["passed", "unchecked", "failed"], "not conformant"),
        (["passed", "known"], "not conformant"),
        (["unchecked", "excluded"], "not checked"),
        ([], "not checked"),
    ],
)
def test_a_profile_is_what_its_requirements_are(states: list[str], verdict: str) -> None:
    assert _core(*(_row(state) for state in states)).verdict == verdict


def test_a_should_may_be_departed_from_knowingly() -> None:
    assert _core(_row("passed"), _row("known", level="SHOULD")).verdict == "conformant"
    assert _core(_row("passed"), _row("failed", level="SHOULD")).verdict == "not conformant"


def test_a_profile_has_the_requirements_of_those_in_it() -> None:
    rows = [_row("passed"), _row("failed", profile="evented"), _row("passed", profile="streaming")]
    found = {each.profile: each.verdict for each in verdicts(rows, frozenset({"streaming", "evented"}))}
    assert found == {
        "core": "conformant",
        "streaming": "conformant",
        "evented": "not conformant",
        "full": "not declared",
    }


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([Outcome.passed], 0),
        ([Outcome.passed, Outcome.known], 0),
        ([Outcome.passed, Outcome.failed], 1),
        ([Outcome.passed, Outcome.unexpected], 1),
        ([Outcome.passed, Outcome.failed, Outcome.broken], 3),
        ([Outcome.not_applicable], 1),
        ([Outcome.unchecked], 1),
    ],
)
def test_the_exit_status_of_a_selection_says_how_it_ended(outcomes: list[Outcome], status: int) -> None:
    results = [result(check(f"a/{at}"), "http", outcome) for at, outcome in enumerate(outcomes)]
    report = report_of(*results, only=patterns("*"))
    assert status_of(report, strict=False) == status


def test_strict_does_not_accept_what_was_checked_in_part() -> None:
    report = report_of(result(check("a/b", of_profile("core"))))
    partly, unsure = (
        replace(report, profiles=tuple(verdicts([_row(state) for state in states], frozenset({"core"}))))
        for states in (["passed", "unchecked"], ["unchecked"])
    )
    assert (status_of(partly, strict=False), status_of(partly, strict=True)) == (0, 1)
    assert (status_of(unsure, strict=False), status_of(unsure, strict=True)) == (1, 1)


def _core(*rows: Row) -> Any:
    return next(iter(verdicts(rows, frozenset({"core"}))))


def _row(state: Any, profile: str = "core", level: str = "MUST") -> Row:
    return Row(id="MIG-INV-900", level=level, text="", section="", profile=profile, state=state, cells={})
