"""Streams that share a connection, end, are free again, or are left [MIG-STR, MIG-STN]."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from mig_conformance.checks.expectation import compare
from mig_conformance.checks.trial import REFERENCE, SCRIPT, Trial
from mig_conformance.drivers.port import Frames, JsonObject, Stream
from mig_conformance.flaws import ClosedError, FlawError, UncheckedError, expect, same
from mig_conformance.temporal.running import LONG_MS, counted

# Often enough to meet a server that frees the id a moment too late, or takes it away from the next stream.
_AGAIN = 25
_SIZES_MIB = (1, 8, 62)
_PIECE_BYTES, _PIECES = 16_384, 200
_REPEATED = "the input that comes back in pieces, in their order"


def request(stream_id: str, *steps: Mapping[str, Any], end_stream: bool = True, **fields: Any) -> JsonObject:
    """The frame that starts the script on that stream."""
    payload = {"steps": list(steps)}
    frame = {"kind": "request", "stream_id": stream_id, "capability": SCRIPT, "payload": payload}
    return {**frame, "end_stream": end_stream, **fields}


async def terminal_frame(trial: Trial) -> None:
    """One stream after the other under one id: each has its own frames, up to its terminal one."""
    stream_id = f"s-{trial.new_id()}"
    if trial.binding == "nats":
        for number in range(_AGAIN):
            stream = await trial.stream(_of_reference(f"number {number}"), stream_id)
            _has_echo(await _rest(stream), f"number {number}")
        return
    connection = await trial.connect()
    try:
        for number in range(_AGAIN):
            frame = {"kind": "request", "stream_id": stream_id, "end_stream": True}
            await connection.send({**frame, **_of_reference(f"number {number}")})
            _has_echo(await connection.until_end(stream_id), f"number {number}")
    finally:
        await connection.close()


async def frames_of_input(trial: Trial) -> None:
    """Each frame of input is there when it is sent, and the capability ends when the input does."""
    connection = await trial.connect()
    try:
        await connection.send(request("s", {"take": 1}, {"take": "rest"}, end_stream=False))
        for number in range(3):
            await connection.send(_input({"n": number}))
            compare(
                {"kind": "response", "payload": {"input": {"n": number}}},
                await connection.next("s"),
                "what comes of it",
            )
        await connection.send(_input({"n": 3}, end_stream=True))
        frames = await connection.until_end("s")
        compare([{"payload": {"input": {"n": 3}}}, {"payload": {"taken": 4}}], frames, "the last frames")
    finally:
        await connection.close()


async def cancel_by_stream(trial: Trial) -> None:
    """The stream that is named, and not the message that the payload names."""
    await _cancelled(trial, {"stream_id": "s", "payload": {"action": "cancel", "target_message_id": "other"}})


async def cancel_by_payload(trial: Trial) -> None:
    """The message that the payload names, and not that of the frame's own header."""
    target = trial.new_id()
    payload = {"action": "cancel", "target_message_id": target}
    await _cancelled(trial, {"payload": payload, "header": {"message_id": trial.new_id()}}, target)


async def cancel_by_header(trial: Trial) -> None:
    """The message of the frame's own header."""
    target = trial.new_id()
    await _cancelled(trial, {"payload": {"action": "cancel"}, "header": {"message_id": target}}, target)


async def many(trial: Trial) -> None:
    """Twenty answer while one waits for the last of them."""
    go = trial.new_id()
    connection = await trial.connect()
    try:
        await connection.send(request("waits", {"await_mark": {"key": go}}))
        names = [f"s{number}" for number in range(20)]
        for name in names:
            await connection.send(request(name, {"emit": {}}, {"read": name}))
        for name in reversed(names):
            frames = await connection.until_end(name)
            same(f"the streams of the frames on {name}", {frame["stream_id"] for frame in frames}, {name})
            same(f"the frames on {name}", len(frames), 2)
        await connection.send(request("goes", {"mark": go}))
        compare(
            {"kind": "response", "end_stream": True},
            (await connection.until_end("waits"))[-1],
            "what comes of it",
        )
    finally:
        await connection.close()


async def slow_reader(trial: Trial) -> None:
    """Three megabytes that nobody reads at first; another connection goes on meanwhile."""
    connection = await trial.connect()
    try:
        await connection.send(request("s", {"pieces": {"bytes": _PIECE_BYTES, "times": _PIECES}}))
        await asyncio.sleep(0.2)
        (await trial.script({"mark": trial.new_id()})).accepted()
        frames = await connection.until_end("s")
    finally:
        await connection.close()
    pieces = [frame["payload"] for frame in frames[:-1]]
    same("the pieces that came", [piece.get("index") for piece in pieces], list(range(_PIECES)))
    same("their sizes", {len(piece.get("filler", "")) for piece in pieces}, {_PIECE_BYTES})


async def large_frame(trial: Trial) -> None:
    """Larger and larger ones until the server has had enough; what it takes is answered."""
    for size in _SIZES_MIB:
        connection = await trial.connect()
        try:
            with suppress(ClosedError):
                await connection.send(_frame_of(size * 2**20))
            try:
                await connection.next()
            except ClosedError:
                return
            await connection.send(request("after"))
            await connection.until_end("after")
        except ClosedError:
            return
        finally:
            await connection.close()
    raise UncheckedError(f"the server takes frames of {_SIZES_MIB[-1]} MiB, and a larger one is not tried")


