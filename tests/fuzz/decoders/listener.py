"""The bytes of a TCP connection to the HTTP port, whatever they are."""

from __future__ import annotations

import asyncio
import atexit
import re
import socket
from collections.abc import Iterator
from functools import cache
from typing import Any

from fuzz.decoders.gateway import GatewayLoop
from fuzz.decoders.target import FindingError, Target
from migd.http_edge import HttpEdge
from migd.server import edge_of
from support.gateway_under_test import settle

_READ = b"~~~"
_ANSWER = re.compile(rb"HTTP/1\.1 [1-5][0-9]{2} ")
_TENANT = b"Host: localhost\r\nX-Tenant-ID: acme\r\n"
_HANDSHAKE = (
    b"GET /mig/v0.1/stream HTTP/1.1\r\n" + _TENANT + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class _Wire(asyncio.Transport):
    """The server's end of a connection: what is written is kept."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__({"peername": ("127.0.0.1", 50_000), "sockname": ("127.0.0.1", 8080)})
        self.protocol: Any = protocol
        self.written = b""
        self.reading = True
        self._closing = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def get_protocol(self) -> Any:
        return self.protocol

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    def abort(self) -> None:
        self._closing = True

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...


@cache
def _gateway() -> tuple[GatewayLoop, HttpEdge]:
    """Nobody can reach its port: it is never listened on."""
    loop = GatewayLoop()
    unused = socket.socket()
    atexit.register(unused.close)
    edge = edge_of(loop.application, loop.settings, unused)
    edge.config.load()
    return loop, edge


def _listener(data: bytes) -> None:
    """An input is what comes in one read after the other, with ~~~ between them."""
    loop, edge = _gateway()
    loop.run(_talk(edge, data.split(_READ)))


async def _talk(edge: HttpEdge, reads: list[bytes]) -> None:
    protocol: Any = edge.config.http_protocol_class
    wire = _Wire(protocol(config=edge.config, server_state=edge.server_state, app_state={}))
    wire.protocol.connection_made(wire)
    for read in filter(None, reads):
        # A transport gives nothing on while it is paused, or after its end.
        if wire.is_closing() or not wire.reading:
            break
        wire.protocol.data_received(read)
        await settle()
    if not wire.is_closing():
        wire.protocol.eof_received()
    wire.protocol.connection_lost(None)
    await settle()
    if edge.server_state.connections:
        raise FindingError("the connection is still counted though it is gone")
    if wire.written and not _ANSWER.match(wire.written):
        raise FindingError(f"the answer is no HTTP: {wire.written[:100]!r}")


def _seeds() -> Iterator[bytes]:
    yield from map(_get, (b"/healthz", b"/metrics", b"/ui", b"/pro/v0.1/audit/export?after=2&limit=1"))
    yield _get(b"/mig/v0.1/subscribe/orders.eu", b"Last-Event-ID: 1\r\n")
    yield _get(b"/pro/v0.1/audit/export?format=jsonl&since=2026-01-01T00:00:00Z&tenant_id=acme")
    yield _get(b"/healthz", b"Origin: http://elsewhere.example\r\nSec-Fetch-Site: cross-site\r\n")
    invoke = _post(b"/mig/v0.1/invoke/observatory.models.infer", b'{"payload": {"input": "a b"}}')
    yield invoke
    yield invoke[:30] + _READ + invoke[30:-10] + _READ + invoke[-10:]
    yield invoke + _get(b"/healthz") + invoke
    yield _post(b"/mig/v0.1/publish/orders.eu", b'{"payload": {"n": 1}}')
    yield _post(b"/admin/v0.1/schemas/register", b'{"uri": "schema://a/b/v1", "schema": {"$ref": "#"}}')
    yield _chunked()
    yield _HANDSHAKE + _READ + _frame(b'{"kind": "request", "capability": "observatory.models.infer"}')


def _get(target: bytes, fields: bytes = b"") -> bytes:
    return b"GET %b HTTP/1.1\r\n%b%b\r\n" % (target, _TENANT, fields)


def _post(path: bytes, body: bytes) -> bytes:
    return b"POST %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (path, _TENANT, len(body), body)


def _chunked() -> bytes:
    fields = b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
    head = b"POST /mig/v0.1/discover HTTP/1.1\r\n" + _TENANT + fields
    return head + _READ + b"2\r\n{}\r\n0\r\nx: y\r\n\r\n"


def _frame(text: bytes) -> bytes:
    """A text frame whose masking key is 0 (RFC 6455, 5.2 and 5.3)."""
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text


LISTENER = Target(name="listener", decode=_listener, seeds=_seeds)
