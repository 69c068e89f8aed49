"""The reference capability as a stream [MIG-REF-001]."""

from __future__ import annotations

from mig_conformance.checks.trial import REFERENCE, Trial
from mig_conformance.flaws import expect, same

_INPUT = "one two three, four five six"


async def streamed(trial: Trial) -> None:
    """Response frames with the input in pieces, then a terminal one with the payload of the unary answer."""
    payload = {"input": _INPUT}
    message = {"capability": REFERENCE, "payload": payload}
    unary = (await trial.call("INVOKE", message)).accepted()["payload"]
    stream = await trial.stream({**message, "stream_preference": "server_stream"})
    try:
        *pieces, last = await stream.rest()
    finally:
        await stream.close()
    expect(pieces, "the stream has one frame only, so the input does not come back in pieces")
    same("the kinds of the frames", {frame["kind"] for frame in (*pieces, last)}, {"response"})
    same("the payload of the terminal frame", last["payload"], unary)
