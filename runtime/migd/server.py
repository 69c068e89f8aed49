"""One gateway process, from the listening socket to the last byte."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

import uvloop

from mig_protocol.errors import MigFault
from migd.app import Application
from migd.config import ConfigError, Settings
from migd.http_edge import HttpEdge
from migd.http_protocol import HttpLimits
from migd.reload import Read, Reload

if TYPE_CHECKING:
    from migd.grpc_edge import GrpcEdge
    from migd.manifest import Manifest

_log = logging.getLogger("migd.server")
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


Ready = Callable[[Sequence[str]], None]
"""Told where else the gateway is served, such as "gRPC on 127.0.0.1:9090"."""


def run(settings: Settings, manifest: Manifest, listener: socket.socket, ready: Ready, read: Read) -> None:
    """Serve until SIGTERM or SIGINT, then end in order. `ready` is called when the first request can come,
    `read` for what the sources of settings and manifest say at each SIGHUP.

    In order: no new connections; what is in flight ends, or is failed after MIGD_SHUTDOWN_GRACE_S; streams
    end with a terminal frame. A second signal ends the process at once. Raises ConfigError.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        application = Application(settings, manifest.capabilities, manifest.tenants, manifest.auth)
        runner.run(_serve(application, settings, listener, ready, read))


def edge_of(
    application: Application, settings: Settings, listener: socket.socket, grpc: GrpcEdge | None = None
) -> HttpEdge:
    """The HTTP server of an application, with which its gRPC server goes down."""

    async def drain() -> None:
        async with grpc.going_down() if grpc else nullcontext():
            await application.drain()

    return HttpEdge(
        application.asgi,
        listener,
        refuse=application.refuse,
        drain=drain,
        limits=HttpLimits(
            max_sockets=settings.max_sockets,
            max_sockets_per_address=settings.max_sockets_per_address,
            max_url_bytes=settings.max_url_bytes,
            max_head_bytes=settings.max_head_bytes,
            max_header_fields=settings.max_header_fields,
            head_timeout_s=settings.head_timeout_s,
            idle_timeout_s=settings.idle_timeout_s,
            write_timeout_s=settings.write_timeout_s,
            max_frame_bytes=settings.max_frame_bytes,
            websocket_ping_s=settings.websocket_ping_s,
        ),
        tls=application.tls,
    )


def grpc_edge_of(application: Application, settings: Settings) -> GrpcEdge | None:
    """The gRPC server of an application; None where MIGD_GRPC_ADDR is not set. Raises ListenError."""
    if application.grpc is None or settings.grpc_addr is None:
        return None
    # The library writes to standard error in a form of its own; what matters comes back as a status.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # One thread less between the socket and the event loop: a tenth of what a call costs (decision 0007).
    os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_listener")
    from migd.grpc_edge import GrpcEdge, GrpcLimits

    return GrpcEdge(
        application.grpc,
        settings.grpc_addr,
        readiness=application.gateway.readiness,
        tls=application.tls,
        limits=GrpcLimits(
            max_message_bytes=settings.max_body_bytes,
            max_frame_bytes=settings.max_frame_bytes,
            max_calls_per_connection=settings.grpc_max_calls_per_connection,
            keepalive_s=settings.grpc_keepalive_s,
            keepalive_timeout_s=settings.grpc_keepalive_timeout_s,
            min_ping_interval_s=settings.grpc_min_ping_interval_s,
            idle_timeout_s=settings.grpc_idle_timeout_s,
            max_age_s=settings.grpc_max_age_s,
        ),
    )


async def _serve(
    application: Application, settings: Settings, listener: socket.socket, ready: Ready, read: Read
) -> None:
    grpc = grpc_edge_of(application, settings)
    edge = edge_of(application, settings, listener, grpc)
    _stop_on_signal(edge, settings.shutdown_grace_s)
    reload = Reload(application, settings, read)
    # Asked during the start, it is done after it; a terminal that goes away takes no gateway with it.
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload.ask)
    try:
        await application.start()
    except MigFault as fault:
        raise ConfigError(fault.message) from fault
    if grpc is not None:
        await grpc.start()
    # What is loaded now stays: without this the collector would look at all of it again and again, and a
    # request would wait for that.
    gc.collect()
    gc.freeze()
    try:
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(edge.run_until_stopped())
            await edge.ready.wait()
            ready([f"gRPC on {grpc.address}"] if grpc else [])
            reloading = tasks.create_task(reload.follow())
            await serving
            reloading.cancel()
    finally:
        await application.close()


def _stop_on_signal(edge: HttpEdge, grace_s: float) -> None:
    loop = asyncio.get_running_loop()

    def stop(received: signal.Signals) -> None:
        for each in _SIGNALS:
            loop.remove_signal_handler(each)
            # A second signal does what it does to any process.
            signal.signal(each, signal.SIG_DFL)
        _log.info("going down", extra={"signal": received.name, "grace_s": grace_s})
        edge.stop()

    for each in _SIGNALS:
        loop.add_signal_handler(each, stop, each)
