"""Running the checks against the right server and against every mutant."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mig_conformance.checks.check import Check
from mig_conformance.drivers.port import BindingName
from mig_conformance.flaws import UnreachableError
from mig_conformance.running.links import Links
from mig_conformance.running.result import Outcome, Result
from mig_conformance.running.run import run_check, run_checks
from mig_conformance.selfproof.answers import Means
from mig_conformance.selfproof.load import MutantError
from mig_conformance.selfproof.mutant import Mutant
from mig_conformance.selfproof.mutation import Mutation
from mig_conformance.selfproof.proof import Attempt, Proof
from mig_conformance.selfproof.proxies.between import proxied
from mig_conformance.subject.callers import Callers
from mig_conformance.subject.subject import AuthMode, Subject

_AT_ONCE = 12
# A mutant is killed by what a check finds, not by the suite's own limit, which is longer.
_LONGEST_S = 40.0
# What a mutant drops is waited for by somebody.
_PATIENCE_S = 3.0

Start = Callable[[AuthMode, Mapping[str, str]], AbstractAsyncContextManager[Subject]]
Tell = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class _Pair:
    """One check on one binding that has to find a mutant."""

    mutant: Mutant
    check: Check
    binding: BindingName


class Judge:
    """`subjects` are the right servers by auth mode; `start` starts another one, with further variables;
    `tell` gets a line for a person as things end.
    """

    def __init__(
        self, checks: Iterable[Check], subjects: Mapping[AuthMode, Subject], start: Start, tell: Tell
    ) -> None:
        self._checks = {check.id: check for check in checks}
        self._subjects = subjects
        self._start = start
        self._tell = tell

    async def prove(self, mutants: Iterable[Mutant]) -> Proof:
        """Raises MutantError for a mutant that names a check that can not run against it."""
        pairs = [pair for mutant in mutants for pair in self._pairs(mutant)]
        good = {mode: await self._good(mode) for mode in self._subjects}
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(pair: _Pair) -> Attempt:
            async with room:
                return await self._attempt(pair)

        attempts = list(await asyncio.gather(*(one(pair) for pair in pairs if not pair.check.alone)))
        attempts += [await self._attempt(pair) for pair in pairs if pair.check.alone]
        return Proof(good=good, attempts=tuple(attempts))

    def _pairs(self, mutant: Mutant) -> Iterator[_Pair]:
        subject = self._subjects.get(mutant.mode)
        for name in mutant.killed_by if subject else ():
            check = self._checks.get(name)
            if check is None or subject is None:
                continue
            bindings = [each for each in mutant.bindings if applies(check, each, subject)]
            if not bindings:
                raise MutantError(
                    f"{mutant.file}:{mutant.line}: {name} runs on none of {', '.join(mutant.bindings)} "
                    f"in the mode {mutant.mode}"
                )
            yield from (_Pair(mutant, check, binding) for binding in bindings)

    async def _good(self, mode: AuthMode) -> tuple[Result, ...]:
        """The right server, behind proxies that change nothing: what is red later is a mutant's doing."""
        subject = self._subjects[mode]
        chosen = [
            (check, binding)
            for check in self._checks.values()
            for binding in check.bindings
            if applies(check, binding, subject)
        ]
        mutation = Mutation((), (), _means(subject))
        async with proxied(subject, mutation) as seen, Links(seen) as links:
            return tuple(await run_checks(chosen, seen, links, lambda result: self._told("good", result)))

    async def _attempt(self, pair: _Pair) -> Attempt:
        subject = self._subjects[pair.mutant.mode]
        if not pair.mutant.env:
            return await self._on(subject, pair)
        async with self._start(pair.mutant.mode, pair.mutant.env) as started:
            return await self._on(started, pair)

    async def _on(self, subject: Subject, pair: _Pair) -> Attempt:
        mutant = pair.mutant
        mutation = Mutation(mutant.changes, mutant.bindings, _means(subject))
        hasty = replace(subject, patience_s=min(_PATIENCE_S, subject.patience_s))
        async with proxied(hasty, mutation) as seen, Links(seen) as links:
            result = await _within_limit(pair, lambda: run_check(pair.check, pair.binding, seen, links))
        if mutation.faults:
            result = replace(result, outcome=Outcome.broken, why=f"{mutant.id}: {mutation.faults[0]}")
        self._told(mutant.id, result)
        return Attempt(mutant=mutant, result=result, hits=None if mutant.env else mutation.hits)

    def _told(self, who: str, result: Result) -> None:
        self._tell(f"{who}: {result.name} {result.outcome.value} {result.seconds:.2f} {result.why}".rstrip())


def applies(check: Check, binding: BindingName, subject: Subject) -> bool:
    """Whether the server has what the check needs, on that binding."""
    there = binding in check.bindings and subject.endpoints.of(binding) is not None
    return there and check.needs <= subject.features


async def _within_limit(pair: _Pair, run: Callable[[], Awaitable[Result]]) -> Result:
    try:
        async with asyncio.timeout(_LONGEST_S):
            return await run()
    except TimeoutError:
        why = f"not done within {_LONGEST_S:g} seconds"
    except UnreachableError as error:
        why = str(error)
    return Result(check=pair.check, binding=pair.binding, outcome=Outcome.broken, why=why)


def _means(subject: Subject) -> Means:
    return Means(callers=Callers(subject), now=lambda: datetime.now(UTC), new_id=lambda: str(uuid.uuid4()))
