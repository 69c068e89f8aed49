"""Closed-loop gRPC load: one HTTP/2 connection with as many calls in flight as are asked for.

Requests are frames made beforehand and answers are only cut into frames (RFC 9113), so that the load costs
a fraction of what any server does for the same call; `Load.busy` is that fraction of its core.
"""

from __future__ import annotations

import asyncio
import struct
import time
from array import array
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import cast

from tools.bench.http_load import Load

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _ACK, _END_HEADERS = 1, 1, 4
_LARGEST = 2**31 - 1
_INITIAL_WINDOW = 65_535
_HEAD = 9


def request_block(path: str, **metadata: str) -> bytes:
    """The header block of one call, without compression (RFC 7541, 6.2.2); `x_tenant_id` is x-tenant-id."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": "bench",
        "te": "trailers",
        "content-type": "application/grpc",
        **{name.replace("_", "-"): value for name, value in metadata.items()},
    }
    return b"".join(b"\x00" + _literal(name) + _literal(value) for name, value in fields.items())


def grpc_message(payload: bytes) -> bytes:
    """A message as gRPC frames it: not compressed, and its length."""
    return b"\x00" + len(payload).to_bytes(4, "big") + payload


async def drive_grpc(
    port: int, block: bytes, messages: Sequence[bytes], *, in_flight: int, seconds: float
) -> Load:
    """Send `messages` over and over for so many seconds. Raises RuntimeError when a call has no answer."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(
        lambda: _Connection(block, cycle(messages)), "127.0.0.1", port
    )
    await connection.open.wait()
    began, spent = time.perf_counter(), time.process_time()
    connection.begin(in_flight, began + seconds)
    await connection.over.wait()
    took = time.perf_counter() - began
    if connection.failure:
        raise RuntimeError(connection.failure)
    return Load(took, array("d", sorted(connection.latencies)), (time.process_time() - spent) / took)


class _Connection(asyncio.Protocol):
    def __init__(self, block: bytes, messages: Iterator[bytes]) -> None:
        self.open = asyncio.Event()
        self.over = asyncio.Event()
        self.latencies = array("d")
        self.failure = ""
        self._block = block
        self._messages = messages
        self._sent: dict[int, float] = {}
        self._answered: set[int] = set()
        self._next = 1
        self._until = 0.0
        self._window = _INITIAL_WINDOW
        self._waiting = 0
        self._pending = b""
        self._out = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # No table for header compression, no push, and windows that are never in the way.
        settings = struct.pack("!HIHIHI", 1, 0, 2, 0, 4, _LARGEST)
        grown = (_LARGEST - _INITIAL_WINDOW).to_bytes(4, "big")
        self._transport.write(
            _PREFACE + _frame(_SETTINGS, 0, 0, settings) + _frame(_WINDOW_UPDATE, 0, 0, grown)
        )

    def begin(self, in_flight: int, until: float) -> None:
        self._until = until
        self._waiting = in_flight
        self._flush()

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        data = self._pending + data
        at = 0
        while len(data) - at >= _HEAD:
            size = int.from_bytes(data[at : at + 3], "big")
            if len(data) - at < _HEAD + size:
                break
            stream = int.from_bytes(data[at + 5 : at + 9], "big") & _LARGEST
            self._frame(data[at + 3], data[at + 4], stream, data[at + _HEAD : at + _HEAD + size], now)
            at += _HEAD + size
        self._pending = data[at:]
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if not self.over.is_set():
            self.failure = self.failure or "the server closed the connection"
            self.over.set()

    def _frame(self, kind: int, flags: int, stream: int, payload: bytes, now: float) -> None:
        if kind == _DATA:
            self._answered.add(stream)
        elif kind == _HEADERS and flags & _END_STREAM:
            self._ended(stream, now, payload)
        elif kind == _SETTINGS and not flags & _ACK:
            self._out += _frame(_SETTINGS, _ACK, 0, b"")
            self.open.set()
        elif kind == _PING and not flags & _ACK:
            self._out += _frame(_PING, _ACK, 0, payload)
        elif kind == _WINDOW_UPDATE and stream == 0:
            self._window += int.from_bytes(payload, "big")
        elif kind in (_RST_STREAM, _GOAWAY):
            self._fail(f"the server sent frame {kind}: {payload!r}")

    def _ended(self, stream: int, now: float, trailers: bytes) -> None:
        if stream not in self._answered:
            self._fail(f"a call has no answer: {trailers!r}")
            return
        self._answered.discard(stream)
        self.latencies.append(now - self._sent.pop(stream))
        if now < self._until:
            self._waiting += 1
        elif not self._sent and not self.over.is_set():
            self.over.set()
            self._transport.close()

    def _flush(self) -> None:
        while self._waiting and not self.failure:
            message = next(self._messages)
            if self._window < len(message):
                break
            self._window -= len(message)
            self._waiting -= 1
            stream, self._next = self._next, self._next + 2
            self._out += _frame(_HEADERS, _END_HEADERS, stream, self._block)
            self._out += _frame(_DATA, _END_STREAM, stream, message)
            self._sent[stream] = time.perf_counter()
        if self._out and not self._transport.is_closing():
            self._transport.write(bytes(self._out))
            self._out.clear()

    def _fail(self, why: str) -> None:
        self.failure = self.failure or why
        self.over.set()
        self._transport.close()


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def _literal(text: str) -> bytes:
    raw = text.encode()
    if len(raw) >= 127:
        raise ValueError(f"{text!r} is too long for a literal of one length byte")
    return bytes((len(raw),)) + raw
