"""Results of the conformance suite that no run has to bring about, and reports of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from mig_conformance.checks.check import Check
from mig_conformance.drivers.port import BindingName
from mig_conformance.drivers.transcript import Line
from mig_conformance.report.assemble import Circumstances, assemble
from mig_conformance.report.model import Report
from mig_conformance.running.result import Outcome, Result
from mig_conformance.running.selection import Patterns
from mig_conformance.subject.subject import Endpoints, Subject
from mig_protocol.requirements import REQUIREMENTS, Requirement

EVERYWHERE = Endpoints(http="http://localhost:8080", grpc="localhost:9090", nats="nats://localhost:4222")
BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def check(name: str = "invoke/answer", *requirements: str, **members: Any) -> Check:
    given: dict[str, Any] = {
        "title": "It answers.",
        "bindings": ("http", "grpc"),
        "needs": frozenset(),
        "alone": False,
        "steps": ({"call": "INVOKE", "expect": {"answer": {"payload": {"result": "ok"}}}},),
        "python": None,
        "vars": {},
        "file": "invoke.yaml",
        "line": 3,
    }
    return Check(id=name, requirements=requirements, **{**given, **members})


def result(
    of: Check, binding: BindingName = "http", outcome: Outcome = Outcome.passed, **members: Any
) -> Result:
    return Result(check=of, binding=binding, outcome=outcome, **members)


def failure(of: Check, binding: BindingName = "http", *, text: str = "{}") -> Result:
    """With a request and an answer."""
    lines = (
        Line(way="sent", what="POST /mig/v0.1/hello", text="{}"),
        Line(way="received", what="HTTP 500", text=text),
    )
    expected = {"answer": {"payload": {"result": "ok"}}}
    return result(
        of, binding, Outcome.failed, why="step 1: refused", expected=expected, lines=lines, seconds=0.25
    )


def requirement(identifier: str, *checks: str, **members: Any) -> Requirement:
    given: dict[str, Any] = {
        "level": "MUST",
        "text": "It answers.",
        "section": "section 2: INVOKE",
        "profile": "core",
        "bindings": ("http", "grpc"),
        "excluded": None,
        "unchecked": {},
    }
    return Requirement(id=identifier, checks=checks, **{**given, **members})


def report_of(*results: Result, subject: Subject | None = None, **circumstances: Any) -> Report:
    """As if the protocol had no requirements but those that the checks of the results name."""
    given: dict[str, Any] = {"only": None, "known": None, "command": "mig-conformance run", "seconds": 1.5}
    declared = subject or Subject(endpoints=EVERYWHERE, profiles=frozenset({"core"}))
    circumstances = {**given, **circumstances}
    rows = [requirement(identifier, *names) for identifier, names in _named(results).items()]
    return assemble(results, Circumstances(subject=declared, began=BEGAN, **circumstances), rows)


def _named(results: Iterable[Result]) -> dict[str, set[str]]:
    named: dict[str, set[str]] = {}
    for each in results:
        for identifier in each.check.requirements:
            named.setdefault(identifier, set()).add(each.check.id)
    return named


def patterns(*globs: str) -> Patterns:
    return Patterns(source="--only", globs=globs)


def of_profile(profile: str) -> str:
    """The id of a requirement of that profile."""
    return next(row.id for row in REQUIREMENTS if row.profile == profile)
