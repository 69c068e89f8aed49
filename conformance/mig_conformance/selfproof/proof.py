"""What the self-test found, and whether it is a proof."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mig_conformance.running.result import Outcome, Result
from mig_conformance.selfproof.mutant import Mutant
from mig_conformance.subject.subject import AuthMode

_NO_VERDICT = {Outcome.not_applicable, Outcome.unchecked}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One check on one binding against one mutant. `hits` is how many messages the mutant changed, None where
    it is a server that was started otherwise.
    """

    mutant: Mutant
    result: Result
    hits: int | None

    @property
    def killed(self) -> bool:
        """Whether the check found the server at fault, and for nothing but what the mutant did."""
        return self.result.outcome is Outcome.failed and self.hits != 0

    @property
    def why_not(self) -> str:
        """One line for one that was not killed."""
        if self.hits == 0:
            return "the mutant changed nothing that this check sent or received"
        if self.result.outcome is Outcome.passed:
            return "the check did not notice"
        return f"{self.result.outcome.value}: {self.result.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """`good` has the results of the right server by its auth mode, also of checks that do not apply to it."""

    good: Mapping[AuthMode, tuple[Result, ...]]
    attempts: tuple[Attempt, ...]

    @property
    def red(self) -> list[tuple[AuthMode, Result]]:
        """What the right server did not pass: whatever failed, and what could be judged in no mode."""
        passed = {result.name for _, result in self._results() if result.outcome is Outcome.passed}
        return [
            (mode, result)
            for mode, result in self._results()
            if result.outcome not in _NO_VERDICT | {Outcome.passed}
            or (result.outcome in _NO_VERDICT and result.name not in passed)
        ]

    @property
    def survived(self) -> list[Attempt]:
        """Checks that did not find the mutant that names them."""
        return [attempt for attempt in self.attempts if not attempt.killed]

    @property
    def unproven(self) -> list[str]:
        """Checks, with their binding, that are red under no mutant, in the order in which they ran."""
        return [name for name, killers in self.killers().items() if not killers]

    def killers(self) -> dict[str, list[str]]:
        """The mutants under which each check is red, by the check's name on its binding."""
        found: dict[str, list[str]] = {result.name: [] for _, result in self._results()}
        for attempt in self.attempts:
            if attempt.killed:
                found.setdefault(attempt.result.name, []).append(attempt.mutant.id)
        return found

    def mutants(self) -> dict[str, list[Attempt]]:
        """The attempts by the mutant's id."""
        found: dict[str, list[Attempt]] = {}
        for attempt in self.attempts:
            found.setdefault(attempt.mutant.id, []).append(attempt)
        return found

    @property
    def broken(self) -> bool:
        """Whether the suite itself failed somewhere, so that there is nothing to conclude."""
        results = [result for _, result in self._results()]
        results += [attempt.result for attempt in self.attempts]
        return any(result.outcome is Outcome.broken for result in results)

    def _results(self) -> Iterator[tuple[AuthMode, Result]]:
        return ((mode, result) for mode, results in self.good.items() for result in results)

    @property
    def holds(self) -> bool:
        return not (self.red or self.survived or self.unproven)

    def faults(self) -> Iterator[str]:
        """What speaks against the suite, a line each."""
        for mode, result in self.red:
            yield f"right server ({mode}): {result.name} {result.outcome.value}: {result.why}"
        for attempt in self.survived:
            mutant, name = attempt.mutant, attempt.result.name
            yield f"{mutant.file}:{mutant.line}: {mutant.id} survived {name}: {attempt.why_not}"
        for name in self.unproven:
            yield f"{name} is red under no mutant"

    def summary(self) -> str:
        """One line."""
        mutants, checks = self.mutants(), self.killers()
        alive = sum(any(not attempt.killed for attempt in attempts) for attempts in mutants.values())
        killed = "all killed" if not alive else f"{alive} not killed"
        proven = (
            "each red under at least one" if not self.unproven else f"{len(self.unproven)} red under none"
        )
        red = f"; {len(self.red)} not green on the right server" if self.red else ""
        return f"{len(mutants)} mutants, {killed}; {len(checks)} checks, {proven}{red}"
