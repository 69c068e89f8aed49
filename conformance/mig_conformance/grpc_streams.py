"""Does a running server take the golden frames and subscriptions over gRPC, and refuse the malformed ones?"""

from __future__ import annotations

import asyncio
from typing import Any

import grpc.aio
from grpc.aio import AioRpcError, Channel

from mig_conformance.frames import Frame, answered, frame_flaws
from mig_conformance.grpc_server import PATIENCE_S, as_json, metadata_for, refusal_flaws, request_bytes
from mig_conformance.requests import TENANT, NotExpressibleError
from mig_conformance.vectors import Malformed, Valid, Vectors
from mig_conformance.verdict import Verdict
from mig_protocol import convert
from mig_protocol.grpc_service import RPCS
from mig_protocol.pb import mig_pb2 as pb

_RPCS = {rpc.operation: rpc for rpc in RPCS}
_EOF: Any = vars(grpc.aio)["EOF"]  # the stubs do not know it


async def judge_grpc_frames(vectors: Vectors, channel: Channel) -> list[Verdict]:
    """One verdict for each row of RequestFrame, all over one call, which every refusal leaves open."""
    raw: Any = channel
    call = raw.stream_stream(_RPCS["STREAM"].path)(metadata=(("x-tenant-id", TENANT),))
    verdicts = [await _frame(vectors, row, call) for row in vectors.to_send]
    await call.done_writing()
    call.cancel()
    return verdicts


async def judge_grpc_subscriptions(vectors: Vectors, channel: Channel) -> list[Verdict]:
    """One verdict for each row of SubscribeRequest: an open stream gives what is published then."""
    return [await _subscription(vectors, row, channel) for row in vectors.to_send]


async def _frame(vectors: Vectors, row: Valid | Malformed, call: Any) -> Verdict:
    try:
        request = request_bytes(_RPCS["STREAM"], row)
    except NotExpressibleError as reason:
        return Verdict(vectors.message, row.name, skipped=str(reason))

    async def receive() -> Frame | str:
        data = await call.read()
        if data is _EOF:
            return "the call was ended instead of an answer"
        frame: Frame = as_json(convert.stream_frame_from_pb(pb.StreamFrame.FromString(data)))
        return frame

    try:
        async with asyncio.timeout(PATIENCE_S):
            await call.write(request)
            frames = await answered(receive)
    except (AioRpcError, TimeoutError, asyncio.InvalidStateError) as error:
        return Verdict(vectors.message, row.name, (f"the call broke: {error!r}"[:300],))
    flaws = [frames] if isinstance(frames, str) else frame_flaws(row, frames)
    return Verdict(vectors.message, row.name, tuple(flaws))


async def _subscription(vectors: Vectors, row: Valid | Malformed, channel: Channel) -> Verdict:
    rpc = _RPCS["SUBSCRIBE"]
    try:
        request = request_bytes(rpc, row)
    except NotExpressibleError as reason:
        return Verdict(vectors.message, row.name, skipped=str(reason))
    raw: Any = channel
    call = raw.unary_stream(rpc.path)(request, metadata=metadata_for(row))
    try:
        async with asyncio.timeout(PATIENCE_S):
            flaws = await _followed(row, pb.SubscribeRequest.FromString(request).topic, call, raw)
    except AioRpcError as error:
        if isinstance(row, Malformed):
            flaws = list(refusal_flaws(row, error))
        else:
            flaws = [f"refused: {error.details()}"]
    except TimeoutError:
        flaws = ["the event that was published then did not come"]
    call.cancel()
    return Verdict(vectors.message, row.name, tuple(flaws))


async def _followed(row: Valid | Malformed, topic: str, call: Any, channel: Any) -> list[str]:
    """Reads until an event comes that was published after the stream had been opened."""
    await call.initial_metadata()
    if isinstance(row, Malformed):
        return ["accepted"] if await call.read() is not _EOF else ["ended without an error"]
    publish = channel.unary_unary(_RPCS["PUBLISH"].path)
    request = pb.PublishRequest(topic=topic, payload={"published": row.name})
    ack = pb.PublishAck.FromString(
        await publish(request.SerializeToString(), metadata=(("x-tenant-id", TENANT),))
    )
    while (data := await call.read()) is not _EOF:
        if pb.EventMessage.FromString(data).event_id == ack.event_id:
            return []
    return ["the stream ended before the event that was published then"]
