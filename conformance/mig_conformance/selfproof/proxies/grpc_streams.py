"""Calls with many messages through the gRPC proxy: subscriptions, and streams of frames."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from grpc import aio

from mig_conformance.drivers.grpc_events import settled
from mig_conformance.selfproof.passage import Passage
from mig_conformance.selfproof.proxies.frames import FramePassages
from mig_conformance.selfproof.proxies.grpc_call import ProxiedCall, never
from mig_conformance.selfproof.proxies.grpc_ending import Ending, ending_after, failed, forwarded
from mig_conformance.selfproof.proxies.grpc_messages import read

_ENDING_S = 0.2
_EOF: Any = aio.EOF  # type: ignore[attr-defined]


async def pass_subscription(here: ProxiedCall, raw: bytes) -> None:
    """One message in, many out."""
    asked = here.asked(raw)
    if not here.mutation.through(asked):
        await never()
    await asyncio.sleep(asked.delay_s)
    if asked.answer is not None:
        await here.in_its_place(asked)
        return
    call = here.channel.unary_stream(here.method.name)(
        here.request_bytes(asked), metadata=here.metadata(asked), timeout=here.context.time_remaining()
    )

    def event(raw: bytes) -> Passage:
        passage = here.passage("event", read(here.method.response, raw), raw)
        passage.request = asked
        return passage

    try:
        await _pass_out(here, call, asked, event)
    finally:
        call.cancel()


async def pass_frames(here: ProxiedCall) -> None:
    """Frames both ways."""
    opened = here.asked(b"")
    if not here.mutation.through(opened):
        await never()
    call = here.channel.stream_stream(here.method.name)(
        metadata=here.metadata(opened), timeout=here.context.time_remaining()
    )
    frames = FramePassages(opened, "grpc", here.scope)

    def frame(raw: bytes) -> Passage:
        return frames.from_server(read(here.method.response, raw), raw)

    asking = asyncio.create_task(_pass_in(here, call, frames))
    try:
        await _pass_out(here, call, opened, frame)
    finally:
        asking.cancel()
        call.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def _pass_in(here: ProxiedCall, call: Any, frames: FramePassages) -> None:
    while (raw := await here.context.read()) is not _EOF:
        for passage in here.mutation.through(frames.from_client(read(here.method.request, raw), raw)):
            if passage.answer is not None:
                await here.write(frames.answering(passage))
                continue
            await asyncio.sleep(passage.delay_s)
            await call.write(here.request_bytes(passage))
    await call.done_writing()


async def _pass_out(
    here: ProxiedCall, call: Any, request: Passage, passage_of: Callable[[bytes], Passage]
) -> None:
    """What the server says, to the end of the call."""
    await _open(here, call)
    while isinstance(said := await _next(call), bytes):
        await _write(here, here.mutation.through(passage_of(said)))
    await _write(here, here.mutation.left(here.scope))
    answer = here.answered(request, b"", said)
    here.mutation.through(answer)
    await here.end(ending_after(said, answer))


async def _write(here: ProxiedCall, passages: Iterable[Passage]) -> None:
    for passage in passages:
        await here.write(passage)


async def _next(call: Any) -> bytes | Ending:
    """The next message, or how the call ended."""
    try:
        raw = await call.read()
    except aio.AioRpcError as error:
        return failed(error)
    if raw is not _EOF:
        return bytes(raw)
    metadata = forwarded(await call.trailing_metadata())
    return Ending(code=await call.code(), text=await call.details() or "", metadata=metadata)


async def _open(here: ProxiedCall, call: Any) -> None:
    """Initial metadata say that a subscription has begun, also where there is nothing in them."""
    metadata = await call.initial_metadata()
    # The library takes a status that comes first for initial metadata.
    ended = asyncio.ensure_future(call.code())
    await settled(ended, within_s=_ENDING_S)
    if not ended.done():
        ended.cancel()
        async with here.writing:
            with suppress(aio.UsageError):  # they went with an answer that is the mutant's
                await here.context.send_initial_metadata(forwarded(metadata))
