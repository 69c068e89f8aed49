"""The gRPC server around the binding: grpc.aio, told when to begin and when to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from grpc import aio
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from mig_protocol.errors import MigFault
from mig_protocol.grpc_server import GrpcService, GrpcStub
from mig_protocol.messages import HealthStatus, MigErrorCode
from migd.grpc_acceptor import accepting_server
from migd.grpc_handlers import rpc_handlers, service_names
from migd.grpc_health import Health
from migd.listening import ListenError
from migd.setting_values import Address
from migd.tls import Pem, ServerTls

_INT32 = 2**31 - 1
_METADATA_BYTES = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcLimits:
    """Bounds of the listener. Sizes are bytes, times seconds; a call is one stream of HTTP/2.

    A `max_age_s` of 0 is no limit.
    """

    max_message_bytes: int
    max_frame_bytes: int
    max_calls_per_connection: int
    keepalive_s: float
    keepalive_timeout_s: float
    min_ping_interval_s: float
    idle_timeout_s: float
    max_age_s: float


class GrpcEdge:
    """Serves `service` at `address` from `start` until `going_down` has been left, over `tls` if any.

    Raises ListenError when it can not listen there.
    """

    def __init__(
        self,
        service: GrpcService,
        address: Address,
        *,
        readiness: Callable[[], HealthStatus],
        limits: GrpcLimits,
        tls: ServerTls | None = None,
    ) -> None:
        self._going_down = False
        self._health = Health(readiness, service_names())
        self._server = accepting_server(_options(limits))
        stub = GrpcStub(
            service, max_message_bytes=limits.max_message_bytes, max_frame_bytes=limits.max_frame_bytes
        )
        shows_certificates = tls is not None and tls.asks_clients
        self._server.add_generic_rpc_handlers(
            rpc_handlers(stub, self._admit, shows_certificates=shows_certificates)
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection(
            (*service_names(), health.SERVICE_NAME, reflection.SERVICE_NAME), self._server
        )
        self.address = _bound(self._server, address, tls)
        """Where it listens, as a client on this machine reaches it."""
        # Seconds for the last bytes of the last answers, once nothing is running any more.
        self.flush_s = 1.0

    async def start(self) -> None:
        """Calls are answered when this returns."""
        await self._server.start()
        self._following = asyncio.create_task(self._health.follow())

    @asynccontextmanager
    async def going_down(self) -> AsyncIterator[None]:
        """No new call is taken from here on; when the block ends, what is still open is closed."""
        # Refused here and not by the server: one that stops ends calls that it has not read yet as CANCELLED.
        self._going_down = True
        await self._health.enter_graceful_shutdown()
        try:
            yield
        finally:
            await self._server.stop(self.flush_s)
            self._following.cancel()

    def _admit(self) -> None:
        if self._going_down:
            raise MigFault(MigErrorCode.MIG_UNAVAILABLE, "the gateway is going down")


def _options(limits: GrpcLimits) -> list[tuple[str, int]]:
    largest = max(limits.max_message_bytes, limits.max_frame_bytes)
    # What is open on a connection of that age may end by itself; the client calls on a new one.
    age = [("grpc.max_connection_age_ms", int(limits.max_age_s * 1000))] if limits.max_age_s else []
    return [
        *age,
        ("grpc.max_connection_idle_ms", int(limits.idle_timeout_s * 1000)),
        # A second gateway on the port would get half of the connections, and nobody would be told.
        ("grpc.so_reuseport", 0),
        # Above MIG's own limits, so that the usual mistake is refused as MIG says; gRPC ends the rest unread.
        ("grpc.max_receive_message_length", min(2 * largest, _INT32)),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_metadata_size", _METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", _METADATA_BYTES),
        ("grpc.max_concurrent_streams", limits.max_calls_per_connection),
        ("grpc.keepalive_time_ms", int(limits.keepalive_s * 1000)),
        ("grpc.keepalive_timeout_ms", int(limits.keepalive_timeout_s * 1000)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", int(limits.min_ping_interval_s * 1000)),
    ]


def _bound(server: aio.Server, address: Address, tls: ServerTls | None) -> Address:
    host = "[::]" if not address.host else f"[{address.host}]" if ":" in address.host else address.host
    try:
        if tls is None:
            port = server.add_insecure_port(f"{host}:{address.port}")
        else:
            port = server.add_secure_port(f"{host}:{address.port}", _credentials(tls))
    except RuntimeError as error:
        raise ListenError(f"can not listen on {address} for gRPC (MIGD_GRPC_ADDR)") from error
    return Address(address.host or "127.0.0.1", port)


def _credentials(tls: ServerTls) -> grpc.ServerCredentials:
    """gRPC asks before each handshake whether there is another certificate by now."""
    told = tls.pem

    def newest() -> Any:
        nonlocal told
        if tls.pem is told:
            return None
        told = tls.pem
        return _configuration(told)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(told), newest, require_client_authentication=tls.asks_clients
    )


def _configuration(pem: Pem) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(pem.key, pem.certificate)], root_certificates=pem.client_ca
    )
