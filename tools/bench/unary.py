"""HTTP unary invoke with everything on, against a handler that only decodes and answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from uuid import UUID

import msgspec
import uvloop
from tools.bench import processes
from tools.bench.http_load import Load, answer_body, drive, request_bytes
from tools.bench.processes import Server
from tools.bench.report import Figure

CONNECTIONS = 32
_MESSAGES = 4096


@dataclass(frozen=True, slots=True)
class Turn:
    """One run against one server; `cpu_us` is the server's processor time for a request."""

    load: Load
    cpu_us: float


def invoke_requests(count: int = _MESSAGES) -> list[bytes]:
    """Invocations of the reference capability as clients send them: whole headers, an id of its own each."""
    path = "/mig/v0.1/invoke/observatory.models.infer"
    return [request_bytes("POST", path, body) for body in invocation_bodies(count)]


def invocation_bodies(count: int = _MESSAGES) -> list[bytes]:
    """The JSON of those invocations."""
    return [_invocation(message_id) for message_id in message_ids(count)]


def message_ids(count: int = _MESSAGES) -> list[str]:
    """So many UUIDs, the same each time."""
    return [str(UUID(int=number + (4 << 76) + (2 << 62), version=4)) for number in range(count)]


def measure(*, quick: bool) -> Iterator[Figure]:
    """Requests per second at 32 connections, and how far the slowest hundredth is from the middle."""
    rounds, seconds = (3, 0.7) if quick else (9, 2.0)
    requests = invoke_requests()
    with processes.migd() as server, processes.floor(len(answer_body(server.port, requests[0]))) as floor:
        for one in (floor, server):
            _turn(one, requests, seconds / 2)
        turns = [(_turn(floor, requests, seconds), _turn(server, requests, seconds)) for _ in range(rounds)]
    yield from figures("HTTP unary invoke", 0.65, turns)


def figures(name: str, least: float, rounds: list[tuple[Turn, Turn]]) -> Iterator[Figure]:
    """The rate beside the floor's, of which it may not be less than `least`; and the spread of latencies.

    Each round is a turn of the floor and one of migd.
    """
    floors, turns = [one for one, _ in rounds], [one for _, one in rounds]
    yield beside_floor(name, least, floors, turns)
    middle = median(turn.load.percentile(50) for turn in turns)
    slow = median(turn.load.percentile(99) for turn in turns)
    spread = median(turn.load.percentile(99) / turn.load.percentile(50) for turn in floors)
    yield Figure(
        name=f"{name}, p99 / p50",
        value=slow / middle,
        unit="",
        most=3.0,
        note=f"p50 {middle * 1000:.2f} ms, p99 {slow * 1000:.2f} ms; the floor's p99 / p50 is {spread:.2f}",
    )


def beside_floor(name: str, least: float, floors: list[Turn], turns: list[Turn]) -> Figure:
    """Requests per second, and what else the turns have seen."""
    return Figure(
        name=name,
        value=median(turn.load.rate for turn in turns),
        floor=median(turn.load.rate for turn in floors),
        unit="requests/s",
        least=least,
        note=(
            f"processor time per request {median(turn.cpu_us for turn in turns):.1f} us, "
            f"floor {median(turn.cpu_us for turn in floors):.1f} us; the load used "
            f"{max(turn.load.busy for turn in floors):.0%} of its core for the floor"
        ),
    )


def _turn(server: Server, requests: list[bytes], seconds: float) -> Turn:
    before = server.cpu_s
    load = uvloop.run(drive(server.port, requests, connections=CONNECTIONS, seconds=seconds))
    return Turn(load, (server.cpu_s - before) / len(load.latencies) * 1e6)


def _invocation(message_id: str) -> bytes:
    body = {
        "header": {
            "mig_version": "0.1",
            "message_id": message_id,
            "timestamp": "2026-01-15T09:30:00Z",
            "tenant_id": "acme",
            "deadline_ms": 30000,
            "meta": {},
        },
        "payload": {"input": "The quick brown fox jumps over the lazy dog."},
        "stream_preference": "unary",
    }
    return msgspec.json.encode(body)
