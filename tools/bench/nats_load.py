"""Closed-loop NATS load: callers with a connection and one request in flight each, as the HTTP load has them.

It speaks the protocol itself, so that the load costs a fraction of what any server does for the same request.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import cast

from tools.bench.http_load import Load

_HELLO = b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\nSUB _INBOX.bench.%d 1\r\n'
_REPLY = b"_INBOX.bench.%d"


def request_parts(subject: str, body: bytes) -> tuple[bytes, bytes]:
    """A request without its reply subject: what comes before that, and what after."""
    return b"PUB %s " % subject.encode(), b" %d\r\n%s\r\n" % (len(body), body)


class _Run:
    """What the callers of one run share."""

    def __init__(self, requests: Sequence[tuple[bytes, bytes]], seconds: float) -> None:
        self.requests: Iterator[tuple[bytes, bytes]] = cycle(requests)
        self.until = time.perf_counter() + seconds
        self.latencies = array("d")
        self.last = b""
        self.failure = ""
        self.over = asyncio.Event()
        self.open = 0

    def answered(self, answer: bytes, took: float) -> bool:
        """Whether to go on after this answer."""
        self.last = answer
        self.latencies.append(took)
        if b'"error":{' in answer or answer.startswith(b"NATS/1.0 503"):
            self.failure = answer.decode(errors="replace")
        return not self.failure and time.perf_counter() < self.until

    def ended(self) -> None:
        self.open -= 1
        if not self.open:
            self.over.set()


class _Caller(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._reply = _REPLY % run.open
        self._pending = b""
        self._sent = 0.0
        run.open += 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(_HELLO.replace(_REPLY, self._reply))

    def begin(self) -> None:
        before, after = next(self._run.requests)
        self._sent = time.perf_counter()
        self._transport.write(before + self._reply + after)

    def data_received(self, data: bytes) -> None:
        data = self._pending + data
        while (end := data.find(b"\r\n")) >= 0:
            words = data[:end].split()
            size = int(words[-1]) + 2 if words[0] in (b"MSG", b"HMSG") else 0
            if len(data) < end + 2 + size:
                break
            content, data = data[end + 2 : end + size], data[end + 2 + size :]
            if words[0] == b"PING":
                self._transport.write(b"PONG\r\n")
            elif size:
                self._answer(content)
        self._pending = data

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._run.ended()

    def _answer(self, content: bytes) -> None:
        if self._run.answered(content, time.perf_counter() - self._sent):
            self.begin()
        else:
            self._transport.close()


async def drive(
    port: int, requests: Sequence[tuple[bytes, bytes]], *, connections: int, seconds: float
) -> Load:
    """Send `requests` for so many seconds. Raises RuntimeError, with the answer, when one fails."""
    began, spent = time.perf_counter(), time.process_time()
    run = await _run(port, requests, connections, seconds)
    took = time.perf_counter() - began
    return Load(took, array("d", sorted(run.latencies)), (time.process_time() - spent) / took)


async def answer_size(port: int, request: tuple[bytes, bytes]) -> int:
    """The bytes of the answer to one request, its NATS headers included."""
    return len((await _run(port, [request], 1, 0.0)).last)


async def _run(port: int, requests: Sequence[tuple[bytes, bytes]], connections: int, seconds: float) -> _Run:
    loop = asyncio.get_running_loop()
    run = _Run(requests, seconds)
    callers = [
        (await loop.create_connection(lambda: _Caller(run), "127.0.0.1", port))[1] for _ in range(connections)
    ]
    for caller in callers:
        caller.begin()
    await run.over.wait()
    if run.failure:
        raise RuntimeError(f"not a success: {run.failure}")
    return run
