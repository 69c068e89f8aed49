# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""Reading a stream of Server-Sent Events, as the HTML standard (section 9.2.6) has it interpreted."""

from __future__ import annotations

import codecs
import re
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

_LINE_END = re.compile(r"\r\n|\n|\r")


class ServerSentEvent(NamedTuple):
    """One event: `id` is the last id that the stream has given so far, `event` "message" unless the stream
    says.
    """

    id: str
    event: str
    data: str


async def parse_sse(chunks: AsyncIterator[bytes]) -> AsyncIterator[ServerSentEvent]:
    """The events of a stream, whatever its chunks. Comments, and events without data, are left out."""
    parser = SseParser()
    async for chunk in chunks:
        for event in parser.feed(chunk):
            yield event


class SseParser:
    """The parser without the stream: text in as it comes, events out as they are complete."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        self._rest = ""
        self._id = ""
        self._event = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """The events that this chunk completes."""
        *lines, self._rest = self._lines(self._rest + self._decode(chunk))
        for line in lines:
            if line:
                self._read(line)
                continue
            if self._data:
                yield ServerSentEvent(self._id, self._event or "message", "\n".join(self._data))
            self._event, self._data = "", []

    @staticmethod
    def _lines(text: str) -> list[str]:
        """Complete lines and, last, what is not known to be one: a "\\r" at the end may be half of a
        "\\r\\n".
        """
        held = "\r" if text.endswith("\r") else ""
        *lines, rest = _LINE_END.split(text[: len(text) - len(held)])
        return [*lines, rest + held]

    def _read(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
