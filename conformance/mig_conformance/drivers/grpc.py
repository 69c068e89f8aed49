"""gRPC: bytes by grpc.aio, messages by betterproto2, which shares nothing with a server's stubs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from grpc import StatusCode, aio

from mig_conformance.drivers.absent import Absent
from mig_conformance.drivers.frames import begun
from mig_conformance.drivers.grpc_events import GrpcSubscription
from mig_conformance.drivers.grpc_frames import GrpcFrames
from mig_conformance.drivers.grpc_status import Ending, ending_of, joined, refused
from mig_conformance.drivers.port import Answer, Ask, BindingName, Caller, NotOnBindingError, Stream
from mig_conformance.drivers.protobuf_json import decoded, encoded
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.flaws import SilentError
from mig_protocol.operations import OPERATIONS, Operation

OPTIONS = (
    ("grpc.max_receive_message_length", 64 * 2**20),
    ("grpc.max_send_message_length", -1),
    ("grpc.absolute_max_metadata_size", 2**20),
    # A connection of its own for every channel: those of one process to one address would share theirs.
    ("grpc.use_local_subchannel_pool", 1),
)
"""Of the channels that drivers are given."""

_NOTHING: Mapping[str, str] = {}
_OPERATIONS = {operation.id: operation for operation in OPERATIONS if operation.rpc is not None}


class GrpcDriver(Absent):
    """`channel` leads to the server. No call has a deadline of gRPC's own, which servers hear of."""

    binding: BindingName = "grpc"

    def __init__(self, channel: aio.Channel, transcript: Transcript, *, patience_s: float) -> None:
        self._channel: Any = channel  # the stubs want serializers, and bytes need none
        self._transcript = transcript
        self._patience_s = patience_s

    async def call(self, ask: Ask) -> Answer:
        """A unary RPC. Raises UnreachableError where nobody listens, FlawError when no answer comes in time
        or a status has no MigError.
        """
        operation = _operation(ask, "unary")
        call = self._channel.unary_unary(operation.rpc)(
            self._request(operation, ask), metadata=metadata_of(ask.caller, ask.carried)
        )
        try:
            async with asyncio.timeout(self._patience_s):
                data = await call
                metadata = joined(await call.initial_metadata(), await call.trailing_metadata())
        except TimeoutError:
            raise SilentError(f"no answer to {ask.operation} within {self._patience_s:g} seconds") from None
        except aio.AioRpcError as error:
            return refused(ending_of(error), self._channel, self._transcript)
        return self._read(operation, data, Ending(StatusCode.OK, "", metadata))

    def _request(self, operation: Operation, ask: Ask) -> bytes:
        self._transcript.sent(ask.operation, ask.message if ask.body is None else ask.body)
        if ask.body is not None:
            return ask.body
        return encoded(_name(operation.request), _with_path(operation, ask))

    def _read(self, operation: Operation, data: bytes, ending: Ending) -> Answer:
        name = _name(operation.response)
        message = decoded(name, data)
        self._transcript.received("gRPC OK", message, name)
        return Answer(
            message=message, header=message.get("header"), status=ending.code.name, fields=ending.fields()
        )

    async def stream(self, ask: Ask, stream_id: str = "") -> Stream:
        """On a call of its own. Raises RefusedError where it is refused before its first frame has left."""
        return await begun(await self.connect(ask.caller, ask.carried), ask, stream_id)

    async def connect(self, caller: Caller, carried: Mapping[str, str] = _NOTHING) -> GrpcFrames:
        """A StreamInvoke call. There is no handshake to refuse: RefusedError comes with its first answer."""
        method = self._channel.stream_stream(_OPERATIONS["STREAM"].rpc)
        open_call = partial(method, metadata=metadata_of(caller, carried))
        return GrpcFrames(open_call, self._channel, self._transcript, self._patience_s)

    async def subscribe(self, ask: Ask) -> GrpcSubscription:
        """See GrpcSubscription.open."""
        operation = _operation(ask, "server_stream")
        call = self._channel.unary_stream(operation.rpc)(
            self._request(operation, ask), metadata=metadata_of(ask.caller, ask.carried)
        )
        subscription = GrpcSubscription(call, self._channel, self._transcript, self._patience_s)
        await subscription.open()
        return subscription


def metadata_of(caller: Caller, carried: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What a call carries, with the fields that say who asks."""
    fields = {} if caller.tenant is None else {"x-tenant-id": caller.tenant}
    if caller.token is not None:
        fields["authorization"] = f"Bearer {caller.token}"
    return tuple({**fields, **{name.lower(): value for name, value in carried.items()}}.items())


def _operation(ask: Ask, shape: str) -> Operation:
    operation = _OPERATIONS.get(ask.operation)
    if operation is None or operation.shape != shape:
        raise NotOnBindingError(f"{ask.operation} is no {shape} operation of gRPC")
    return operation


def _with_path(operation: Operation, ask: Ask) -> Mapping[str, Any]:
    # There is no path: what it would have named stands in the message.
    named = {operation.path_fields[name]: value for name, value in ask.path.items()}
    for field, value in named.items():
        if ask.message.get(field, value) != value:
            raise NotOnBindingError(f"gRPC has no path that could say another {field} than the message")
    return {**ask.message, **named}


def _name(kind: type | None) -> str:
    # The JSON types of requests that have another schema are one message with those of answers.
    return "" if kind is None else {"RequestFrame": "StreamFrame"}.get(kind.__name__, kind.__name__)
