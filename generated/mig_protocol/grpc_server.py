# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""The gRPC server stub: an exchange and its bytes in, bytes or a status out. It knows no gRPC library.

Where the service answers with a plain value nothing here awaits, so the whole of a unary call is one call.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from inspect import isawaitable
from typing import Any, NamedTuple

from mig_protocol.carried import fill_header
from mig_protocol.errors import ERRORS, MigFault, fault_of
from mig_protocol.grpc_exchange import GrpcExchange
from mig_protocol.grpc_service import RPCS, GrpcDuplex, GrpcService, Rpc
from mig_protocol.grpc_status import DETAILS_KEY, status_details, status_message
from mig_protocol.messages import MigErrorCode

__all__ = ["RPCS", "GrpcDuplex", "GrpcExchange", "GrpcService", "GrpcStatus", "GrpcStub", "Rpc"]

Ask = Callable[[GrpcExchange, bytes], bytes | Awaitable[bytes]]


class GrpcStatus(NamedTuple):
    """How a call ends that was refused or failed: the status code's number, its message, and the trailing
    metadata.
    """

    code: int
    message: str
    metadata: tuple[tuple[str, str | bytes], ...]


class GrpcStub:
    """Decodes, calls the service, encodes. Refused are a request over `max_message_bytes` and a message of a
    duplex call over `max_frame_bytes`.
    """

    def __init__(self, service: GrpcService, *, max_message_bytes: int, max_frame_bytes: int) -> None:
        self._service = service
        self._max_message_bytes = max_message_bytes
        self._max_frame_bytes = max_frame_bytes

    def unary(self, rpc: Rpc) -> Ask:
        """What answers this RPC: the bytes of its response, or an awaitable of them. It raises."""
        call, read = getattr(self._service, rpc.method), self._reader(rpc)
        encode, response = rpc.encode, rpc.answer

        async def later(answer: Awaitable[Any]) -> bytes:
            return encode(await answer)

        def ask(exchange: GrpcExchange, data: bytes) -> bytes | Awaitable[bytes]:
            answer = call(exchange, read(exchange, data))
            return encode(answer) if type(answer) is response else later(answer)

        return ask

    async def items(self, rpc: Rpc, exchange: GrpcExchange, data: bytes) -> AsyncIterator[bytes]:
        """The responses of a server stream, to be closed with aclose() where it has one. It raises."""
        request = self._reader(rpc)(exchange, data)
        given = getattr(self._service, rpc.method)(exchange, request)
        items: AsyncIterator[bytes] = await given if isawaitable(given) else given
        return items

    async def relay(self, rpc: Rpc, exchange: GrpcExchange, messages: GrpcDuplex) -> None:
        """The whole of a duplex call. It raises."""
        if exchange.fields:
            exchange.read_carried()
        await getattr(self._service, rpc.method)(exchange, messages)

    def refuse(self, exchange: GrpcExchange, error: Exception) -> GrpcStatus:
        """The status for whatever was raised. The text of what is no MigFault stays out of it."""
        fault = fault_of(error)
        envelope = self._service.failed(exchange, fault)
        metadata: list[tuple[str, str | bytes]] = [(DETAILS_KEY, status_details(envelope))]
        row = ERRORS[fault.code]
        if row.retry_after:
            metadata.append(("retry-after", str(max(1, math.ceil(fault.retry_after_s or 1)))))
        return GrpcStatus(row.grpc_status, status_message(envelope.error), tuple(metadata))

    def check_frame(self, data: bytes) -> None:
        """Raises MigFault MIG_INVALID_REQUEST for a message of a duplex call that is over the limit."""
        if len(data) > self._max_frame_bytes:
            raise _too_large("frame", self._max_frame_bytes)

    def _reader(self, rpc: Rpc) -> Callable[[GrpcExchange, bytes], Any]:
        decode, most = rpc.decode, self._max_message_bytes

        def read(exchange: GrpcExchange, data: bytes) -> Any:
            if len(data) > most:
                raise _too_large("message", most)
            if exchange.fields:
                exchange.read_carried()
            request = decode(data)
            if exchange.carried is not None:
                fill_header(request, exchange.carried)
            # So that what is logged of a refusal from here on names the message that was sent.
            exchange.carried = request.header or None
            return request

        return read


def _too_large(what: str, most: int) -> MigFault:
    message = f"the {what} is larger than {most} bytes"
    return MigFault(MigErrorCode.MIG_INVALID_REQUEST, message, variant="too_large")
