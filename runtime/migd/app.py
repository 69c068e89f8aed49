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
from migd.authentication import Authentication
from migd.bindings.http import HttpBinding
from migd.bindings.websocket import WebSocketBinding
from migd.config import ConfigError, Settings
from migd.conformance_fixture import WARNING, with_fixture
from migd.console import PAGES_PREFIXES, build_pages
from migd.core.auth import Authenticator
from migd.core.catalog import Capability
from migd.core.clock import Clock, SystemClock
from migd.core.failpoints import UNARMED, Failpoint, Failpoints
from migd.core.gateway import Gateway, Parts
from migd.core.limits import Allowance, Identity
from migd.core.recorder import NullRecorder, Recorder
from migd.data_dir import ELSEWHERE
from migd.exposure import exposure
from migd.http_gate import HttpGate, gated
from migd.keeping import audit_sinks_of, store_of
from migd.limiting import limits_of
from migd.measuring import observer, scraper, watch
from migd.metrics import Metrics
from migd.origins import ANY, Origins
from migd.stores.sqlite import StoreError, StoreFolderError
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
        self.authentication = Authentication(settings, auth or AuthConfig(), clock)
        self.nats = _nats(settings)
        parts = _parts(
            settings,
            metrics or NullRecorder(),
            tenants or {},
            self.nats,
            clock=clock,
            authenticator=self.authentication,
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
        await self.authentication.start()
        try:
            await self.gateway.start(self._capabilities)
        except StoreFolderError as error:
            raise ConfigError(f"{error}; {ELSEWHERE}") from error
        except StoreError as error:
            raise ConfigError(str(error)) from error
        if self.nats is not None:
            await self.nats.start()

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
        await self.authentication.close()
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
        store=store_of(settings, clock, failpoints, recorder),
        authenticator=authenticator,
        clock=clock,
        recorder=recorder,
        identity=Identity(
            server_id=settings.server_id,
            bindings=_bindings(settings, nats),
            metrics_enabled=settings.enable_metrics,
            nats_binding_active=nats.active if nats else bool,
        ),
        limits=limits_of(settings, tenants),
        audit_sinks=audit_sinks_of(settings, clock),
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
