"""Which checks run on which bindings, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mig_conformance.checks.check import Check
from mig_conformance.checks.features import MEANS, with_included
from mig_conformance.drivers.port import BindingName
from mig_conformance.running.result import Outcome
from mig_conformance.subject.subject import Subject
from mig_protocol.requirements import REQUIREMENTS

_PROFILE_OF = {row.id: row.profile for row in REQUIREMENTS}


class PatternError(Exception):
    """A pattern names nothing; its text is one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A check on a binding. `outcome` is None where it is to run; else it is decided, and `why` says how."""

    check: Check
    binding: BindingName
    outcome: Outcome | None = None
    why: str = ""

    @property
    def name(self) -> str:
        return self.check.on(self.binding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patterns:
    """Globs over names such as "invoke/*@nats", over ids of checks, and over ids of requirements. `source`
    says where they come from, for the error.
    """

    source: str
    globs: tuple[str, ...]

    def require_matches(self, checks: Iterable[Check]) -> None:
        """Raises PatternError for one that matches no check on any binding."""
        every = [(check, binding) for check in checks for binding in check.bindings]
        for glob in self.globs:
            if not any(_matches(glob, check, binding) for check, binding in every):
                raise PatternError(
                    f"{self.source}: {glob!r} matches no check and no requirement that has checks; "
                    "`mig-conformance list` shows their names"
                )

    def match(self, check: Check, binding: BindingName) -> bool:
        return any(_matches(glob, check, binding) for glob in self.globs)


def plan(checks: Sequence[Check], subject: Subject, only: Patterns | None = None) -> list[Planned]:
    """Every check on every binding that `only` names (None: all), and whether it runs on this subject."""
    profiles = with_included(subject.profiles)
    return [
        _planned(check, binding, subject, profiles)
        for check in checks
        for binding in check.bindings
        if only is None or only.match(check, binding)
    ]


def profiles_of(check: Check) -> frozenset[str]:
    """Those of its requirements. One that no requirement names yet is about the core."""
    return frozenset(_PROFILE_OF[row] for row in check.requirements) or frozenset({"core"})


def _planned(check: Check, binding: BindingName, subject: Subject, profiles: frozenset[str]) -> Planned:
    outcome, why = None, ""
    missing = sorted(check.needs - subject.features)
    if absent := subject.why_not(binding):
        outcome, why = Outcome.not_applicable, absent
    elif not profiles & (wanted := profiles_of(check)):
        outcome, why = Outcome.not_applicable, f"the profile {' or '.join(sorted(wanted))} is not declared"
    elif missing:
        means = all(need in MEANS for need in missing)
        outcome = Outcome.unchecked if means else Outcome.not_applicable
        why = "; ".join(_lack(need, MEANS) for need in missing)
    return Planned(check=check, binding=binding, outcome=outcome, why=why)


def _lack(need: str, means: Mapping[str, str]) -> str:
    return f"it needs {need}: {means[need]}" if need in means else f"the server does not declare {need}"


def _matches(glob: str, check: Check, binding: BindingName) -> bool:
    names = (check.on(binding), check.id, *check.requirements)
    return any(fnmatchcase(name, glob) for name in names)
