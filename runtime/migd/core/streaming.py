"""A streamed invocation whose frames have a place of their own, so that no session is around it (protocol
section 4, NATS).

What is refused is refused before the invocation is accepted, and raised; what fails later is told by the
terminal error frame.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from mig_protocol.errors import MigFault
from mig_protocol.messages import FrameKind, InvokeRequest, InvokeResponse, MessageHeader, StreamFrame
from migd.core.call import Call
from migd.core.clock import Clock
from migd.core.context import Context, Contexts
from migd.core.invoker import Invoker
from migd.core.provider import NO_INPUTS, JsonObject

Send = Callable[[StreamFrame], Awaitable[None]]
Accepted = Callable[[MessageHeader], str]


class Streaming:
    """Runs invocations and makes frames of what they give."""

    def __init__(
        self,
        contexts: Contexts,
        invoker: Invoker,
        clock: Clock,
        answer_header: Callable[[str, MigFault, Call], MessageHeader],
    ) -> None:
        self._contexts = contexts
        self._invoker = invoker
        self._clock = clock
        self._answer_header = answer_header

    async def run(self, call: Call, request: InvokeRequest, accepted: Accepted, send: Send) -> None:
        """Returns when the terminal frame has been given to `send`.

        `accepted` is told the answer's header once nothing refuses the invocation any more, and gives the
        stream's id. `send` slows the stream down by taking its time; a MigFault that it raises ends the
        stream, and the error frame is given to it too. Raises MigFault for a refusal.
        """
        frames: _Frames | None = None

        def started(context: Context) -> None:
            nonlocal frames
            header = self._contexts.respond(context)
            frames = _Frames(accepted(header), header, request.capability, self._clock, send)

        async def emit(payload: JsonObject) -> None:
            if frames is not None:
                await frames.respond(payload, end_stream=False)

        try:
            last = await self._invoker.stream(call, request, emit, NO_INPUTS, started=started)
            if frames is not None:
                await frames.finish(last)
        except MigFault as fault:
            if frames is None:
                raise
            await frames.fail(fault, self._answer_header("STREAM", fault, call))


class _Frames:
    def __init__(
        self, stream_id: str, header: MessageHeader, capability: str | UnsetType, clock: Clock, send: Send
    ) -> None:
        self._stream_id = stream_id
        self._header = header
        self._capability = capability
        self._clock = clock
        self._send = send

    async def respond(self, payload: JsonObject, *, end_stream: bool) -> None:
        await self._send(
            StreamFrame(
                header=replace(self._header, timestamp=self._clock.now()),
                stream_id=self._stream_id,
                capability=self._capability,
                kind=FrameKind.response,
                payload=payload,
                end_stream=end_stream,
            )
        )

    async def finish(self, last: InvokeResponse) -> None:
        self._header = last.header
        await self.respond(last.payload, end_stream=True)

    async def fail(self, fault: MigFault, header: MessageHeader) -> None:
        await self._send(
            StreamFrame(
                header=header,
                stream_id=self._stream_id,
                capability=self._capability,
                kind=FrameKind.error,
                payload=UNSET,
                end_stream=True,
                error=fault.error(),
            )
        )
