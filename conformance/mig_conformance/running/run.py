"""Running checks against one server."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from importlib import import_module
from typing import Any

from mig_conformance.checks.check import Check
from mig_conformance.checks.steps import run_steps
from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import BindingName, Driver
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.flaws import FlawError, SilentError, UncheckedError, UnreachableError
from mig_conformance.running.links import Links
from mig_conformance.running.result import Outcome, Result
from mig_conformance.subject.subject import Subject

_AT_ONCE = 8
_LONGEST_S = 60.0
_SILENT_IN_A_ROW = 16

Told = Callable[[Result], object]
Restart = Callable[[], Awaitable[None]]


async def run_checks(
    checks: Iterable[tuple[Check, BindingName]],
    subject: Subject,
    links: Links,
    tell: Told,
    restart: Restart | None = None,
) -> list[Result]:
    """Run each on its binding, several at a time, and those that are alone after the others; `tell` hears of
    each as it ends, and `restart` restarts the server where the suite can. Raises UnreachableError when the
    server is not there, or has stopped answering; what has been told until then stands.
    """
    chosen = list(checks)
    room = asyncio.Semaphore(_AT_ONCE)
    silence = _Silence()

    async def one(check: Check, binding: BindingName) -> Result:
        async with room:
            result = await run_check(check, binding, subject, links, restart)
        tell(result)
        silence.heard(result)
        return result

    try:
        async with asyncio.TaskGroup() as group:
            together = [
                group.create_task(one(check, binding)) for check, binding in chosen if not is_alone(check)
            ]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    results = [task.result() for task in together]
    for check, binding in chosen:
        if is_alone(check):
            results.append(await one(check, binding))
    return results


class _Silence:
    """A server that says nothing any more would be waited for by every check that is left."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def heard(self, result: Result) -> None:
        """Raises UnreachableError when too many in a row had no answer."""
        self._in_a_row = self._in_a_row + 1 if result.silent else 0
        if self._in_a_row == _SILENT_IN_A_ROW:
            raise UnreachableError(
                f"the server has stopped answering: {_SILENT_IN_A_ROW} checks in a row waited in vain, "
                f"the last of them {result.name}: {result.why}"
            )


async def run_check(
    check: Check, binding: BindingName, subject: Subject, links: Links, restart: Restart | None = None
) -> Result:
    """One check on one binding; a message that broke its schema makes it red even where its steps pass."""
    transcript = Transcript()
    result = partial(Result, check=check, binding=binding)
    expected: Any = None
    silent = False
    began = time.monotonic()
    try:
        async with asyncio.timeout(_LONGEST_S):
            trial = Trial(
                subject,
                links.driver(binding, transcript),
                partial(_beside, links, transcript),
                transcript,
                _new_id,
                check.vars,
                restart,
                lambda name: links.peer(name, transcript),
            )
            await _body(check)(trial)
        outcome, why = Outcome.passed, ""
    except UncheckedError as missing:
        outcome, why = Outcome.unchecked, str(missing)
    except UnreachableError as gone:
        raise UnreachableError(f"{gone} (during {check.on(binding)})") from None
    except FlawError as flaw:
        outcome, expected = Outcome.failed, flaw.expected
        silent = isinstance(flaw, SilentError)
        why = str(flaw) if flaw.step is None else f"step {flaw.step}: {flaw}"
    except TimeoutError:
        outcome, why = Outcome.failed, f"not done within {_LONGEST_S:g} seconds"
    except Exception as error:
        outcome, why = Outcome.broken, f"{type(error).__name__}: {error}"
    if outcome in (Outcome.passed, Outcome.broken) and transcript.violations:
        # Also where it is broken: a check relies on messages that have what their schema requires.
        outcome, why = Outcome.failed, f"the wire: {'; '.join(transcript.violations[:5])}"
    return result(
        outcome=outcome,
        why=why,
        expected=expected,
        lines=transcript.lines,
        seconds=time.monotonic() - began,
        silent=silent,
    )


def is_alone(check: Check) -> bool:
    """A restart takes the server from under every other check."""
    return check.alone or "restart" in check.needs


def _beside(links: Links, transcript: Transcript, binding: BindingName) -> Driver:
    return links.driver(binding, transcript)


def _body(check: Check) -> Callable[[Trial], Awaitable[None]]:
    if check.python is None:
        return partial(run_steps, check)
    module, _, function = check.python.partition(":")
    found: Callable[[Trial], Awaitable[None]] = getattr(
        import_module(f"mig_conformance.temporal.{module}"), function
    )
    return found


def _new_id() -> str:
    return str(uuid.uuid4())
