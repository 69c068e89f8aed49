"""Waiting for a while for what is read."""

from __future__ import annotations

import asyncio

import pytest

from mig_conformance.drivers.reading import Reading
from mig_conformance.flaws import ClosedError, FlawError


async def test_what_is_half_read_when_the_time_is_over_is_got_by_the_next_wait() -> None:
    things: asyncio.Queue[str] = asyncio.Queue()
    reading = Reading(things.get, what="event", patience_s=20)
    assert await reading.within(0.01) is None
    things.put_nowait("first")
    things.put_nowait("second")
    assert [await reading.next(), await reading.within(20)] == ["first", "second"]


async def test_what_does_not_come_in_time_is_a_flaw_that_says_what() -> None:
    reading = Reading(asyncio.Queue[str]().get, what="event", patience_s=0.01)
    with pytest.raises(FlawError, match=r"no further event within 0\.01 seconds"):
        await reading.next()
    await reading.stop()


async def test_what_ends_the_reading_is_raised_to_who_waits() -> None:
    async def closed() -> str:
        raise ClosedError("over", 1000)

    with pytest.raises(ClosedError, match="over"):
        await Reading(closed, what="event", patience_s=20).next()
