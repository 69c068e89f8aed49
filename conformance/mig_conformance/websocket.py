"""Does a running server take the valid frames over the WebSocket, and refuse the malformed ones?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from mig_conformance import reference
from mig_conformance.http_requests import TENANT
from mig_conformance.http_server import error_flaws
from mig_conformance.vectors import Malformed, Valid, Vectors
from mig_conformance.verdict import Verdict

PATH = "/mig/v0.1/stream"
_PATIENCE_S = 10.0


async def judge_websocket(vectors: Vectors, session: ClientSession) -> list[Verdict]:
    """One verdict for each row of RequestFrame, all over one connection, which every refusal leaves open."""
    async with session.ws_connect(PATH, headers={"X-Tenant-ID": TENANT}) as socket:
        return [
            Verdict(vectors.message, row.name, tuple(await _judge(row, socket))) for row in vectors.to_send
        ]


async def _judge(row: Valid | Malformed, socket: ClientWebSocketResponse) -> list[str]:
    if socket.closed:
        return ["the connection was closed before this frame was sent"]
    await _send(row, socket)
    frames: list[dict[str, Any]] = []
    while not frames or not frames[-1]["end_stream"]:
        answer = await socket.receive(_PATIENCE_S)
        if answer.type is not WSMsgType.TEXT:
            return [f"the connection was closed ({answer.data}) instead of an answer"]
        frames.append(json.loads(answer.data))
        if not reference.accepts("StreamFrame", frames[-1]):
            return [f"answered with what is no StreamFrame: {answer.data[:300]}"]
    if isinstance(row, Malformed):
        return list(_refused(row, frames))
    return list(_accepted(row, frames))


async def _send(row: Valid | Malformed, socket: ClientWebSocketResponse) -> None:
    try:
        await socket.send_str(row.body.decode())
    except UnicodeDecodeError:
        await socket.send_bytes(row.body)


def _accepted(row: Valid, frames: list[dict[str, Any]]) -> Iterator[str]:
    answers = {"request": "response", "control": "control"}[row.json["kind"]]
    for frame in frames:
        if frame["kind"] != answers:
            yield f"answered with a frame of kind {frame['kind']}, not {answers}: {frame}"
        if row.json.get("stream_id") and frame["stream_id"] != row.json["stream_id"]:
            yield f"answered on the stream {frame['stream_id']}"


def _refused(row: Malformed, frames: list[dict[str, Any]]) -> Iterator[str]:
    if len(frames) != 1 or frames[0]["kind"] != "error":
        yield f"answered with {frames}, not with one error frame"
        return
    yield from error_flaws(row, frames[0]["error"])
