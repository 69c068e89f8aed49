"""Many streams over one connection (protocol section 4), whatever carries the frames.

Rules, in the order in which they decide for a frame that comes in:
1. control: "cancel" cancels and is answered; any other action is refused.
2. any other kind than request is refused.
3. request on a stream_id that is active: input, when the stream takes input; else refused.
4. request on a free stream_id: a new invocation.
A refusal about an active stream does not end that stream: its error frame has end_stream false.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    CancelRequest,
    CancelStatus,
    FrameKind,
    InvokeRequest,
    MessageHeader,
    MigErrorCode,
    RequestFrame,
    RequestHeader,
    StreamFrame,
)
from migd.core.admission import payload_of
from migd.core.call import Call
from migd.core.cancellation import Cancellation
from migd.core.clock import Clock
from migd.core.context import Context, Contexts
from migd.core.control_frames import cancellation_in
from migd.core.depth import check_depth
from migd.core.inputs import Inputs
from migd.core.invoker import Invoker
from migd.core.limits import Limits
from migd.core.provider import JsonObject

Send = Callable[[StreamFrame], Awaitable[None]]


class _Stream:
    """One active stream_id."""

    __slots__ = ("capability", "header", "inputs", "stream_id", "task")

    inputs: Inputs
    task: asyncio.Task[None]

    def __init__(self, stream_id: str, header: MessageHeader, capability: str | UnsetType) -> None:
        self.stream_id = stream_id
        self.header = header
        self.capability = capability


class StreamSession:
    """One connection's streams, each making progress on its own.

    `send` gives a frame to the transport and returns when there is room for more: a reader that does not
    keep up slows its own streams down, and nothing is queued for it here.
    """

    def __init__(
        self,
        *,
        call: Call,
        send: Send,
        contexts: Contexts,
        invoker: Invoker,
        cancellation: Cancellation,
        takes_input: Callable[[str], bool],
        answer_header: Callable[[str, MigFault, Call], MessageHeader],
        clock: Clock,
        limits: Limits,
        closed: Callable[[], None],
    ) -> None:
        self._call = call
        self._send = send
        self._contexts = contexts
        self._invoker = invoker
        self._cancellation = cancellation
        self._takes_input = takes_input
        self._answer_header = answer_header
        self._clock = clock
        self._limits = limits
        self._closed = closed
        self._streams: dict[str, _Stream] = {}
        self._sending = asyncio.Lock()

    async def receive(self, frame: RequestFrame, wire_bytes: int = 0) -> None:
        """Take one frame. What is wrong with it is told to the sender in an error frame, never raised."""
        try:
            if frame.kind is FrameKind.control:
                await self._control(frame)
            elif frame.kind is not FrameKind.request:
                raise _invalid(f"a client sends request and control frames, not {frame.kind.value}")
            elif frame.stream_id and frame.stream_id in self._streams:
                await self._input(self._streams[frame.stream_id], frame)
            else:
                self._start(frame, wire_bytes)
                # Let it begin, so that a cancel right behind it finds it running.
                await asyncio.sleep(0)
        except MigFault as fault:
            if fault.header is None:
                fault.header = self._contexts.tentative(self._call, frame.header)
            await self.refuse(fault, frame.stream_id or "")

    async def welcome(self, frame: RequestFrame) -> None:
        """Answer the frame that said who is there. Raises MigFault for one that names another's tenant."""
        header = self._header(frame.header)
        await self._emit(
            StreamFrame(
                header=header,
                stream_id=frame.stream_id or f"stream-{header.message_id}",
                kind=FrameKind.control,
                payload={"accepted": True, "status": "authenticated"},
                end_stream=True,
            )
        )

    async def refuse(self, fault: MigFault, stream_id: str = "", capability: str | UnsetType = UNSET) -> None:
        """Send the error frame of a refusal or failure; the connection stays up."""
        header = self._answer_header("STREAM", fault, self._call)
        active = self._streams.get(stream_id)
        await self._emit(
            StreamFrame(
                header=header,
                stream_id=stream_id or f"stream-{header.message_id}",
                capability=capability if active is None else active.capability,
                kind=FrameKind.error,
                end_stream=active is None,
                error=fault.error(),
            )
        )

    async def finish(self) -> None:
        """The client will send nothing more but still reads: let what runs come to its end."""
        for stream in list(self._streams.values()):
            stream.inputs.close()
        await self._ended()

    async def close(self) -> None:
        """The client is gone: its work is stopped, and has ended when this returns."""
        for stream in self._streams.values():
            stream.task.cancel()
        await self._ended()
        self._closed()

    async def _ended(self) -> None:
        tasks = [stream.task for stream in self._streams.values()]
        if tasks:
            await asyncio.wait(tasks)

    def _start(self, frame: RequestFrame, wire_bytes: int) -> None:
        if len(self._streams) >= self._limits.max_streams_per_connection:
            limit = self._limits.max_streams_per_connection
            raise MigFault(
                MigErrorCode.MIG_BACKPRESSURE,
                f"this connection has its limit of {limit} streams",
                retry_after_s=1.0,
            )
        request = InvokeRequest(
            header=self._identified(frame.header),
            capability=frame.capability,
            payload=payload_of(frame.payload),
        )
        header = self._contexts.tentative(self._call, request.header)
        stream = _Stream(frame.stream_id or f"stream-{header.message_id}", header, frame.capability)
        if stream.stream_id in self._streams:
            raise _invalid(f"stream_id {stream.stream_id} is in use")
        stream.inputs = Inputs(
            limit=self._limits.max_stream_inputs,
            open=bool(frame.capability)
            and not frame.end_stream
            and self._takes_input(frame.capability or ""),
            signal=lambda action: self._emit_control(stream, action),
        )
        call = replace(self._call, wire_bytes=wire_bytes)
        self._streams[stream.stream_id] = stream
        stream.task = asyncio.create_task(self._run(stream, call, request))

    async def _run(self, stream: _Stream, call: Call, request: InvokeRequest) -> None:
        async def emit(payload: JsonObject) -> None:
            await self._respond(stream, payload, end_stream=False)

        def opened(context: Context) -> None:
            stream.header = self._contexts.respond(context)

        try:
            last = await self._invoker.stream(call, request, emit, stream.inputs.items(), opened)
            # Out of reach of CANCEL and of the deadline: a stream that succeeded has one terminal frame.
            self._free(stream)
            stream.header = last.header
            await self._respond(stream, last.payload, end_stream=True)
        except MigFault as fault:
            self._free(stream)
            await self.refuse(fault, stream.stream_id, stream.capability)
        finally:
            self._free(stream)

    def _free(self, stream: _Stream) -> None:
        # While its terminal frame is on its way, another stream may have taken the id [MIG-STR-006].
        if self._streams.get(stream.stream_id) is stream:
            del self._streams[stream.stream_id]

    async def _input(self, stream: _Stream, frame: RequestFrame) -> None:
        self._contexts.open(self._call, frame.header)
        if not stream.inputs.open:
            raise _invalid(f"stream {stream.stream_id} takes no more input")
        if frame.payload is not UNSET:
            check_depth("/payload", frame.payload, self._limits.max_depth)
            await stream.inputs.put(frame.payload)
        if frame.end_stream:
            stream.inputs.close()

    async def _control(self, frame: RequestFrame) -> None:
        asked = cancellation_in(frame)
        header = self._header(frame.header)
        accepted, status = False, CancelStatus.completed
        target = self._target(frame, asked)
        if target is not None:
            request = replace(asked, header=frame.header, target_message_id=target)
            ack = await self._cancellation.cancel(self._call, request)
            header, accepted, status = ack.header, ack.accepted, ack.status
        await self._emit(
            StreamFrame(
                header=header,
                stream_id=frame.stream_id or f"stream-{header.message_id}",
                kind=FrameKind.control,
                payload={"accepted": accepted, "status": status.value},
                end_stream=True,
            )
        )

    def _target(self, frame: RequestFrame, asked: CancelRequest) -> str | None:
        """The message id to cancel; None for a stream that is over."""
        if frame.stream_id and frame.stream_id in self._streams:
            return self._streams[frame.stream_id].header.message_id
        if asked.target_message_id or frame.stream_id:
            return asked.target_message_id or None
        if frame.header is UNSET or not frame.header.message_id:
            raise _invalid("cancel needs a stream_id, payload.target_message_id or header.message_id")
        return frame.header.message_id

    async def _emit_control(self, stream: _Stream, action: str) -> None:
        await self._emit(
            StreamFrame(
                header=replace(stream.header, timestamp=self._clock.now()),
                stream_id=stream.stream_id,
                capability=stream.capability,
                kind=FrameKind.control,
                payload={"action": action},
                end_stream=False,
            )
        )

    async def _respond(self, stream: _Stream, payload: JsonObject, *, end_stream: bool) -> None:
        await self._emit(
            StreamFrame(
                header=replace(stream.header, timestamp=self._clock.now()),
                stream_id=stream.stream_id,
                capability=stream.capability,
                kind=FrameKind.response,
                payload=payload,
                end_stream=end_stream,
            )
        )

    async def _emit(self, frame: StreamFrame) -> None:
        async with self._sending:
            await self._send(frame)

    def _identified(self, header: RequestHeader | UnsetType) -> RequestHeader:
        """The header with a message id, so that the stream can be named after it."""
        if header is UNSET:
            return RequestHeader(message_id=self._clock.new_id())
        return header if header.message_id else replace(header, message_id=self._clock.new_id())

    def _header(self, header: RequestHeader | UnsetType) -> MessageHeader:
        """The answer's header. Raises MigFault when the frame's own header is not acceptable."""
        return self._contexts.respond(self._contexts.open(self._call, header))


def _invalid(message: str) -> MigFault:
    return MigFault(MigErrorCode.MIG_INVALID_REQUEST, message)
