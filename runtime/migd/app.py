"""A gateway put together from its settings: the one place that chooses every part."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NoReturn

from mig_protocol.asgi import AsgiAdapter
from mig_protocol.codec import encode
from mig_protocol.errors import MigFault
from mig_protocol.http_server import HttpStub
from migd.auth_config import AuthConfig
from migd.authentication import build_authentication
from migd.bindings.http import HttpBinding
from migd.bindings.websocket import WebSocketBinding
from migd.config import ConfigError, Settings
from migd.conformance_fixture import WARNING, with_fixture
from migd.console import PAGES_PREFIXES, build_pages
from migd.core.audit import AuditSink
from migd.core.auth import Authenticator
from migd.core.catalog import Capability
from migd.core.clock import Clock, SystemClock
from migd.core.failpoints import UNARMED, Failpoint, Failpoints
from migd.core.gateway import Gateway, Parts
from migd.core.limits import Allowance, Identity, Limits
from migd.core.ports import Store
from migd.core.recorder import NullRecorder, Recorder
from migd.core.schema_bounds import SchemaBounds
from migd.data_dir import ELSEWHERE, data_dir
from migd.exposure import exposure
from migd.http_gate import HttpGate, gated
from migd.measuring import observer, scraper, watch
from migd.metrics import Metrics
from migd.origins import ANY, Origins
from migd.stores.audit_file import AuditFile
from migd.stores.memory import MemoryStore
from migd.stores.retention import Retention
from migd.stores.sqlite import SqliteStore, StoreError, StoreFolderError
from migd.tls import tls_of
from migd.tracing.exporting import exporting_tracer

if TYPE_CHECKING:
    from migd.bindings.grpc.service import GrpcBinding
    from migd.nats_side import NatsSide

_log = logging.getLogger("migd.app")


class Application:
    """One gateway and its bindings. `start` it, serve `asgi` and `grpc`, then `drain` and `close` it. `grpc`
    is None where MIGD_GRPC_ADDR is not set.

    `tenants` are the limits of those that have some of their own, over what the settings say of each; `auth`
    says who may call, beside what the settings say.
    Raises ConfigError when a setting turns out to be unusable, such as an audit file that can not be opened.
    """

    def __init__(
        self,
        settings: Settings,
        capabilities: Iterable[Capability],
        tenants: Mapping[str, Allowance] | None = None,
        auth: AuthConfig | None = None,
    ) -> None:
        self._settings = settings
        self.tls = tls_of(settings)
        """What its listeners are to speak; None for the clear."""
        self._capabilities = with_fixture(settings, capabilities)
        if settings.conformance_fixture:
            _log.warning(WARNING)
        metrics = Metrics() if settings.enable_metrics else None
        clock = SystemClock()
        self._authentication = build_authentication(settings, auth or AuthConfig(), clock)
        self.nats = _nats(settings)
        parts = _parts(
            settings,
            metrics or NullRecorder(),
            tenants or {},
            self.nats,
            clock=clock,
            authenticator=self._authentication.authenticator,
        )
        self.gateway = Gateway(parts)
        if self.nats is not None:
            self.nats.serve(self.gateway, parts)
        if metrics is not None:
            watch(metrics, self.gateway.condition, self.nats)
        self._websockets = WebSocketBinding(self.gateway, auth_timeout_s=settings.ws_auth_timeout_s)
        self.grpc = _grpc_binding(self.gateway) if settings.grpc_addr else None
        self.asgi = self._http(metrics)

    async def start(self) -> None:
        """Everything is ready to serve when this returns. Raises ConfigError for a bad store or bad keys."""
        await self._authentication.start()
        try:
            await self.gateway.start(self._capabilities)
        except StoreFolderError as error:
            raise ConfigError(f"{error}; {ELSEWHERE}") from error
        except StoreError as error:
            raise ConfigError(str(error)) from error
        if self.nats is not None:
            await self.nats.start()

    @property
    def rereads(self) -> bool:
        """Whether there is a file for `reopen` to look at again."""
        return bool(self._settings.audit_log_path or self.tls or self._authentication.rings)

    def reopen(self) -> None:
        """What SIGHUP does: audit files are begun anew at their paths, keys and certificates read again."""
        self.gateway.reopen_audit()
        self._authentication.reload()
        if self.tls is not None:
            self.tls.reload()

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
        await self._authentication.close()
        if self.nats is not None:
            await self.nats.close()
        await self.gateway.close()

    def refuse(self, fault: MigFault) -> tuple[int, bytes]:
        """Status and ErrorEnvelope for bytes that never became a request."""
        return fault.http_status, encode(self.gateway.envelope("", fault, None))

    def _http(self, metrics: Metrics | None) -> HttpGate:
        settings, origins = self._settings, _origins(self._settings)
        binding = HttpBinding(self.gateway, scraper(metrics) if metrics else None)
        adapter = AsgiAdapter(
            HttpStub(binding, max_body_bytes=settings.max_body_bytes),
            pages=build_pages(self.gateway, auth_mode=settings.auth_mode, warning=exposure(settings)),
            pages_prefixes=PAGES_PREFIXES,
            websocket=gated(self._websockets.serve, origins),
            observe=observer(metrics),
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
    settings: Settings,
    recorder: Recorder,
    tenants: Mapping[str, Allowance],
    nats: NatsSide | None,
    *,
    clock: Clock,
    authenticator: Authenticator,
) -> Parts:
    failpoints = _failpoints(settings.failpoint)
    return Parts(
        store=_store(settings, clock, failpoints, recorder),
        authenticator=authenticator,
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
        topic_scopes=settings.topic_scopes,
        health={"nats": nats.health} if nats else {},
        failpoints=failpoints,
        tracer=exporting_tracer(settings.otlp_endpoint, server_id=settings.server_id, environ=os.environ),
    )


def _bindings(settings: Settings, nats: NatsSide | None) -> frozenset[str]:
    on = {"http": True, "grpc": settings.grpc_addr is not None, "nats": nats is not None and nats.serves}
    return frozenset(name for name, enabled in on.items() if enabled)


def _grpc_binding(gateway: Gateway) -> GrpcBinding:
    """protobuf is imported here: no start without gRPC waits for it."""
    from migd.bindings.grpc.service import GrpcBinding

    return GrpcBinding(gateway)


def _store(settings: Settings, clock: Clock, failpoints: Failpoints, recorder: Recorder) -> Store:
    if settings.store == "memory":
        return MemoryStore(clock, _retention(settings))
    return SqliteStore(
        data_dir(settings, os.environ),
        clock,
        _retention(settings),
        synchronous=settings.sqlite_synchronous,
        failpoints=failpoints,
        recorder=recorder,
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


def _limits(settings: Settings, tenants: Mapping[str, Allowance]) -> Limits:
    return Limits(
        max_deadline_ms=settings.max_deadline_ms,
        max_concurrent_invocations=settings.max_concurrent_invocations,
        max_streams_per_connection=settings.max_streams_per_connection,
        max_depth=settings.max_depth,
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
