"""Running checks and saying how they ended, a line each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from mig_conformance.flaws import FlawError
from mig_protocol.errors import MigFault

PASSED, FAILED, UNUSABLE = 0, 1, 2
"""Exit statuses: every check passed; one failed; the command line is wrong or the server is not there."""


class ServerGoneError(Exception):
    """The server can not be reached. Its text is one line that says where it was looked for."""


@dataclass(frozen=True, slots=True)
class Check:
    """`run` returns when the server did as `name` says, and raises FlawError or MigFault when it did not."""

    name: str
    run: Callable[[], Awaitable[None]]


async def run_checks(checks: Sequence[Check], write: Callable[[str], object], *, timeout_s: float) -> int:
    """Run them one after the other and write a line about each; give the exit status.

    A check that takes longer than `timeout_s` seconds has failed. Raises ServerGoneError when a check does.
    """
    failed = 0
    for check in checks:
        why = await _flaw(check, timeout_s)
        write(f"[PASS] {check.name}" if why is None else f"[FAIL] {check.name}: {why}")
        failed += why is not None
    return FAILED if failed else PASSED


async def _flaw(check: Check, timeout_s: float) -> str | None:
    try:
        async with asyncio.timeout(timeout_s):
            await check.run()
    except TimeoutError:
        return f"no answer within {timeout_s:g} seconds"
    except FlawError as flaw:
        return _one_line(str(flaw))
    except MigFault as fault:
        return _one_line(f"refused with {fault}")
    return None


def _one_line(text: str) -> str:
    return " ".join(text.split())
