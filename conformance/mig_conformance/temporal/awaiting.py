"""Waiting for what a server does once it has answered, where nothing tells when."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable

from mig_conformance.checks.trial import Trial
from mig_conformance.flaws import FlawError

_BETWEEN_S = 0.02


async def eventually(trial: Trial, flaw: Callable[[], Awaitable[str]], *, within_s: float = math.inf) -> None:
    """Returns as soon as `flaw` finds nothing wrong. Raises FlawError with what it finds at the end of the
    suite's patience, or after `within_s` seconds.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + min(trial.patience_s, within_s)
    while why := await flaw():
        if loop.time() > end:
            raise FlawError(why)
        await asyncio.sleep(_BETWEEN_S)
