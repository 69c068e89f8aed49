"""Running the checks against the right servers and against every mutant."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mig_conformance.checks.check import Check
from mig_conformance.drivers.port import BindingName
from mig_conformance.flaws import UnreachableError
from mig_conformance.running.links import Links
from mig_conformance.running.result import Outcome, Result
from mig_conformance.running.run import is_alone, run_check, run_checks
from mig_conformance.running.selection import Planned, plan
from mig_conformance.running.session import Session
from mig_conformance.selfproof.answers import Means
from mig_conformance.selfproof.load import MutantError
from mig_conformance.selfproof.mutant import Mutant
from mig_conformance.selfproof.mutation import Mutation
from mig_conformance.selfproof.proof import Attempt, Proof
from mig_conformance.selfproof.proxies.between import proxied
from mig_conformance.selfproof.selection import Chosen
from mig_conformance.subject.callers import Callers
from mig_conformance.subject.subject import AuthMode, Subject

_AT_ONCE = 12
# A mutant is killed by what a check finds, not by the suite's own limit, which is longer.
_LONGEST_S = 40.0
# What a mutant drops is waited for by somebody.
_PATIENCE_S = 3.0

Further = Callable[[AuthMode, Mapping[str, str]], AbstractAsyncContextManager[Session]]
Tell = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class _Pair:
    """One check on one binding that has to find a mutant."""

    mutant: Mutant
    check: Check
    binding: BindingName


class Judge:
    """`sessions` are the right servers by auth mode; `further` starts another one, with further variables;
    `tell` gets a line for a person as things end.
    """

    def __init__(self, sessions: Mapping[AuthMode, Session], further: Further, tell: Tell) -> None:
        self._sessions = sessions
        self._further = further
        self._tell = tell

    async def prove(self, chosen: Chosen) -> Proof:
        """Raises MutantError for a mutant that names a check that can not run against it."""
        planned = {mode: plan(chosen.checks, session.subject) for mode, session in self._sessions.items()}
        pairs = [
            pair
            for mutant in chosen.mutants
            for pair in _pairs(mutant, planned.get(mutant.mode))
            if chosen.judges(pair.check, pair.binding)
        ]
        good = {
            mode: await self._good(
                mode, [each for each in planned[mode] if chosen.judges(each.check, each.binding)]
            )
            for mode in self._sessions
        }
        return Proof(good=good, attempts=tuple(await self._attempts(pairs)))

    async def _good(self, mode: AuthMode, planned: Sequence[Planned]) -> tuple[Result, ...]:
        """The right server, behind proxies that change nothing: what is red later is a mutant's doing."""
        session = self._sessions[mode]
        running = [(each.check, each.binding) for each in planned if each.outcome is None]
        mutation = Mutation((), (), _means(session.subject))
        async with proxied(session.subject, mutation) as seen, Links(seen) as links:
            results = await run_checks(
                running,
                seen,
                links,
                lambda result: self._told(f"right server ({mode})", result),
                session.restart,
            )
        return (*results, *(_not_run(each) for each in planned if each.outcome is not None))

    async def _attempts(self, pairs: Iterable[_Pair]) -> list[Attempt]:
        """Many at a time over the right servers; those of checks that look at a whole server one by one."""
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(pair: _Pair) -> Attempt:
            async with room:
                return await self._attempt(pair)

        together = [pair for pair in pairs if not is_alone(pair.check)]
        attempts = list(await asyncio.gather(*(one(pair) for pair in together)))
        return attempts + [await one(pair) for pair in pairs if is_alone(pair.check)]

    async def _attempt(self, pair: _Pair) -> Attempt:
        mutant = pair.mutant
        mutation = Mutation(mutant.changes, mutant.bindings, _means(self._sessions[mutant.mode].subject))
        result = await _within_limit(pair, self._ran(pair, mutation))
        if mutation.faults:
            result = replace(result, outcome=Outcome.broken, why=f"{mutant.id}: {mutation.faults[0]}")
        self._told(mutant.id, result)
        return Attempt(mutant=mutant, result=result, hits=None if mutant.env else mutation.hits)

    async def _ran(self, pair: _Pair, mutation: Mutation) -> Result:
        mutant = pair.mutant
        if not mutant.env:
            return await _against(self._sessions[mutant.mode], pair, mutation)
        async with self._further(mutant.mode, mutant.env) as session:
            return await _against(session, pair, mutation)

    def _told(self, who: str, result: Result) -> None:
        self._tell(f"{who}: {result.name} {result.outcome.value} {result.why}".rstrip())


def _pairs(mutant: Mutant, planned: Sequence[Planned] | None) -> Iterator[_Pair]:
    """What has to find the mutant, in a mode in which there is a server; nothing without one."""
    for name in mutant.killed_by if planned is not None else ():
        running = [
            _Pair(mutant, each.check, each.binding)
            for each in planned or ()
            if each.check.id == name and each.binding in mutant.bindings and each.outcome is None
        ]
        if not running:
            raise MutantError(
                f"{mutant.file}:{mutant.line}: {name} runs on none of {', '.join(mutant.bindings)} "
                f"in the mode {mutant.mode}"
            )
        yield from running


def _not_run(planned: Planned) -> Result:
    outcome = planned.outcome or Outcome.unchecked
    return Result(check=planned.check, binding=planned.binding, outcome=outcome, why=planned.why)


async def _against(session: Session, pair: _Pair, mutation: Mutation) -> Result:
    hasty = replace(session.subject, patience_s=min(_PATIENCE_S, session.subject.patience_s))
    async with proxied(hasty, mutation) as seen, Links(seen) as links:
        return await run_check(pair.check, pair.binding, seen, links, session.restart)


async def _within_limit(pair: _Pair, running: Awaitable[Result]) -> Result:
    try:
        async with asyncio.timeout(_LONGEST_S):
            return await running
    except TimeoutError:
        why = f"not done within {_LONGEST_S:g} seconds"
    except UnreachableError as error:
        why = str(error)
    return Result(check=pair.check, binding=pair.binding, outcome=Outcome.broken, why=why)


def _means(subject: Subject) -> Means:
    return Means(callers=Callers(subject), now=lambda: datetime.now(UTC), new_id=lambda: str(uuid.uuid4()))
