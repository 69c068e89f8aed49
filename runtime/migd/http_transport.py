"""A transport that sends the head and the body of an answer together.

uvicorn writes them one after the other, and each write is a system call that wakes the client: for a
small answer that is a quarter of all it costs (measured, docs/decisions/0004-one-write-per-answer.md).
"""

from __future__ import annotations

from asyncio import Transport
from typing import Any

_RESPONSE = b"HTTP/1.1 "
# Only an answer whose length is known has its body at hand; a stream's head must not wait.
_KNOWN_LENGTH = b"\r\ncontent-length: "


class JoiningTransport:
    """Holds an answer's head back until the write that follows it, `flush` or `close`."""

    __slots__ = ("_head", "_transport")

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._head: bytes | None = None

    @property
    def joined(self) -> Transport:
        """The transport itself, with nothing held back."""
        self.flush()
        return self._transport

    def write(self, data: bytes) -> None:
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.writelines((head, data))
        elif data.startswith(_RESPONSE) and _KNOWN_LENGTH in data:
            self._head = data
        else:
            self._transport.write(data)

    def flush(self) -> None:
        """Send what is held back: an answer may have no body."""
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.write(head)

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
