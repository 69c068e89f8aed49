"""Resident memory: when ready, after many invocations, and for each stream that lies idle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import msgspec
import uvloop
from tools.bench import processes
from tools.bench.fan_out import subscribed
from tools.bench.http_load import drive, request_bytes
from tools.bench.idle_websocket import IdleWebSocket
from tools.bench.processes import Server
from tools.bench.report import Figure

_MB = 1e6
_KB = 1e3

Open = Callable[[int], Coroutine[Any, Any, Callable[[], None]]]


def measure(*, quick: bool) -> Iterator[Figure]:
    """Megabytes when ready and for a million invocations, kilobytes for an idle stream."""
    with processes.migd(MIGD_MAX_CONNECTIONS_PER_TENANT="10000") as server:
        ready = server.rss
        yield Figure(name="memory when ready", value=ready / _MB, unit="MB", most=80.0)
        streams = 200 if quick else 1000
        yield _per_stream("memory per idle SSE stream", server, streams, _open_sse)
        yield _per_stream("memory per idle WebSocket", server, streams, _open_websocket)
    with processes.migd() as server:
        yield _growth(server, 100_000 if quick else 1_000_000)


def _growth(server: Server, count: int) -> Figure:
    ready = server.rss
    # Without a message id the server makes one, so that each of them is new to it.
    body = msgspec.json.encode({"payload": {"input": "hello"}})
    path = "/mig/v0.1/invoke/observatory.models.infer"
    request = request_bytes("POST", path, body, x_tenant_id="acme")
    grown = []
    for _ in range(10):
        uvloop.run(drive(server.port, [request], connections=32, count=count // 10))
        grown.append(server.rss - ready)
    return Figure(
        name=f"memory added by {count:,} invokes",
        value=grown[-1] / _MB,
        unit="MB",
        most=10.0,
        note=f"after each tenth of them: {', '.join(f'{one / _MB:.1f}' for one in grown)} MB",
    )


def _per_stream(name: str, server: Server, count: int, opener: Open) -> Figure:
    """What `count` streams add, less what the first few have added: those pay for what all share."""
    return uvloop.run(_measure_streams(name, server, count, opener))


async def _measure_streams(name: str, server: Server, count: int, opener: Open) -> Figure:
    closers = [await opener(server.port) for _ in range(20)]
    before = server.rss
    closers += [await opener(server.port) for _ in range(count)]
    added = server.rss - before
    for close in closers:
        close()
    return Figure(name=name, value=added / count / _KB, unit="KB", most=20.0, note=f"{count} of them at once")


async def _open_sse(port: int) -> Callable[[], None]:
    subscriber = await subscribed(port, "bench.idle", 1)
    return subscriber.close


async def _open_websocket(port: int) -> Callable[[], None]:
    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(IdleWebSocket, "127.0.0.1", port)
    await socket.opened.wait()
    return socket.close
