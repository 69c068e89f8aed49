"""One gateway process, from the listening socket to the last byte."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvloop

from mig_protocol.errors import MigFault
from migd.app import Application
from migd.config import ConfigError, Settings
from migd.http_edge import HttpEdge

if TYPE_CHECKING:
    from migd.manifest import Manifest

_log = logging.getLogger("migd.server")
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run(
    settings: Settings,
    manifest: Manifest,
    listener: socket.socket,
    ready: Callable[[], None],
) -> None:
    """Serve until SIGTERM or SIGINT, then end in order. `ready` is called when the first request can come.

    In order: no new connections; what is in flight ends, or is failed after MIGD_SHUTDOWN_GRACE_S; streams
    end with a terminal frame. A second signal ends the process at once. Raises ConfigError.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        application = Application(settings, manifest.capabilities, manifest.tenants)
        runner.run(_serve(application, settings, listener, ready))


def edge_of(application: Application, settings: Settings, listener: socket.socket) -> HttpEdge:
    """The HTTP server of an application."""
    return HttpEdge(
        application.asgi,
        listener,
        refuse=application.refuse,
        drain=application.drain,
        max_frame_bytes=settings.max_frame_bytes,
    )


async def _serve(
    application: Application, settings: Settings, listener: socket.socket, ready: Callable[[], None]
) -> None:
    edge = edge_of(application, settings, listener)
    _stop_on_signal(edge, settings.shutdown_grace_s)
    if settings.audit_log_path is not None:
        # Without a file to rotate, a hangup ends migd as it does any program on a terminal.
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, application.reopen)
    try:
        await application.start()
    except MigFault as fault:
        raise ConfigError(fault.message) from fault
    # What is loaded now stays: without this the collector would look at all of it again and again, and a
    # request would wait for that.
    gc.collect()
    gc.freeze()
    try:
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(edge.run_until_stopped())
            await edge.ready.wait()
            ready()
            await serving
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
