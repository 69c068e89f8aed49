"""Publishing: acknowledged events per second with 32 in flight."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

import msgspec
import uvloop
from tools.bench import processes
from tools.bench.http_load import drive, request_bytes
from tools.bench.report import Figure

IN_FLIGHT = 32


def publish_requests(topic: str) -> list[bytes]:
    """Publishes of one small event; the message id is left to the server."""
    body = {
        "header": {"mig_version": "0.1", "tenant_id": "acme"},
        "key": "order-7",
        "payload": {"order": 7, "state": "shipped", "note": "The quick brown fox jumps over the lazy dog."},
    }
    return [request_bytes("POST", f"/mig/v0.1/publish/{topic}", msgspec.json.encode(body))]


def measure(*, quick: bool) -> Iterator[Figure]:
    """Acks per second, each of a committed event."""
    requests = publish_requests("bench.orders")
    rounds, seconds = (2, 0.7) if quick else (7, 2.0)
    with processes.migd() as server:
        uvloop.run(drive(server.port, requests, connections=IN_FLIGHT, seconds=seconds / 2))
        before = server.cpu_s
        loads = [
            uvloop.run(drive(server.port, requests, connections=IN_FLIGHT, seconds=seconds))
            for _ in range(rounds)
        ]
        cpu_us = (server.cpu_s - before) / sum(len(load.latencies) for load in loads) * 1e6
    yield Figure(
        name="durable publish, 32 in flight",
        value=median(load.rate for load in loads),
        unit="acks/s",
        least=10_000.0,
        note=f"processor time per ack {cpu_us:.1f} us",
    )
