"""Results of a run as a report."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from mig_conformance.checks.features import in_order, with_included
from mig_conformance.checks.shown import shown
from mig_conformance.report.matrix import matrix
from mig_conformance.report.model import (
    FORMAT,
    Exchange,
    Implementation,
    Judged,
    OutcomeName,
    Report,
    Selection,
    Suite,
)
from mig_conformance.report.redaction import Redaction, without_credentials
from mig_conformance.report.verdicts import verdicts
from mig_conformance.running.result import Outcome, Result
from mig_conformance.running.selection import Patterns
from mig_conformance.subject.subject import Subject
from mig_conformance.version import SUITE_VERSION
from mig_protocol import MIG_VERSION, SPEC_HASH
from mig_protocol.requirements import REQUIREMENTS, Requirement

_TOLD = {Outcome.failed, Outcome.known, Outcome.broken}


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """How a run came about. `command` is the command line without its selection and with no secret in it; it
    took so many `seconds` from `began` on, a time in UTC.
    """

    subject: Subject
    only: Patterns | None
    known: Patterns | None
    command: str
    began: datetime
    seconds: float


def assemble(
    results: Sequence[Result], run: Circumstances, requirements: Sequence[Requirement] = REQUIREMENTS
) -> Report:
    """The report of a run, without credentials."""
    hide = _redaction(run.subject)
    counted = Counter(result.outcome.name for result in results)
    rows = matrix(results, requirements, whole=run.only is None)
    declared = run.subject.profiles
    return Report(
        format=FORMAT,
        suite=Suite(version=SUITE_VERSION, mig_version=MIG_VERSION, spec_hash=SPEC_HASH),
        implementation=_implementation(run.subject),
        selection=Selection(
            bindings=tuple(each for each in run.subject.bindings if not run.subject.why_not(each)),
            only=run.only.globs if run.only else (),
            known_failing=run.known.globs if run.known else (),
        ),
        began=run.began.isoformat(timespec="seconds").replace("+00:00", "Z"),
        seconds=round(run.seconds, 3),
        totals={outcome.name: counted[outcome.name] for outcome in Outcome},
        profiles=tuple(verdicts(rows, declared)) if run.only is None else (),
        requirements=rows,
        checks=tuple(_judged(result, run.command, hide) for result in _by_name(results)),
    )


def _implementation(subject: Subject) -> Implementation:
    endpoints = subject.endpoints
    said = {"http": endpoints.http, "grpc": endpoints.grpc, "nats": endpoints.nats}
    return Implementation(
        name=subject.implementation,
        version=subject.version,
        contact=subject.contact,
        endpoints={name: without_credentials(each) for name, each in said.items() if each is not None},
        auth=subject.auth.mode,
        profiles=tuple(in_order(with_included(subject.profiles))),
        features=tuple(sorted(subject.features)),
    )


def _judged(result: Result, command: str, hide: Redaction) -> Judged:
    told = result.outcome in _TOLD
    return Judged(
        name=result.name,
        check=result.check.id,
        binding=result.binding,
        title=result.check.title,
        requirements=result.check.requirements,
        outcome=cast(OutcomeName, result.outcome.name),
        why=hide(result.why),
        seconds=round(result.seconds, 4),
        expected=hide(_expected(result)) if told else "",
        again=f"{command} --only {shlex.quote(result.name)}" if told else "",
        exchanges=tuple(_exchanges(result, hide)) if told else (),
    )


def _expected(result: Result) -> str:
    """What the step that failed expects; where that is not data, the promise."""
    return result.check.title if result.expected is None else shown(result.expected)


def _exchanges(result: Result, hide: Redaction) -> Iterator[Exchange]:
    for line in result.lines:
        yield Exchange(way=line.way, what=hide(line.what), text=hide(line.text))


def _by_name(results: Sequence[Result]) -> list[Result]:
    return sorted(results, key=lambda result: result.name)


def _redaction(subject: Subject) -> Redaction:
    addresses = (subject.endpoints.http, subject.endpoints.nats)
    passwords = (each.rpartition("@")[0].rpartition(":")[2] for each in addresses if each and "@" in each)
    return Redaction((*subject.auth.tokens.values(), subject.auth.hs256_secret, *passwords))
