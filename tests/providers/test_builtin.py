"""The reference capability, as protocol section 2 gives it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migd.core.call import ANONYMOUS
from migd.core.provider import Final, Work
from migd.core.schemas import PayloadSchema
from migd.providers.builtin import REFERENCE_ID, ReferenceProvider, reference_capability

MakeWork = Callable[..., Work]


def test_the_descriptor_is_the_protocols() -> None:
    assert msgspec.to_builtins(reference_capability().descriptor) == {
        "id": "observatory.models.infer",
        "version": "1.0.0",
        "modes": ["unary", "server_stream"],
        "input_schema_uri": "schema://observatory/models/infer-input/v1",
        "output_schema_uri": "schema://observatory/models/infer-output/v1",
        "event_topics": ["observatory.inference.completed"],
        "auth_scopes": ["capability:infer"],
        "qos": {
            "max_payload_bytes": 1048576,
            "supports_replay": True,
            "delivery_semantics": "at_least_once",
            "supports_ordering": True,
        },
    }


@pytest.mark.parametrize(
    ("payload", "valid"),
    [({"input": "x"}, True), ({"input": "", "more": 1}, True), ({}, False), ({"input": 1}, False)],
)
def test_the_input_schema_requires_a_string_input(payload: dict[str, object], valid: bool) -> None:
    schema = reference_capability().input_schema
    assert schema is not None
    assert PayloadSchema(schema).is_valid(payload) is valid


def test_the_unary_answer_is_given_at_once_and_fits_the_output_schema(work: MakeWork) -> None:
    answer = ReferenceProvider().invoke(work({"input": "hello"}, capability=REFERENCE_ID))
    assert answer == {
        "result": "ok",
        "echo": {"input": "hello"},
        "capability": "observatory.models.infer",
        "delivery_qos": "at_least_once",
    }
    schema = reference_capability().output_schema
    assert schema is not None
    assert PayloadSchema(schema).is_valid(answer)


@given(text=st.text())
def test_the_streamed_pieces_are_the_input_and_the_last_frame_is_the_unary_answer(text: str) -> None:
    request = Work(
        capability=REFERENCE_ID,
        tenant_id="acme",
        message_id="m",
        session_id=None,
        traceparent=None,
        payload={"input": text},
        meta={},
        principal=ANONYMOUS,
        deadline=1.0,
        deadline_ms=1000,
        clock=lambda: 0.0,
    )

    async def frames() -> list[object]:
        return [item async for item in ReferenceProvider().stream(request)]

    *pieces, last = asyncio.run(frames())
    assert "".join(piece["delta"] for piece in pieces if isinstance(piece, dict)) == text
    assert all(isinstance(piece, dict) for piece in pieces)
    assert last == Final(ReferenceProvider().invoke(request))


async def test_words_are_separate_pieces(work: MakeWork) -> None:
    frames = [item async for item in ReferenceProvider().stream(work({"input": "one two  three"}))]
    assert frames[:-1] == [{"delta": "one "}, {"delta": "two  "}, {"delta": "three"}]


async def test_a_long_stream_can_be_cancelled_though_its_reader_never_waits(work: MakeWork) -> None:
    seen = 0
    begun = asyncio.Event()

    async def read() -> None:
        nonlocal seen
        async for _ in ReferenceProvider().stream(work({"input": "word " * 100_000})):
            seen += 1
            begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen < 100
