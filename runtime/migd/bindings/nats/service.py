"""NATS requests as calls of the gateway (protocol sections 2 and 6)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import cast

from msgspec import UNSET

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
    PublishAck,
    PublishRequest,
    StreamAccepted,
    StreamPreference,
)
from mig_protocol.nats_service import NatsExchange, NatsService
from migd.bindings.nats.request import NatsRequest
from migd.bindings.nats.streams import Streams
from migd.core.call import ANONYMOUS, Call, Principal
from migd.core.gateway import Gateway


class GatewayService(NatsService):
    """Translates, and decides nothing."""

    def __init__(self, gateway: Gateway, streams: Streams) -> None:
        self._gateway = gateway
        self._authenticate = gateway.authenticate
        self._streams = streams

    def hello(self, exchange: NatsExchange, request: HelloRequest) -> HelloResponse:
        return self._gateway.hello(self._call(exchange), request)

    def discover(self, exchange: NatsExchange, request: DiscoverRequest) -> DiscoverResponse:
        return self._gateway.discover(self._call(exchange), request)

    def invoke(
        self, exchange: NatsExchange, request: InvokeRequest
    ) -> InvokeResponse | Awaitable[InvokeResponse | StreamAccepted]:
        call = self._call(exchange)
        if request.stream_preference is StreamPreference.server_stream:
            return self._streams.open(call, cast(NatsRequest, exchange), request)
        return self._gateway.invoke(call, request)

    def publish(self, exchange: NatsExchange, request: PublishRequest) -> Awaitable[PublishAck]:
        return self._gateway.publish(self._call(exchange), request)

    def cancel(self, exchange: NatsExchange, request: CancelRequest) -> Awaitable[CancelAck | None]:
        return self._gateway.neighbours.cancel(self._call(exchange), request)

    def heartbeat(self, exchange: NatsExchange, request: HeartbeatRequest) -> HeartbeatAck:
        return self._gateway.heartbeat(self._call(exchange), request)

    def failed(self, exchange: NatsExchange, fault: MigFault) -> ErrorEnvelope:
        call = _as_call(exchange, self._known_principal(exchange))
        return self._gateway.envelope(exchange.operation, fault, call, exchange.carried or UNSET)

    def _call(self, exchange: NatsExchange) -> Call:
        return _as_call(exchange, self._authenticate(exchange.authorization))

    def _known_principal(self, exchange: NatsExchange) -> Principal:
        try:
            return self._authenticate(exchange.authorization)
        except MigFault:
            return ANONYMOUS


def _as_call(exchange: NatsExchange, principal: Principal) -> Call:
    return Call(
        principal=principal,
        binding="nats",
        tenant=exchange.tenant or None,
        wire_bytes=exchange.wire_bytes,
    )
