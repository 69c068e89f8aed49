"""gRPC calls as calls of the gateway (protocol section 2)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable

from msgspec import UNSET

from mig_protocol.errors import MigFault
from mig_protocol.grpc_server import GrpcDuplex, GrpcExchange, GrpcService
from mig_protocol.messages import (
    CancelAck,
    CancelRequest,
    ConnectionKind,
    DiscoverRequest,
    DiscoverResponse,
    ErrorEnvelope,
    HeartbeatAck,
    HeartbeatRequest,
    HelloRequest,
    HelloResponse,
    InvokeRequest,
    InvokeResponse,
    PublishAck,
    PublishRequest,
    SubscribeRequest,
)
from migd.bindings.grpc.events import EventStream
from migd.bindings.grpc.json_size import most_json_bytes
from migd.bindings.grpc.streams import FrameStreams
from migd.bindings.peer import grpc_peer
from migd.core.call import ANONYMOUS, Call, Principal
from migd.core.gateway import Gateway


class GrpcBinding(GrpcService):
    """The protocol's operations over gRPC; what is beside them is offered over HTTP only."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._authenticate = gateway.authenticate
        self._streams = FrameStreams(gateway)

    def hello(self, exchange: GrpcExchange, request: HelloRequest) -> HelloResponse:
        return self._gateway.hello(self._call(exchange), request)

    def discover(self, exchange: GrpcExchange, request: DiscoverRequest) -> DiscoverResponse:
        return self._gateway.discover(self._call(exchange), request)

    def invoke(
        self, exchange: GrpcExchange, request: InvokeRequest
    ) -> InvokeResponse | Awaitable[InvokeResponse]:
        return self._gateway.invoke(self._call(exchange), request)

    def stream(self, exchange: GrpcExchange, messages: GrpcDuplex) -> Awaitable[None]:
        return self._streams.serve(self._call(exchange), exchange.carried, messages)

    def publish(self, exchange: GrpcExchange, request: PublishRequest) -> Awaitable[PublishAck]:
        return self._gateway.publish(self._call(exchange), request)

    async def subscribe(self, exchange: GrpcExchange, request: SubscribeRequest) -> AsyncIterator[bytes]:
        """The position in the log is taken before the client gets its initial metadata."""
        kind = ConnectionKind.event_subscribe
        return EventStream(await self._gateway.subscribe(self._call(exchange), request, kind))

    def cancel(self, exchange: GrpcExchange, request: CancelRequest) -> Awaitable[CancelAck]:
        return self._gateway.cancel(self._call(exchange), request)

    def heartbeat(self, exchange: GrpcExchange, request: HeartbeatRequest) -> HeartbeatAck:
        return self._gateway.heartbeat(self._call(exchange), request)

    def failed(self, exchange: GrpcExchange, fault: MigFault) -> ErrorEnvelope:
        """Called once for every call that was refused or failed, whoever refused it."""
        call = _as_call(exchange, self._known_principal(exchange))
        return self._gateway.envelope(exchange.operation, fault, call, exchange.carried or UNSET)

    def end(self) -> None:
        """The gateway is going down and every stream has had its terminal frame: end what they were on."""
        self._streams.end()

    def _call(self, exchange: GrpcExchange) -> Call:
        return _as_call(exchange, self._authenticate(exchange.authorization))

    def _known_principal(self, exchange: GrpcExchange) -> Principal:
        try:
            return self._authenticate(exchange.authorization)
        except MigFault:
            return ANONYMOUS


def _as_call(exchange: GrpcExchange, principal: Principal) -> Call:
    return Call(
        principal=principal,
        binding="grpc",
        tenant=exchange.tenant,
        peer=grpc_peer(exchange.peer) if exchange.peer else "",
        wire_bytes=most_json_bytes(exchange.wire_bytes),
        time_left_s=exchange.time_left_s,
    )
