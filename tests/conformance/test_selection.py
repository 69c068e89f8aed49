"""Which checks run, why the others do not, and what patterns name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mig_conformance.checks.features import required_by, with_included
from mig_conformance.running.known import read_known, settled
from mig_conformance.running.result import Outcome
from mig_conformance.running.selection import PatternError, plan
from mig_conformance.subject.subject import Endpoints, Subject
from support.suite_results import EVERYWHERE, check, of_profile, patterns, result


def subject(**members: Any) -> Subject:
    given = {"endpoints": EVERYWHERE, "profiles": frozenset({"core"}), "features": frozenset({"open"})}
    return Subject(**{**given, **members})


@pytest.mark.parametrize(
    ("of", "server", "outcome", "why"),
    [
        (check(), subject(), None, ""),
        (check(), subject(endpoints=Endpoints(grpc="a:1")), Outcome.not_applicable, "no endpoint for http"),
        (check(), subject(bindings=("grpc",)), Outcome.not_applicable, "no endpoint for http"),
        (check(needs={"replay"}), subject(), Outcome.not_applicable, "does not declare replay"),
        (check(needs={"jwt"}), subject(), Outcome.not_applicable, "does not declare jwt"),
        (check(needs={"script"}), subject(), Outcome.unchecked, "it needs script"),
        (check(needs={"script", "replay"}), subject(), Outcome.not_applicable, "does not declare replay"),
        (check(needs={"open"}), subject(), None, ""),
        (
            check("a/b", of_profile("evented")),
            subject(),
            Outcome.not_applicable,
            "the profile evented is not declared",
        ),
        (check("a/b", of_profile("evented")), subject(profiles=frozenset({"full"})), None, ""),
        (check("a/b", of_profile("evented"), of_profile("core")), subject(), None, ""),
    ],
)
def test_a_check_runs_where_it_applies(of: Any, server: Subject, outcome: Outcome | None, why: str) -> None:
    planned = next(each for each in plan([of], server) if each.binding == "http")
    assert planned.outcome is outcome
    assert why in planned.why
    assert bool(planned.why) == bool(outcome)


def test_a_declared_profile_declares_what_it_requires_and_contains() -> None:
    assert required_by({"streaming"}) == {"streaming", "cancel"}
    assert with_included({"evented"}) == {"core", "evented"}
    assert with_included({"full"}) == {"core", "streaming", "evented", "full"}


@pytest.mark.parametrize(
    ("glob", "names"),
    [
        ("invoke/*@grpc", {"invoke/answer@grpc", "invoke/deadline@grpc"}),
        ("invoke/deadline", {"invoke/deadline@http", "invoke/deadline@grpc"}),
        ("*@http", {"invoke/answer@http", "invoke/deadline@http"}),
        ("MIG-INV-010", {"invoke/deadline@http", "invoke/deadline@grpc"}),
        ("MIG-INV-*", {"invoke/deadline@http", "invoke/deadline@grpc"}),
    ],
)
def test_a_pattern_names_checks_on_bindings_and_requirements(glob: str, names: set[str]) -> None:
    checks = [check("invoke/answer"), check("invoke/deadline", "MIG-INV-010")]
    patterns(glob).require_matches(checks)
    assert {each.name for each in plan(checks, subject(), patterns(glob))} == names


def test_a_pattern_that_names_nothing_is_an_error() -> None:
    with pytest.raises(PatternError, match=r"^--only: 'invoke/no\*' matches no check"):
        patterns("invoke/*", "invoke/no*").require_matches([check()])


def test_the_list_of_known_failures_has_comments(tmp_path: Path) -> None:
    file = tmp_path / "known.txt"
    file.write_text("# all\n\ninvoke/*@nats  # issue 12\n  MIG-INV-010\n")
    assert read_known(file).globs == ("invoke/*@nats", "MIG-INV-010")


@pytest.mark.parametrize(
    ("was", "is_now"),
    [
        (Outcome.failed, Outcome.known),
        (Outcome.passed, Outcome.unexpected),
        (Outcome.unchecked, Outcome.unchecked),
        (Outcome.broken, Outcome.broken),
    ],
)
def test_a_known_failure_may_fail_and_must_not_pass(was: Outcome, is_now: Outcome) -> None:
    known = patterns("invoke/answer@http")
    assert settled(result(check(), "http", was), known).outcome is is_now
    assert settled(result(check(), "grpc", was), known).outcome is was
    assert settled(result(check(), "http", was), None).outcome is was