async def reference(trial: Trial) -> None:
    """Whatever the pieces are called, their texts are the input's."""
    frames = await _rest(await trial.stream(_of_reference(_REPEATED)))
    expect(len(frames) > 1, "the input did not come back in pieces")
    same("the kinds of the frames", {frame["kind"] for frame in frames}, {"response"})
    ends = [frame["end_stream"] for frame in frames]
    same("end_stream of the frames", ends, [False] * (len(frames) - 1) + [True])
    same("the pieces put together", _put_together(frames[:-1]), _REPEATED)
    _has_echo(frames, _REPEATED)


async def connection_closes(trial: Trial) -> None:
    """Two streams at once, one of which was sending."""
    stopped = [trial.new_id(), trial.new_id()]
    connection = await trial.connect()
    waits: list[JsonObject] = [{"wait_ms": LONG_MS}, {"await_mark": {"key": "never"}}]
    for name, step in zip(stopped, waits, strict=True):
        await connection.send(request(name, {"mark_on_stop": name}, {"emit": {}}, step))
        await connection.next(name)
    await connection.close()
    for name in stopped:
        await counted(trial, name)


async def server_goes_away(trial: Trial) -> None:
    """It is restarted while a stream waits."""
    connection = await trial.connect()
    try:
        await connection.send(request("s", {"emit": {}}, {"wait_ms": LONG_MS}))
        await connection.next("s")
        restarting = asyncio.create_task(trial.restart())
        try:
            last = (await connection.until_end("s"))[-1]
        finally:
            await restarting
    finally:
        await connection.close()
    compare({"kind": "error", "end_stream": True}, last, "the terminal frame")


async def accepted(trial: Trial) -> None:
    """The answer comes while the work is still running."""
    stream = await trial.stream(_of_reference("hello"))
    answer = stream.accepted
    if answer is None:
        raise FlawError("the request was not answered before its frames")
    compare({"capability": REFERENCE, "stream_id": stream.stream_id}, answer.message, "the answer")
    expect(stream.stream_id, "the stream_id of the answer is empty")
    _has_echo(await _rest(stream), "hello")


async def caller_chosen_id(trial: Trial) -> None:
    """In the answer, in the frames and in the subject on which they come."""
    chosen = f"chosen-{trial.new_id()}"
    stream = await trial.stream(_of_reference("hello"), chosen)
    compare({"stream_id": chosen}, stream.accepted.message if stream.accepted else None, "the answer")
    frames = await _rest(stream)
    same("the streams of the frames", {frame["stream_id"] for frame in frames}, {chosen})
    _has_echo(frames, "hello")


async def server_chosen_id(trial: Trial) -> None:
    """A different one each time; every frame is there, though nobody could subscribe before the answer."""
    seen = set()
    for number in range(3):
        stream = await trial.stream(_of_reference(_REPEATED))
        seen.add(stream.stream_id)
        frames = await _rest(stream)
        same(f"the pieces of stream {number}", _put_together(frames[:-1]), _REPEATED)
    same("how many stream_ids there are", len(seen), 3)


async def _cancelled(trial: Trial, frame: JsonObject, message_id: str | None = None) -> None:
    """The script on stream s is stopped by that control frame, which is answered."""
    stopped = trial.new_id()
    steps: list[JsonObject] = [{"mark_on_stop": stopped}, {"emit": {}}, {"wait_ms": LONG_MS}]
    begins = request("s", *steps, header={"message_id": message_id or trial.new_id()})
    connection = await trial.connect()
    try:
        await connection.send(begins)
        await connection.next("s")
        await connection.send({"kind": "control", **frame})
        await _answered_and_ended(connection)
    finally:
        await connection.close()
    await counted(trial, stopped)


async def _answered_and_ended(connection: Frames) -> None:
    """The answer to the cancel and the stream's own end, in either order."""
    two = [await connection.next(), await connection.next()]
    control = [frame for frame in two if frame["kind"] == "control"]
    ended = [frame for frame in two if frame["kind"] == "error"]
    wanted = {"end_stream": True, "payload": {"accepted": True, "status": "cancelled"}}
    compare([wanted], control, "the answer to the cancel")
    error = {"code": "MIG_TIMEOUT", "retryable": False, "details": {"cancelled": True}}
    compare([{"stream_id": "s", "end_stream": True, "error": error}], ended, "the end of the stream")


def _input(payload: JsonObject, *, end_stream: bool = False) -> JsonObject:
    return {"kind": "request", "stream_id": "s", "payload": payload, "end_stream": end_stream}


def _frame_of(size: int) -> JsonObject:
    return request("large", {"read": "x"}, header={"meta": {"padding": "a" * size}})


def _of_reference(text: str) -> JsonObject:
    return {"capability": REFERENCE, "payload": {"input": text}}


async def _rest(stream: Stream) -> list[JsonObject]:
    try:
        return await stream.rest()
    finally:
        await stream.close()


def _put_together(pieces: list[JsonObject]) -> str:
    return "".join(text for frame in pieces for text in frame["payload"].values() if isinstance(text, str))


def _has_echo(frames: list[JsonObject], text: str) -> None:
    payload = {"result": "ok", "echo": {"input": text}, "capability": REFERENCE}
    compare({"kind": "response", "end_stream": True, "payload": payload}, frames[-1], "the terminal frame")
