"""Frames of many streams over one connection, given out by stream."""

from __future__ import annotations

import asyncio

import pytest

from mig_conformance.drivers.demultiplexer import Demultiplexer
from mig_conformance.drivers.port import JsonObject
from mig_conformance.flaws import ClosedError, FlawError


def frame(stream_id: str, number: int, *, end: bool = False) -> JsonObject:
    return {"stream_id": stream_id, "payload": {"n": number}, "end_stream": end}


async def test_each_stream_gets_its_own_frames_in_their_order() -> None:
    frames = Demultiplexer(patience_s=20)
    both = asyncio.gather(frames.until_end("a"), frames.until_end("b"))
    sent = [frame("b", 1), frame("a", 1), frame("b", 2, end=True), frame("a", 2), frame("a", 3, end=True)]
    for one in sent:
        await frames.wanted()
        frames.deliver(one)
    of_a, of_b = await both
    assert of_a == [one for one in sent if one["stream_id"] == "a"]
    assert of_b == [one for one in sent if one["stream_id"] == "b"]


async def test_frames_of_other_streams_are_kept_for_whoever_takes_any() -> None:
    frames = Demultiplexer(patience_s=20)
    for one in (frame("a", 1), frame("b", 1), frame("a", 2)):
        frames.deliver(one)
    assert await frames.next("b") == frame("b", 1)
    assert [await frames.next(), await frames.next()] == [frame("a", 1), frame("a", 2)]


async def test_what_came_before_the_end_is_given_before_the_end_is_told() -> None:
    frames = Demultiplexer(patience_s=20)
    frames.deliver(frame("a", 1))
    frames.ended(ClosedError("it ended", 1009))
    frames.ended(ClosedError("and again", 1000))
    assert await frames.next() == frame("a", 1)
    with pytest.raises(ClosedError, match="it ended"):
        await frames.next()
    assert await frames.closed() == 1009


async def test_an_end_that_is_no_close_is_raised_to_who_waits_for_a_close() -> None:
    frames = Demultiplexer(patience_s=20)
    waiting = asyncio.create_task(frames.closed())
    await frames.wanted()
    frames.ended(FlawError("refused"))
    with pytest.raises(FlawError, match="refused"):
        await waiting


async def test_who_waits_longer_than_the_patience_is_told_for_what() -> None:
    frames = Demultiplexer(patience_s=0.01)
    frames.deliver(frame("b", 1))
    with pytest.raises(FlawError, match=r"no frame of the stream a came within 0\.01 seconds"):
        await frames.next("a")
    with pytest.raises(FlawError, match="the connection was not ended"):
        await frames.closed()


async def test_nothing_is_wanted_while_nobody_waits() -> None:
    frames = Demultiplexer(patience_s=20)
    reader = asyncio.create_task(frames.wanted())
    frames.deliver(frame("a", 1))
    await frames.next("a")
    for _ in range(5):
        await asyncio.sleep(0)
    assert not reader.done()
    waiting = asyncio.create_task(frames.next("a"))
    await reader
    frames.deliver(frame("a", 2))
    assert await waiting == frame("a", 2)
