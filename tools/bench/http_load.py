"""Closed-loop HTTP load: as many requests in flight as there are connections, each sent when its turn comes.

Requests are bytes made beforehand and answers are cut by Content-Length, so that the load costs a fraction
of what any server does for the same request; `Load.busy` is that fraction of its core.
"""

from __future__ import annotations

import asyncio
import socket
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import cast

_LENGTH = b"content-length: "
_END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Load:
    """What one run saw. `latencies` are in seconds, sorted; `busy` is the load's own use of its core."""

    seconds: float
    latencies: Sequence[float]
    busy: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: float) -> float:
        """The latency, in seconds, that so many percent of the answers stay below."""
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * percent / 100))]


def request_bytes(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """One HTTP/1.1 request; `x_tenant_id="acme"` is the field x-tenant-id."""
    fields = {"host": "bench", "content-type": "application/json", "content-length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


class _Run:
    """What the connections of one run share."""

    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        self.requests = requests
        self.until = until
        self.latencies = array("d")
        self.failure = ""
        self.over = asyncio.Event()
        self.open = 0

    def ended(self) -> None:
        self.open -= 1
        if not self.open:
            self.over.set()


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._pending = b""
        self._sent = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._run.open += 1
        self._transport = cast(asyncio.Transport, transport)

    def begin(self) -> None:
        request = next(self._run.requests, None)
        if request is None or self._transport is None:
            self._close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if self._pending:
            data = self._pending + data
        end = answer_end(data)
        if end < 0 or len(data) < end:
            self._pending = data
            return
        self._pending = b""
        run = self._run
        if not data.startswith(b"HTTP/1.1 2"):
            run.failure = run.failure or data.decode(errors="replace")
            self._close()
            return
        run.latencies.append(now - self._sent)
        if now < run.until:
            self.begin()
        else:
            self._close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._run.ended()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def answer_end(data: bytes) -> int:
    """Where the first answer ends, by its Content-Length; -1 while its head is not complete."""
    head = data.find(_END_OF_HEAD)
    if head < 0:
        return -1
    start = data.find(_LENGTH, 0, head + 2) + len(_LENGTH)
    return head + len(_END_OF_HEAD) + int(data[start : data.find(b"\r", start)])


def answer_body(port: int, request: bytes) -> bytes:
    """The body of the answer to one request."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request)
        answer = b""
        while (end := answer_end(answer)) < 0 or len(answer) < end:
            answer += connection.recv(65_536)
    return answer[answer.index(_END_OF_HEAD) + len(_END_OF_HEAD) :]


async def drive(
    port: int,
    requests: Sequence[bytes],
    *,
    connections: int,
    seconds: float = float("inf"),
    count: int | None = None,
) -> Load:
    """Send `requests` over and over for so many seconds, or `count` of them. Raises RuntimeError, with the
    answer, when one is not a success.
    """
    loop = asyncio.get_running_loop()
    run = _Run(islice(cycle(requests), count), float("inf"))
    make: Callable[[], _Connection] = lambda: _Connection(run)  # noqa: E731
    opened = [(await loop.create_connection(make, "127.0.0.1", port))[1] for _ in range(connections)]
    began, spent = time.perf_counter(), time.process_time()
    run.until = began + seconds
    for connection in opened:
        connection.begin()
    await run.over.wait()
    took = time.perf_counter() - began
    if run.failure:
        raise RuntimeError(f"not a success: {run.failure}")
    return Load(took, array("d", sorted(run.latencies)), (time.process_time() - spent) / took)
