"""Streamed invocations over NATS: accepted on the reply subject, frames on a subject of their own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from mig_protocol import codec, subjects
from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    FrameKind,
    InvokeRequest,
    MessageHeader,
    MigErrorCode,
    StreamAccepted,
    StreamFrame,
)
from mig_protocol.nats_server import header_fields
from migd.bindings.nats.link import NatsLink
from migd.bindings.nats.request import NatsRequest
from migd.bindings.nats.sending import Sender
from migd.core.call import Call
from migd.core.gateway import Gateway

_INTEREST_S = 0.25
_ASK_AGAIN_S = 0.01
_log = logging.getLogger("migd.nats")


class Streams:
    """The streams of this gateway, by tenant and stream_id."""

    def __init__(self, gateway: Gateway, link: NatsLink, sender: Sender, new_id: Callable[[], str]) -> None:
        self._gateway = gateway
        self._link = link
        self._sender = sender
        self._new_id = new_id
        self._open: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, call: Call, asked: NatsRequest, request: InvokeRequest) -> StreamAccepted:
        """Begin the invocation. Its first frame waits for `asked.answered`. Raises MigFault for a refusal."""
        chosen = asked.stream_id
        if chosen is not None:
            self._check_free(subjects.stream(asked.tenant, chosen), chosen)
        accepted: asyncio.Future[StreamAccepted] = asyncio.get_running_loop().create_future()
        stream = _Stream(asked, self._link.connections, interest_is_sure=chosen is not None)

        def told(header: MessageHeader) -> str:
            stream_id = chosen or self._pick(asked.tenant, header.message_id)
            stream.subject = subjects.stream(asked.tenant, stream_id)
            self._check_free(stream.subject, stream_id)
            self._open.add(stream.subject)
            accepted.set_result(
                StreamAccepted(header=header, capability=asked.parameter, stream_id=stream_id)
            )
            return stream_id

        task = asyncio.create_task(self._run(stream, call, request, told, accepted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await accepted

    async def ended(self) -> None:
        """Returns when every stream has had its terminal frame."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(
        self,
        stream: _Stream,
        call: Call,
        request: InvokeRequest,
        told: Callable[[MessageHeader], str],
        accepted: asyncio.Future[StreamAccepted],
    ) -> None:
        async def send(frame: StreamFrame) -> None:
            await self._send(stream, frame)

        try:
            await self._gateway.stream(call, request, told, send)
        except Exception as error:
            if accepted.done():
                _log.exception("a stream could not be ended")
            else:
                accepted.set_exception(error)
        finally:
            self._open.discard(stream.subject)

    async def _send(self, stream: _Stream, frame: StreamFrame) -> None:
        await stream.answered.wait()
        if frame.kind is not FrameKind.error and stream.connections != self._link.connections:
            # What was on its way then is lost, and a stream with a hole in it would look whole.
            raise MigFault(MigErrorCode.MIG_UNAVAILABLE, "the connection to NATS was lost during the stream")
        fields, body = header_fields(frame.header), codec.encode(frame)
        if (oversize := self._sender.oversize(fields, body)) is not None:
            raise oversize
        if not stream.interest_is_sure:
            stream.interest_is_sure = True
            if await self._sent_to_somebody(stream.subject, fields, body):
                return
        await self._sender.send(stream.subject, fields, body)

    async def _sent_to_somebody(self, subject: str, fields: dict[str, str], body: bytes) -> bool:
        """Wait, briefly, for the caller to subscribe to a stream whose name it has only just been told."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _INTEREST_S
        while await self._sender.nobody_listens(subject, fields, body):
            if loop.time() > until:
                return False
            await asyncio.sleep(_ASK_AGAIN_S)
        return True

    def _pick(self, tenant: str, message_id: str) -> str:
        """The name that a stream has on the other bindings, where that makes a subject nobody uses."""
        stream_id = f"stream-{message_id}"
        try:
            return stream_id if subjects.stream(tenant, stream_id) not in self._open else self._fresh()
        except MigFault:
            return self._fresh()

    def _fresh(self) -> str:
        return f"stream-{self._new_id()}"

    def _check_free(self, subject: str, stream_id: str) -> None:
        if subject in self._open:
            raise MigFault(MigErrorCode.MIG_INVALID_REQUEST, f"stream_id {stream_id} is in use")


class _Stream:
    """One stream that was asked for. `subject` is "" until it is accepted."""

    def __init__(self, asked: NatsRequest, connections: int, *, interest_is_sure: bool) -> None:
        self.subject = ""
        self.connections = connections
        self.interest_is_sure = interest_is_sure
        self.answered = asyncio.Event()
        asked.answered = self.answered.set
