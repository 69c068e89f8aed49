"""A capability whose every run is written down and answers what no other run does."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator

from msgspec import Struct

from migd.capability import Final, capability


class Call(Struct):
    name: str
    """Whose it is: what is before the first slash is its tenant."""


class Ran(Struct):
    name: str
    run: str


@capability(id="crash.counted")
async def count(call: Call) -> Ran:
    """One run. What was handed to the kernel is there after a kill of the process."""
    run = uuid.uuid4().hex
    runs = os.open(os.environ["CRASH_RUNS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(runs, f"{call.name} {run}\n".encode())
    os.close(runs)
    return Ran(call.name, run)


@count.stream
async def count_slowly(call: Call) -> AsyncIterator[Ran | Final[Ran]]:
    """A few pieces, with room for others in between."""
    for piece in range(5):
        yield Ran(call.name, str(piece))
        await asyncio.sleep(0)
    yield Final(Ran(call.name, "end"))
