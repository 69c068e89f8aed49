"""A MIG server over NATS: the messages of `mig_protocol` out and in, by nats-py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec
from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from mig_conformance.flaws import FlawError, same
from mig_conformance.smoke.report import ServerGoneError
from mig_protocol import codec
from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    CancelAck,
    CancelRequest,
    DiscoverRequest,
    DiscoverResponse,
    ErrorEnvelope,
    HeartbeatAck,
    HeartbeatRequest,
    HelloRequest,
    HelloResponse,
    InvokeRequest,
    InvokeResponse,
    MessageHeader,
    PublishAck,
    PublishRequest,
    StreamAccepted,
    StreamFrame,
)
from mig_protocol.operations import HEADER_CARRIERS

M = TypeVar("M", bound=msgspec.Struct)
_ROOT = "mig.v0_1"


class NatsCalls:
    """Calls as `tenant`, named in the subject. See `calls.Calls` for what they raise.

    Every answer is also held to its NATS headers: they repeat its header's fields.
    """

    def __init__(self, client: Client, tenant: str, token: str | None, timeout_s: float) -> None:
        self._client = client
        self.tenant = tenant
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._timeout_s = timeout_s

    async def hello(self, request: HelloRequest) -> HelloResponse:
        return await self.ask(HelloResponse, "hello", request)

    async def discover(self, request: DiscoverRequest) -> DiscoverResponse:
        return await self.ask(DiscoverResponse, "discover", request)

    async def invoke(self, request: InvokeRequest) -> InvokeResponse:
        return await self.ask(InvokeResponse, f"invoke.{request.capability}", request)

    async def publish(self, request: PublishRequest) -> PublishAck:
        return await self.ask(PublishAck, f"events.{request.topic}", request)

    async def cancel(self, request: CancelRequest) -> CancelAck:
        return await self.ask(CancelAck, f"control.cancel.{request.target_message_id}", request)

    async def heartbeat(self, request: HeartbeatRequest) -> HeartbeatAck:
        return await self.ask(HeartbeatAck, "control.heartbeat", request)

    async def stream(self, request: InvokeRequest, stream_id: str = "") -> StreamAccepted:
        """Ask for a stream, of this name where it is given."""
        headers = {"stream_id": stream_id} if stream_id else {}
        return await self.ask(StreamAccepted, f"invoke.{request.capability}", request, headers)

    async def ask(
        self,
        answer: type[M],
        rest: str,
        request: msgspec.Struct | bytes,
        headers: Mapping[str, str] | None = None,
    ) -> M:
        """Ask on `mig.v0_1.{tenant}.{rest}`; bytes are sent as they are."""
        body = request if isinstance(request, bytes) else codec.encode(request)
        given = {**self._headers, **(headers or {})} or None
        subject = f"{_ROOT}.{self.tenant}.{rest}"
        try:
            message = await self._client.request(subject, body, self._timeout_s, headers=given)
        except errors.NoRespondersError:
            raise ServerGoneError(f"nobody serves {subject}; is the server connected to NATS?") from None
        except errors.TimeoutError:
            raise FlawError(f"no answer within {self._timeout_s:g} seconds") from None
        return _read(answer, message)

    async def send(self, rest: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send what is not to be answered, and let it arrive."""
        given = {**self._headers, **headers}
        await self._client.publish(f"{_ROOT}.{self.tenant}.{rest}", body, headers=given)
        await self._client.flush()

    @asynccontextmanager
    async def frames(self, stream_id: str) -> AsyncIterator[AsyncIterator[StreamFrame]]:
        """The frames of a stream, from now on to the terminal one."""
        subscription = await self._client.subscribe(f"{_ROOT}.{self.tenant}.stream.{stream_id}")
        await self._client.flush()
        try:
            yield _frames(subscription, self._timeout_s)
        finally:
            await subscription.unsubscribe()

    async def services(self, wait_s: float) -> list[Any]:
        """What answers to $SRV.INFO within so many seconds."""
        inbox = self._client.new_inbox()
        found: list[Any] = []

        async def receive(message: Msg) -> None:
            found.append(msgspec.json.decode(message.data))

        subscription = await self._client.subscribe(inbox, cb=receive)
        await self._client.publish("$SRV.INFO", reply=inbox)
        await asyncio.sleep(wait_s)
        await subscription.unsubscribe()
        return found


async def _frames(subscription: Any, timeout_s: float) -> AsyncIterator[StreamFrame]:
    while True:
        try:
            message = await subscription.next_msg(timeout_s)
        except errors.TimeoutError:
            raise FlawError(f"no further frame within {timeout_s:g} seconds") from None
        frame = _read(StreamFrame, message)
        yield frame
        if frame.end_stream:
            return


def _read(answer: type[M], message: Msg) -> M:
    """The answer. Raises MigFault when it is an error, FlawError when it is neither or has wrong headers."""
    refused = b'"error"' in message.data and answer is not StreamFrame
    try:
        read: Any = codec.decode(ErrorEnvelope if refused else answer, message.data)
    except MigFault as fault:
        raise FlawError(f"the answer is not valid: {fault.message}") from None
    same("the NATS headers", message.headers, _copied(read.header))
    if refused:
        raise MigFault.from_envelope(read)
    answered: M = read
    return answered


def _copied(header: MessageHeader) -> dict[str, str]:
    """What NATS headers repeat of a message's header [MIG-NAT-002]."""
    named = {carrier.nats: getattr(header, carrier.field) for carrier in HEADER_CARRIERS if carrier.nats}
    return {name: value for name, value in named.items() if value}
