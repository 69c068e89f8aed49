"""HTTP/1.1 over asyncio streams: just as much of RFC 9112 as a MIG server needs."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamReaderProtocol, StreamWriter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

LARGEST_HEAD = 64 * 1024
LARGEST_BODY = 2 * 1024 * 1024
_PATIENCE_S = 30.0
_LINGER_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`fields` has names in lower case, each with all its values. `body` is None where it was too large."""

    method: str
    target: str
    fields: Mapping[str, list[str]]
    body: bytes | None
    arrived: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int
    body: bytes
    fields: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Awaitable[Response]]


class _BrokenError(Exception):
    """What came is no HTTP request."""


class _Connection(StreamReader):
    """A reader that tells when the client has gone, also while nobody reads."""

    def __init__(self) -> None:
        super().__init__(limit=LARGEST_HEAD)
        self.gone = asyncio.Event()

    def feed_eof(self) -> None:
        super().feed_eof()
        self.gone.set()


async def listen(handler: Handler, host: str, port: int) -> asyncio.Server:
    """Serves every connection until the server is closed. The handler never raises; it is cancelled when the
    client goes away.
    """

    def connected() -> StreamReaderProtocol:
        reader = _Connection()
        return StreamReaderProtocol(reader, lambda _, writer: _serve(handler, reader, writer))

    return await asyncio.get_running_loop().create_server(connected, host, port)


async def _serve(handler: Handler, reader: _Connection, writer: StreamWriter) -> None:
    """One request after the other."""
    try:
        while (request := await _read_request(reader)) is not None:
            response = await _answered(handler, request, reader)
            if response is None:
                break
            last = request.body is None or "close" in ",".join(request.fields.get("connection", [])).lower()
            writer.write(_written(response, last=last, bodiless=request.method == "HEAD"))
            await writer.drain()
            if last:
                await _linger(reader, writer)
                break
    except (_BrokenError, OSError, TimeoutError, asyncio.IncompleteReadError):
        pass  # there is nobody who would understand an answer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _answered(handler: Handler, request: Request, reader: _Connection) -> Response | None:
    """None where the client goes away before there is an answer: its work is stopped then [MIG-INV-012]."""
    working = asyncio.ensure_future(handler(request))
    leaving = asyncio.ensure_future(reader.gone.wait())
    await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
    leaving.cancel()
    if working.done():
        return working.result()
    working.cancel()
    await asyncio.wait({working})
    return None


async def _read_request(reader: StreamReader) -> Request | None:
    """None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError:
        raise _BrokenError from None
    arrived = asyncio.get_running_loop().time()
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise _BrokenError
    fields: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise _BrokenError
        fields.setdefault(name.lower(), []).append(value.strip(" \t"))
    if words[2] == "HTTP/1.0":
        fields.setdefault("connection", []).append("close")
    async with asyncio.timeout(_PATIENCE_S):
        body = await _read_body(reader, fields)
    return Request(method=words[0], target=words[1], fields=fields, body=body, arrived=arrived)


async def _read_body(reader: StreamReader, fields: Mapping[str, list[str]]) -> bytes | None:
    if "transfer-encoding" in fields:
        if fields["transfer-encoding"] != ["chunked"] or "content-length" in fields:
            raise _BrokenError  # RFC 9112, 6.1: it may be an attempt to smuggle a request
        return await _read_chunks(reader)
    lengths = set(fields.get("content-length", ["0"]))
    length = lengths.pop()
    if lengths or not (length.isascii() and length.isdecimal()):
        raise _BrokenError
    return await reader.readexactly(int(length)) if int(length) <= LARGEST_BODY else None


async def _read_chunks(reader: StreamReader) -> bytes | None:
    body = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError:
            raise _BrokenError from None
        if size < 0 or len(body) + size > LARGEST_BODY:
            return None
        if size == 0:
            while await reader.readuntil(b"\r\n") != b"\r\n":
                pass  # trailer fields
            return body
        body += (await reader.readexactly(size + 2))[:-2]


def _written(response: Response, *, last: bool, bodiless: bool) -> bytes:
    fields = {
        "Content-Type": "application/json",
        "Content-Length": str(len(response.body)),
        **response.fields,
        **({"Connection": "close"} if last else {}),
    }
    lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join((*lines, "", "")).encode("latin-1") + (b"" if bodiless else response.body)


async def _linger(reader: StreamReader, writer: StreamWriter) -> None:
    """Takes what still comes for a while: closing on it would reset the connection before it is read."""
    with suppress(OSError, TimeoutError):
        writer.write_eof()
        async with asyncio.timeout(_LINGER_S):
            while await reader.read(LARGEST_HEAD):
                pass
