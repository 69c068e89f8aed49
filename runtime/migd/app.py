"""A gateway put together from its settings: the one place that chooses every part."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, NoReturn

from jwt.warnings import InsecureKeyLengthWarning

from mig_protocol.asgi import AsgiAdapter
from mig_protocol.codec import encode
from mig_protocol.errors import MigFault
from mig_protocol.http_server import Exchange, HttpStub
from migd.bindings.http import HttpBinding, Scrape
from migd.bindings.websocket import WebSocketBinding
from migd.config import ConfigError, Settings
from migd.console import PAGES_PREFIXES, build_pages
from migd.core.audit import AuditSink
from migd.core.auth import Authenticator, JwtAuthenticator, OpenAuthenticator
from migd.core.catalog import Capability
from migd.core.clock import Clock, SystemClock
from migd.core.failpoints import UNARMED, Failpoint, Failpoints
from migd.core.gateway import Gateway, Parts
from migd.core.limits import Allowance, Identity, Limits
from migd.core.ports import Store
from migd.core.recorder import NullRecorder, Recorder
from migd.core.schema_bounds import SchemaBounds
from migd.data_dir import ELSEWHERE, data_dir
from migd.http_gate import HttpGate, gated
from migd.metrics import Metrics
from migd.origins import ANY, Origins
from migd.stores.audit_file import AuditFile
from migd.stores.memory import MemoryStore
from migd.stores.retention import Retention
from migd.stores.sqlite import SqliteStore, StoreError, StoreFolderError

if TYPE_CHECKING:
    from migd.bindings.grpc.service import GrpcBinding
    from migd.nats_side import NatsSide

_log = logging.getLogger("migd.app")
_HS256_KEY_BYTES = 32


class Application:
    """One gateway and its bindings. `start` it, serve `asgi` and `grpc`, then `drain` and `close` it. `grpc`
    is None where MIGD_GRPC_ADDR is not set.

    `tenants` are the limits of those that have some of their own, over what the settings say of each.
    Raises ConfigError when a setting turns out to be unusable, such as an audit file that can not be opened.
    """

    def __init__(
        self,
        settings: Settings,
        capabilities: Iterable[Capability],
        tenants: Mapping[str, Allowance] | None = None,
    ) -> None:
        self._settings = settings
        self._capabilities = tuple(capabilities)
        metrics = Metrics() if settings.enable_metrics else None
        self.nats = _nats(settings)
        parts = _parts(settings, metrics or NullRecorder(), tenants or {}, self.nats)
        self.gateway = Gateway(parts)
        if self.nats is not None:
            self.nats.serve(self.gateway, parts)
        if metrics is not None:
            if self.nats is not None:
                metrics.mirror = self.nats.mirror_state
            metrics.in_flight = self.gateway.in_flight
            metrics.audit_lost = self.gateway.audit_lost
            metrics.knows_capability = self.gateway.knows_capability
        self._websockets = WebSocketBinding(self.gateway)
        self.grpc = _grpc_binding(self.gateway) if settings.grpc_addr else None
        self.asgi = self._http(metrics)

    async def start(self) -> None:
        """Everything is ready to serve when this returns. Raises ConfigError for an unusable store."""
        try:
            await self.gateway.start(self._capabilities)
        except StoreFolderError as error:
            raise ConfigError(f"{error}; {ELSEWHERE}") from error
        except StoreError as error:
            raise ConfigError(str(error)) from error
        if self.nats is not None:
            await self.nats.start()

    def reopen(self) -> None:
        """What SIGHUP does: files that were moved away are let go of, and new ones begun in their place."""
        self.gateway.reopen_audit()

    async def drain(self) -> None:
        """Nothing new; what runs ends by itself or is failed, and every stream has its last frame."""
        if self.nats is not None:
            await self.nats.stop_taking()
        await self.gateway.drain(self._settings.shutdown_grace_s)
        await self._websockets.end()
        if self.grpc is not None:
            self.grpc.end()
        if self.nats is not None:
            await self.nats.finish()

    async def close(self) -> None:
        """Let go of everything."""
        if self.nats is not None:
            await self.nats.close()
        await self.gateway.close()

    def refuse(self, fault: MigFault) -> tuple[int, bytes]:
        """Status and ErrorEnvelope for bytes that never became a request."""
        return fault.http_status, encode(self.gateway.envelope("", fault, None))

    def _http(self, metrics: Metrics | None) -> HttpGate:
        settings, origins = self._settings, _origins(self._settings)
        binding = HttpBinding(self.gateway, _scraper(metrics) if metrics else None)
        adapter = AsgiAdapter(
            HttpStub(binding, max_body_bytes=settings.max_body_bytes),
            pages=build_pages(self.gateway, auth_mode=settings.auth_mode),
            pages_prefixes=PAGES_PREFIXES,
            websocket=gated(self._websockets.serve, origins),
            observe=_observer(metrics) if metrics else _observe_nothing,
            body_timeout_s=settings.body_timeout_s,
        )
        return HttpGate(adapter, origins)


def _origins(settings: Settings) -> Origins:
    """Without a token a page has nothing to show for itself, whatever the name it calls the gateway by."""
    hosts = settings.allowed_hosts
    if not hosts and settings.auth_mode != "none":
        hosts = (ANY,)
    return Origins(
        listed=frozenset(settings.cors_origins), hosts=frozenset({*hosts, socket.gethostname().lower()})
    )


def _nats(settings: Settings) -> NatsSide | None:
    if not settings.nats_url:
        return None
    # Its library is imported only where it is used: no start waits for it otherwise.
    from migd.nats_side import NatsSide

    return NatsSide(settings)


def _parts(
    settings: Settings, recorder: Recorder, tenants: Mapping[str, Allowance], nats: NatsSide | None
) -> Parts:
    clock = SystemClock()
    failpoints = _failpoints(settings.failpoint)
    return Parts(
        store=_store(settings, clock, failpoints),
        authenticator=_authenticator(settings),
        clock=clock,
        recorder=recorder,
        identity=Identity(
            server_id=settings.server_id,
            bindings=_bindings(settings, nats),
            metrics_enabled=settings.enable_metrics,
            nats_binding_active=nats.active if nats else bool,
        ),
        limits=_limits(settings, tenants),
        audit_sinks=_audit_sinks(settings, clock),
        audit_on_failure=settings.audit_on_failure,
        require_tenant_header=settings.require_tenant_header,
        health={"nats": nats.health} if nats else {},
        failpoints=failpoints,
    )


def _bindings(settings: Settings, nats: NatsSide | None) -> frozenset[str]:
    on = {"http": True, "grpc": settings.grpc_addr is not None, "nats": nats is not None and nats.serves}
    return frozenset(name for name, enabled in on.items() if enabled)


def _grpc_binding(gateway: Gateway) -> GrpcBinding:
    """protobuf is imported here: no start without gRPC waits for it."""
    from migd.bindings.grpc.service import GrpcBinding

    return GrpcBinding(gateway)


def _store(settings: Settings, clock: Clock, failpoints: Failpoints) -> Store:
    if settings.store == "memory":
        return MemoryStore(clock, _retention(settings))
    return SqliteStore(
        data_dir(settings, os.environ),
        clock,
        _retention(settings),
        synchronous=settings.sqlite_synchronous,
        failpoints=failpoints,
    )


def _failpoints(text: str) -> Failpoints:
    if not text:
        return UNARMED
    name, _, nth = text.partition(":")
    _log.warning("MIGD_FAILPOINT=%s: this gateway will kill itself there, which is for testing only", text)
    return Failpoints(Failpoint(name), int(nth or 1), _die)


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    # The signal is there before the call returns, to the calling thread or to another.
    while True:
        time.sleep(1)


def _authenticator(settings: Settings) -> Authenticator:
    if settings.auth_mode == "none":
        return OpenAuthenticator()
    if len(settings.jwt_hs256_secret.encode()) < _HS256_KEY_BYTES:
        _log.warning("MIGD_JWT_HS256_SECRET is shorter than the 32 bytes that HS256 asks for (RFC 7518, 3.2)")
        # Said once, here; PyJWT would say it for every token.
        warnings.filterwarnings("ignore", category=InsecureKeyLengthWarning)
    return JwtAuthenticator(settings.jwt_hs256_secret)


def _limits(settings: Settings, tenants: Mapping[str, Allowance]) -> Limits:
    return Limits(
        max_deadline_ms=settings.max_deadline_ms,
        max_concurrent_invocations=settings.max_concurrent_invocations,
        max_streams_per_connection=settings.max_streams_per_connection,
        max_connections=settings.max_connections,
        max_connections_per_tenant=settings.max_connections_per_tenant,
        idempotency_window_s=settings.idempotency_window_s,
        cancel_window_s=settings.cancel_window_s,
        heartbeat_min_ms=settings.heartbeat_min_ms,
        heartbeat_max_ms=settings.heartbeat_max_ms,
        sse_keepalive_s=settings.sse_keepalive_s,
        schema=SchemaBounds(
            max_bytes=settings.max_schema_bytes,
            max_parts=settings.max_schema_parts,
            max_patterns=settings.max_schema_patterns,
            max_steps=settings.max_schema_steps,
        ),
        tenant=Allowance(
            rate_per_s=settings.tenant_rate_per_s,
            burst=settings.tenant_rate_burst,
            concurrency=settings.tenant_concurrency,
        ),
        tenants=tenants,
    )


def _retention(settings: Settings) -> Retention:
    return Retention(
        events=settings.retention_events,
        bytes=settings.retention_bytes,
        age_s=settings.retention_age_s,
        topics=settings.max_topics_per_tenant,
        consumers=settings.max_consumers_per_tenant,
        consumer_window_s=settings.consumer_window_s,
        audit_records=settings.retention_audit_records,
    )


def _audit_sinks(settings: Settings, clock: Clock) -> tuple[AuditSink, ...]:
    if settings.audit_log_path is None:
        return ()
    path = str(settings.audit_log_path)
    try:
        return (AuditFile(settings.audit_log_path, clock),)
    except BlockingIOError as error:
        raise ConfigError(
            f"MIGD_AUDIT_LOG_PATH={path!r} is in use by another migd: give each gateway a file of its own"
        ) from error
    except OSError as error:
        raise ConfigError(f"MIGD_AUDIT_LOG_PATH={path!r} can not be written: {error.strerror}") from error


def _observer(metrics: Metrics) -> Callable[[Exchange, int, float], None]:
    request = metrics.request

    def observe(exchange: Exchange, status: int, seconds: float) -> None:
        request(exchange.method, exchange.route, status, seconds)

    return observe


def _observe_nothing(exchange: Exchange, status: int, seconds: float) -> None:
    """MIGD_ENABLE_METRICS=false."""


def _scraper(metrics: Metrics) -> Callable[[], Scrape]:
    """Prometheus' client is imported by the first scrape: no start waits for it."""

    def scrape() -> Scrape:
        from migd.exposition import Exposition

        return Exposition(metrics)

    return scrape
