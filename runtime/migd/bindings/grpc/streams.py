"""Stream frames over StreamInvoke (protocol section 4)."""

from __future__ import annotations

import asyncio

import msgspec
from google.protobuf.message import DecodeError

from mig_protocol.carried import fill_header
from mig_protocol.errors import MigFault
from mig_protocol.grpc_server import GrpcDuplex
from mig_protocol.grpc_service import RPCS
from mig_protocol.messages import ConnectionKind, MigErrorCode, RequestHeader, StreamFrame, StreamId
from migd.bindings.grpc.json_size import most_json_bytes
from migd.core.call import Call
from migd.core.gateway import Gateway
from migd.core.sessions import StreamSession

_RPC = next(rpc for rpc in RPCS if rpc.operation == "STREAM")


class FrameStreams:
    """One session of the gateway for each StreamInvoke call."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._relays: set[asyncio.Task[None]] = set()

    async def serve(self, call: Call, carried: RequestHeader | None, messages: GrpcDuplex) -> None:
        """Runs as long as the call does; its work has ended when this returns.

        `carried` is what the call's metadata says of every frame's header. Raises MigFault MIG_UNAVAILABLE
        when the gateway goes down.
        """

        async def send(frame: StreamFrame) -> None:
            await messages.send(_RPC.encode(frame))

        session = self._gateway.open_session(call, send, ConnectionKind.stream_invoke)
        relay = asyncio.create_task(_relay(messages, session, carried))
        self._relays.add(relay)
        try:
            await asyncio.wait({relay})
        finally:
            self._relays.discard(relay)
            relay.cancel()
            await asyncio.wait({relay})
            await session.close()
        if relay.cancelled():
            raise MigFault(MigErrorCode.MIG_UNAVAILABLE, "the gateway is going down")
        relay.result()

    def end(self) -> None:
        """End every call; what still ran on it is stopped."""
        for relay in self._relays:
            relay.cancel()


async def _relay(messages: GrpcDuplex, session: StreamSession, carried: RequestHeader | None) -> None:
    while (data := await messages.receive()) is not None:
        try:
            frame = _RPC.decode(data)
        except MigFault as fault:
            await session.refuse(fault, _name_in(data))
            continue
        if carried is not None:
            fill_header(frame, carried)
        await session.receive(frame, most_json_bytes(len(data)))
    await session.finish()


def _name_in(data: bytes) -> str:
    """The stream that a frame means which is not valid, if it still says so."""
    try:
        named = _RPC.request_type.FromString(data).stream_id
        return str(msgspec.convert(named, StreamId))
    except (DecodeError, msgspec.ValidationError):
        return ""
