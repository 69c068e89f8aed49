"""A TCP connection that sends what it likes, for what no HTTP client would do."""

from __future__ import annotations

import asyncio
import socket


class RawConnection:
    """Bytes to a server, and what comes back."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> tuple[int, bytes]:
        """Status and body of the only answer, after which the server closes."""
        head, _, body = (await self.reader.read()).partition(b"\r\n\r\n")
        self.writer.close()
        assert b"content-type: application/json" in head
        assert b"connection: close" in head
        return int(head.split()[1]), body

    def abort(self) -> None:
        """Leave without a word."""
        self.writer.transport.abort()


async def connect(url: str, *, receive_buffer: int | None = None) -> RawConnection:
    """Connect to `http://host:port`. A small `receive_buffer` lets unread answers hold their sender up."""
    host, port = url.removeprefix("http://").split(":")
    connection = socket.socket()
    # Each `send` is a segment of its own, sent at once.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if receive_buffer is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.connect((host, int(port)))
    connection.setblocking(False)
    return RawConnection(*await asyncio.open_connection(sock=connection))
