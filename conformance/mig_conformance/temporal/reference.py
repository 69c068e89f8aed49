"""The reference capability as a stream [MIG-REF-001, MIG-STR-016]."""

from __future__ import annotations

from mig_conformance.checks.expectation import compare
from mig_conformance.checks.trial import REFERENCE, Trial
from mig_conformance.drivers.frames import read_out
from mig_conformance.drivers.port import JsonObject
from mig_conformance.flaws import expect, same

TEXT = "one two three, four five six"
"""An input that is long enough for pieces."""


async def streamed(trial: Trial) -> None:
    """Response frames with the input in pieces, whatever their fields are called, then a terminal one with
    the payload of the unary answer.
    """
    message = of_reference(TEXT)
    unary = (await trial.call("INVOKE", message)).accepted()["payload"]
    frames = await read_out(await trial.stream({**message, "stream_preference": "server_stream"}))
    expect(len(frames) > 1, "the stream has one frame only, so the input does not come back in pieces")
    same("the kinds of the frames", {frame["kind"] for frame in frames}, {"response"})
    ends = [frame["end_stream"] for frame in frames]
    same("end_stream of the frames", ends, [False] * (len(frames) - 1) + [True])
    same("the pieces put together", put_together(frames[:-1]), TEXT)
    same("the payload of the terminal frame", frames[-1]["payload"], unary)


def of_reference(text: str) -> JsonObject:
    """The InvokeRequest with that input."""
    return {"capability": REFERENCE, "payload": {"input": text}}


def put_together(pieces: list[JsonObject]) -> str:
    """The texts in the payloads of frames."""
    return "".join(text for frame in pieces for text in frame["payload"].values() if isinstance(text, str))


def has_echo(frames: list[JsonObject], text: str) -> None:
    """Raises FlawError unless the last frame is the terminal one of that input."""
    payload = {"result": "ok", "echo": {"input": text}, "capability": REFERENCE}
    compare({"kind": "response", "end_stream": True, "payload": payload}, frames[-1], "the terminal frame")
