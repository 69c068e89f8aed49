"""NATS invoke with everything on, against a nats-py subscriber that only decodes and answers."""

from __future__ import annotations

import contextlib
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import uvloop
from tools.bench import processes
from tools.bench.nats_load import answer_size, drive, request_parts
from tools.bench.processes import Server
from tools.bench.report import Figure
from tools.bench.unary import Turn, beside_floor, invocation_bodies

CONNECTIONS = 32
_PATIENCE_S = 10.0
_SUBJECT = "mig.v0_1.acme.invoke.observatory.models.infer"


def measure(*, quick: bool) -> Iterator[Figure]:
    """Requests per second at 32 connections with one request in flight each."""
    rounds, seconds = (3, 0.7) if quick else (9, 2.0)
    requests = [request_parts(_SUBJECT, body) for body in invocation_bodies()]
    # A NATS server each: on one, the two would share the queue group.
    with (
        processes.nats_server() as ours,
        processes.nats_server() as bare,
        processes.migd(MIGD_NATS_URL=f"nats://127.0.0.1:{ours}") as server,
    ):
        wait_until_ready(server.port)
        size = uvloop.run(answer_size(ours, requests[0]))
        with processes.nats_floor(bare, size) as floor:
            for one, port in ((floor, bare), (server, ours)):
                _turn(one, port, requests, seconds / 2)
            turns = [
                (_turn(floor, bare, requests, seconds), _turn(server, ours, requests, seconds))
                for _ in range(rounds)
            ]
    yield beside_floor("NATS invoke", 0.65, [one for one, _ in turns], [one for _, one in turns])


def _turn(server: Server, port: int, requests: list[tuple[bytes, bytes]], seconds: float) -> Turn:
    before = server.cpu_s
    load = uvloop.run(drive(port, requests, connections=CONNECTIONS, seconds=seconds))
    return Turn(load, (server.cpu_s - before) / len(load.latencies) * 1e6)


def wait_until_ready(port: int) -> None:
    """The ready line is about HTTP: NATS may be connected a moment later."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=_PATIENCE_S).close()
            return
        time.sleep(0.01)
    raise RuntimeError("migd did not connect to NATS")
