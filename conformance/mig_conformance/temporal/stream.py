"""Streams that share a connection, end, are free again, or are left [MIG-STR]."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from mig_conformance.checks.expectation import compare
from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.frames import read_out
from mig_conformance.drivers.port import Frames, JsonObject
from mig_conformance.flaws import ClosedError, UncheckedError, same
from mig_conformance.temporal.reference import has_echo, of_reference
from mig_conformance.temporal.running import LONG_MS, counted, request

# Often enough to meet a server that frees the id a moment too late, or takes it away from the next stream.
_AGAIN = 25
_SIZES_MIB = (1, 8, 62)


async def terminal_frame(trial: Trial) -> None:
    """One stream after the other under one id: each has its own frames, up to its terminal one."""
    stream_id = f"s-{trial.new_id()}"
    if trial.binding == "nats":
        for number in range(_AGAIN):
            stream = await trial.stream(_numbered(stream_id, number), stream_id)
            _is_numbered(await read_out(stream), stream_id, number)
        return
    connection = await trial.connect()
    try:
        for number in range(_AGAIN):
            frame = {"kind": "request", "stream_id": stream_id, "end_stream": True}
            await connection.send({**frame, **_numbered(stream_id, number)})
            _is_numbered(await connection.until_end(stream_id), stream_id, number)
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


async def large_frame(trial: Trial) -> None:
    """Larger and larger ones until the server has had enough; what it takes is answered."""
    for size in _SIZES_MIB:
        connection = await trial.connect()
        try:
            with suppress(ClosedError):
                await connection.send(_of_size(size * 2**20))
            try:
                await connection.next()
            except ClosedError:
                return
            await connection.send(_of_size(0))
            await connection.until_end("s")
        except ClosedError:
            return
        finally:
            await connection.close()
    raise UncheckedError(f"the server takes frames of {_SIZES_MIB[-1]} MiB, and a larger one is not tried")


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


def _numbered(stream_id: str, number: int) -> JsonObject:
    return {**of_reference(f"number {number}"), "header": {"message_id": f"{stream_id}-{number}"}}


def _is_numbered(frames: list[JsonObject], stream_id: str, number: int) -> None:
    """None of them is of the stream before."""
    answered = {frame["header"]["message_id"] for frame in frames}
    same(f"what the frames of stream {number} answer", answered, {f"{stream_id}-{number}"})
    has_echo(frames, f"number {number}")


def _input(payload: JsonObject, *, end_stream: bool = False) -> JsonObject:
    return {"kind": "request", "stream_id": "s", "payload": payload, "end_stream": end_stream}


def _of_size(size: int) -> JsonObject:
    frame = {"kind": "request", "stream_id": "s", "end_stream": True, **of_reference("")}
    return {**frame, "header": {"meta": {"padding": "a" * size}}}
