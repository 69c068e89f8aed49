"""Streamed invocations over NATS, of which the request is answered before the frames come [MIG-STN]."""

from __future__ import annotations

from mig_conformance.checks.expectation import compare
from mig_conformance.checks.trial import REFERENCE, Trial
from mig_conformance.drivers.frames import read_out
from mig_conformance.flaws import FlawError, expect, same
from mig_conformance.temporal.reference import TEXT, has_echo, of_reference, put_together


async def accepted(trial: Trial) -> None:
    """The answer says what runs, and on which stream."""
    stream = await trial.stream(of_reference("hello"))
    answer = stream.accepted
    if answer is None:
        raise FlawError("the request was not answered before its frames")
    compare({"capability": REFERENCE, "stream_id": stream.stream_id}, answer.message, "the answer")
    expect(stream.stream_id, "the stream_id of the answer is empty")
    has_echo(await read_out(stream), "hello")


async def accepted_at_once(trial: Trial) -> None:
    """It is there while the work waits for what is done only then."""
    go = trial.new_id()
    stream = await trial.stream(trial.scripted({"await_mark": {"key": go}}))
    (await trial.script({"mark": go})).accepted()
    last = (await read_out(stream))[-1]
    compare({"kind": "response", "payload": {"counters": {go: 1}}}, last, "the terminal frame")


async def caller_chosen_id(trial: Trial) -> None:
    """In the answer, in the frames and in the subject on which they come."""
    chosen = f"chosen-{trial.new_id()}"
    stream = await trial.stream(of_reference("hello"), chosen)
    compare({"stream_id": chosen}, stream.accepted.message if stream.accepted else None, "the answer")
    frames = await read_out(stream)
    same("the streams of the frames", {frame["stream_id"] for frame in frames}, {chosen})
    has_echo(frames, "hello")


async def server_chosen_id(trial: Trial) -> None:
    """A different one each time; every frame is there, though nobody could subscribe before the answer."""
    seen = set()
    for number in range(3):
        stream = await trial.stream(of_reference(TEXT), "")
        seen.add(stream.stream_id)
        frames = await read_out(stream)
        same(f"the pieces of stream {number}", put_together(frames[:-1]), TEXT)
    same("how many stream_ids there are", len(seen), 3)
