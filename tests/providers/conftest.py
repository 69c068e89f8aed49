"""What provider tests share: an invocation to give a provider, real services behind one, a gateway."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from migd.core.call import ANONYMOUS
from migd.core.provider import JsonObject, Provider, Work
from support.scripts import Scripts, scripts

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def work() -> Callable[..., Work]:
    """Makes an invocation with `payload`; any of its other fields may be given too."""

    def make(payload: JsonObject | None = None, *, seconds: float = 30.0, **fields: Any) -> Work:
        stated: dict[str, Any] = {
            "capability": "test.capability",
            "tenant_id": "acme",
            "message_id": "message-1",
            "session_id": None,
            "traceparent": None,
            "payload": payload or {},
            "meta": {},
            "principal": ANONYMOUS,
            "deadline": time.monotonic() + seconds,
            "deadline_ms": round(seconds * 1000),
            "clock": time.monotonic,
        }
        return Work(**(stated | fields))

    return make


@pytest.fixture
async def running() -> AsyncIterator[Callable[[Provider], Awaitable[Any]]]:
    """Starts a provider, and closes it when the test is over."""
    started: list[Provider] = []

    async def start(provider: Provider) -> Any:
        await provider.start()
        started.append(provider)
        return provider

    yield start
    for provider in started:
        await provider.close()


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Handler], Awaitable[str]]]:
    """Runs a handler for every path of a real HTTP server; gives its URL. Hanging up cancels it."""
    runners: list[web.AppRunner] = []

    async def start(handler: Handler) -> str:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def serve_raw() -> AsyncIterator[Callable[[Connected], Awaitable[str]]]:
    """Runs a TCP server for what no HTTP server would do; gives its http:// URL."""
    servers: list[asyncio.Server] = []

    async def start(connected: Connected) -> str:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def fixture() -> AsyncIterator[Scripts]:
    """A gateway that serves the conformance fixture."""
    async with scripts() as running:
        yield running
