"""Server-Sent Events are read as the HTML standard says, whatever the chunks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mig_protocol.sse import ServerSentEvent, SseParser, parse_sse


def parsed(*chunks: bytes) -> list[ServerSentEvent]:
    parser = SseParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


STREAM = (
    "\ufeff: hello\r\nid: 1\revent: mig-event\r\ndata: {\ndata:  }\r\n\r\n"
    "retry: 5\n\ndata\n\nid: \u00fc\ndata:x\n\ndata: lost"
)
EVENTS = [
    ServerSentEvent("1", "mig-event", "{\n }"),
    ServerSentEvent("1", "message", ""),
    ServerSentEvent("\u00fc", "message", "x"),
]


def test_the_same_events_come_out_wherever_the_stream_is_cut() -> None:
    data = STREAM.encode()
    for cut in range(len(data)):
        assert parsed(data[:cut], data[cut:]) == EVENTS
    assert parsed(*(data[place : place + 1] for place in range(len(data)))) == EVENTS


@pytest.mark.parametrize(
    ("text", "event"),
    [
        (b"data:no space\n\n", ServerSentEvent("", "message", "no space")),
        (b"data:  two\n\n", ServerSentEvent("", "message", " two")),
        (b"data: a:b\n\n", ServerSentEvent("", "message", "a:b")),
        (b"id: 1\0\ndata: x\n\n", ServerSentEvent("", "message", "x")),
        (b"unknown: x\ndata: y\n\n", ServerSentEvent("", "message", "y")),
        (b"event: e\n\ndata: x\n\n", ServerSentEvent("", "message", "x")),
    ],
)
def test_fields_are_read_as_the_standard_says(text: bytes, event: ServerSentEvent) -> None:
    assert parsed(text) == [event]


async def test_a_stream_is_read_as_it_comes() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"data: 1\n"
        yield b"\ndata: 2\n\n"

    assert [event.data async for event in parse_sse(chunks())] == ["1", "2"]
