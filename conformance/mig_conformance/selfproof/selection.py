"""Which mutants and which checks a self-test is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mig_conformance.checks.check import Check
from mig_conformance.drivers.port import BindingName
from mig_conformance.running.selection import Patterns
from mig_conformance.selfproof.mutant import Mutant


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """`names` are the checks, with their binding, that have to be proven; None for all that there are."""

    checks: Sequence[Check]
    mutants: Sequence[Mutant]
    names: frozenset[str] | None = None

    def judges(self, check: Check, binding: BindingName) -> bool:
        """Whether it is judged on that binding."""
        return self.names is None or check.on(binding) in self.names


def chosen_by(globs: Sequence[str], checks: Sequence[Check], mutants: Sequence[Mutant]) -> Chosen:
    """Globs over ids of mutants, over names of checks such as "invoke/*@nats", and over ids of requirements:
    the mutants of that id and whatever has to find them, the checks of that name and whatever they have to
    find. Raises PatternError for one that matches nothing.
    """
    if not globs:
        return Chosen(checks=checks, mutants=mutants)
    for glob in globs:
        if not any(fnmatchcase(mutant.id, glob) for mutant in mutants):
            Patterns(source="--only", globs=(glob,)).require_matches(checks)
    patterns = Patterns(source="--only", globs=tuple(globs))
    named = {
        check.on(binding) for check in checks for binding in check.bindings if patterns.match(check, binding)
    }
    matching = [mutant for mutant in mutants if any(fnmatchcase(mutant.id, glob) for glob in globs)]
    for mutant in matching:
        named.update(_targets(mutant))
    concerned = [mutant for mutant in mutants if named & set(_targets(mutant))]
    return Chosen(checks=checks, mutants=concerned, names=frozenset(named))


def _targets(mutant: Mutant) -> Iterable[str]:
    return (f"{name}@{binding}" for name in mutant.killed_by for binding in mutant.bindings)
