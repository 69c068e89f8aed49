"""Does a running server take the valid frames over the WebSocket, and refuse the malformed ones?"""

from __future__ import annotations

import json

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from mig_conformance.frames import Frame, answered, frame_flaws
from mig_conformance.requests import TENANT
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

    async def receive() -> Frame | str:
        answer = await socket.receive(_PATIENCE_S)
        if answer.type is not WSMsgType.TEXT:
            return f"the connection was closed ({answer.data}) instead of an answer"
        frame: Frame = json.loads(answer.data)
        return frame

    frames = await answered(receive)
    return [frames] if isinstance(frames, str) else list(frame_flaws(row, frames))


async def _send(row: Valid | Malformed, socket: ClientWebSocketResponse) -> None:
    try:
        await socket.send_str(row.body.decode())
    except UnicodeDecodeError:
        await socket.send_bytes(row.body)
