"""The frames inside a streamed HTTP answer, NDJSON or server-sent events, without the HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

NDJSON_TYPES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
SSE_TYPE = "text/event-stream"


class FrameSizeError(Exception):
    """A frame is longer than what the capability allows."""


class UnfinishedFrameError(Exception):
    """The answer ended in the middle of a frame."""


class FrameReader(Protocol):
    """Bytes in as they come, the JSON text of each frame out as soon as it is complete."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Raises FrameSizeError."""

    def end(self) -> Iterator[bytes]:
        """What the end of the answer completes. Raises UnfinishedFrameError."""


class Lines:
    """Splits bytes at LF, CRLF or CR, holding at most `limit` bytes of an unfinished line.

    A CR at the end of what has come so far ends its line at once: waiting for a possible LF would hold
    back a frame that is complete.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._after_cr = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        for line in data.splitlines(keepends=True):
            if self._after_cr and line == b"\n":
                self._after_cr = False
                continue
            self._after_cr = line.endswith(b"\r")
            self._held += line.rstrip(b"\r\n")
            if len(self._held) > self._limit:
                raise FrameSizeError
            if line[-1:] in b"\r\n":
                yield bytes(self._held)
                self._held.clear()

    def rest(self) -> bytes:
        return bytes(self._held)


class NdjsonFrames:
    """One JSON text a line; empty lines mean nothing, and the last line may lack its end."""

    def __init__(self, limit: int) -> None:
        self._lines = Lines(limit)

    def feed(self, data: bytes) -> Iterator[bytes]:
        for line in self._lines.feed(data):
            if line.strip():
                yield line

    def end(self) -> Iterator[bytes]:
        if self._lines.rest().strip():
            yield self._lines.rest()


class SseFrames:
    """The data of each event (WHATWG HTML, 9.2.6), whatever its name; ids and comments mean nothing here."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lines = Lines(limit)
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        for line in self._lines.feed(data):
            if not line and self._data:
                yield b"\n".join(self._data)
                self._data.clear()
                self._size = 0
            elif line.startswith(b"data:"):
                self._add(line.removeprefix(b"data:").removeprefix(b" "))

    def end(self) -> Iterator[bytes]:
        if self._data or self._lines.rest():
            raise UnfinishedFrameError
        yield from ()

    def _add(self, data: bytes) -> None:
        self._size += len(data) + 1
        if self._size > self._limit:
            raise FrameSizeError
        self._data.append(data)


def frame_reader(content_type: str, limit: int) -> FrameReader | None:
    """The reader for a content type without its parameters; None when it is not a streamed one."""
    if content_type in NDJSON_TYPES:
        return NdjsonFrames(limit)
    return SseFrames(limit) if content_type == SSE_TYPE else None
