"""Frames out of a streamed answer, however its bytes are cut."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from migd.providers.http_stream import FrameReader, FrameSizeError, UnfinishedFrameError, frame_reader

NDJSON = "application/x-ndjson"
SSE = "text/event-stream"


def reader(content_type: str, limit: int = 1000) -> FrameReader:
    found = frame_reader(content_type, limit)
    assert found is not None
    return found


def frames(content_type: str, chunks: Sequence[bytes]) -> list[bytes]:
    source = reader(content_type)
    return [frame for chunk in chunks for frame in source.feed(chunk)] + list(source.end())


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


EVERYWHERE = list(range(100))
PLACES = st.lists(st.integers(min_value=0, max_value=10_000), max_size=8)


@given(places=PLACES)
@example(places=EVERYWHERE)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [b"", b"\n"])
def test_ndjson_lines_are_the_same_wherever_the_bytes_are_cut(
    end: bytes, last: bytes, places: list[int]
) -> None:
    data = end.join([b'{"a":1}', b"", b'{"b":"\xc3\xa9"}', b"{}"]) + last
    assert frames(NDJSON, cut(data, places)) == [b'{"a":1}', b'{"b":"\xc3\xa9"}', b"{}"]


@given(places=PLACES)
@example(places=EVERYWHERE)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_events_are_the_same_wherever_the_bytes_are_cut(end: bytes, places: list[int]) -> None:
    lines = [
        b": hello",
        b"event: piece",
        b"id: 1",
        b'data: {"a":',
        b"data:1}",
        b"",
        b"retry: 5",
        b"",
        b"data: {}",
        b"",
        b"",
    ]
    assert frames(SSE, cut(end.join(lines), places)) == [b'{"a":\n1}', b"{}"]


def test_a_frame_comes_out_as_soon_as_it_is_whole() -> None:
    lines, events = reader(NDJSON), reader(SSE)
    assert list(lines.feed(b'{"a":1}')) == []
    assert list(lines.feed(b"\n")) == [b'{"a":1}']
    assert list(events.feed(b"data: {}\n")) == []
    assert list(events.feed(b"\n")) == [b"{}"]


def test_an_event_that_is_not_finished_is_an_error() -> None:
    source = reader(SSE)
    assert list(source.feed(b"data: {}\n")) == []
    with pytest.raises(UnfinishedFrameError):
        list(source.end())


@pytest.mark.parametrize(("content_type", "start"), [(NDJSON, b""), (SSE, b"data: ")])
def test_a_frame_over_the_limit_is_refused_before_it_has_come_whole(content_type: str, start: bytes) -> None:
    source = reader(content_type, limit=10)
    with pytest.raises(FrameSizeError):
        list(source.feed(start + b"x" * 11))


def test_an_event_of_many_short_lines_has_the_same_limit() -> None:
    with pytest.raises(FrameSizeError):
        list(reader(SSE, limit=10).feed(b"data: x\n" * 11))


@pytest.mark.parametrize("content_type", ["application/json", "text/html", ""])
def test_other_content_types_are_no_streams(content_type: str) -> None:
    assert frame_reader(content_type, 10) is None
