"""What has to come back for one stream frame, whatever carries the frames (protocol section 4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from mig_conformance import reference
from mig_conformance.errors import error_flaws
from mig_conformance.vectors import Malformed, Valid

Frame = dict[str, Any]


async def answered(receive: Callable[[], Awaitable[Frame | str]]) -> list[Frame] | str:
    """The frames up to the terminal one; or the flaw, in words, where there was another answer.

    `receive` gives the next frame, or says what came in its place.
    """
    frames: list[Frame] = []
    while not frames or not frames[-1].get("end_stream"):
        frame = await receive()
        if isinstance(frame, str):
            return frame
        if not reference.accepts("StreamFrame", frame):
            return f"answered with what is no StreamFrame: {str(frame)[:300]}"
        frames.append(frame)
    return frames


def frame_flaws(row: Valid | Malformed, frames: list[Frame]) -> Iterator[str]:
    """What is wrong with the answer to the frame of that row."""
    if isinstance(row, Malformed):
        yield from _refused(row, frames)
    else:
        yield from _accepted(row, frames)


def _accepted(row: Valid, frames: list[Frame]) -> Iterator[str]:
    answers = {"request": "response", "control": "control"}[row.json["kind"]]
    for frame in frames:
        if frame["kind"] != answers:
            yield f"answered with a frame of kind {frame['kind']}, not {answers}: {frame}"
        if row.json.get("stream_id") and frame["stream_id"] != row.json["stream_id"]:
            yield f"answered on the stream {frame['stream_id']}"


def _refused(row: Malformed, frames: list[Frame]) -> Iterator[str]:
    if len(frames) != 1 or frames[0]["kind"] != "error":
        yield f"answered with {frames}, not with one error frame"
        return
    yield from error_flaws(row, frames[0]["error"])
