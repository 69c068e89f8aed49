"""Running checks against one server."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from importlib import import_module

from mig_conformance.checks.check import Check
from mig_conformance.checks.steps import run_steps
from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import BindingName, Driver
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.flaws import FlawError, UncheckedError, UnreachableError
from mig_conformance.running.links import Links
from mig_conformance.running.result import Outcome, Result
from mig_conformance.subject.subject import Subject

_AT_ONCE = 8
_LONGEST_S = 60.0

Told = Callable[[Result], object]


async def run_checks(
    checks: Iterable[tuple[Check, BindingName]], subject: Subject, links: Links, tell: Told
) -> list[Result]:
    """Run each on its binding, several at a time, and those that are alone after the others; `tell` hears of
    each as it ends. Raises UnreachableError when the server is not there.
    """
    chosen = list(checks)
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(check: Check, binding: BindingName) -> Result:
        async with room:
            result = await run_check(check, binding, subject, links)
        tell(result)
        return result

    together = [one(check, binding) for check, binding in chosen if not check.alone]
    results = list(await asyncio.gather(*together))
    for check, binding in chosen:
        if check.alone:
            results.append(await one(check, binding))
    return results


async def run_check(check: Check, binding: BindingName, subject: Subject, links: Links) -> Result:
    """One check on one binding; a message that broke its schema makes it red even where its steps pass."""
    transcript = Transcript()
    result = partial(Result, check=check, binding=binding)
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
            )
            await _body(check)(trial)
        outcome, why = Outcome.passed, ""
    except UncheckedError as missing:
        outcome, why = Outcome.unchecked, str(missing)
    except UnreachableError:
        raise
    except FlawError as flaw:
        outcome, why = Outcome.failed, str(flaw)
    except TimeoutError:
        outcome, why = Outcome.failed, f"not done within {_LONGEST_S:g} seconds"
    except Exception as error:
        outcome, why = Outcome.broken, f"{type(error).__name__}: {error}"
    if outcome is Outcome.passed and transcript.violations:
        outcome, why = Outcome.failed, f"the wire: {'; '.join(transcript.violations[:5])}"
    return result(outcome=outcome, why=why, lines=transcript.lines, seconds=time.monotonic() - began)


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
