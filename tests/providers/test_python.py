"""Python functions behind invoke: conversion, threads, cancellation, resources."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.capability import CapabilityFunction, Final, Work, capability
from migd.core.provider import Final as Terminal
from migd.core.provider import JsonObject
from migd.providers.python import PythonProvider

MakeWork = Callable[..., Work]
Running = Callable[[PythonProvider], Awaitable[PythonProvider]]

LONG_S = 10.0


class Word(msgspec.Struct):
    text: str
    times: int = 1


class Shouted(msgspec.Struct):
    text: str
    at: datetime


@capability(id="test.shout")
async def shout(word: Word, work: Work) -> Shouted:
    return Shouted(f"{word.text.upper() * word.times} {work.tenant_id}", datetime(2026, 1, 2, tzinfo=UTC))


@shout.stream
async def shout_letters(word: Word) -> AsyncIterator[Word | Final[Word]]:
    for letter in word.text:
        yield Word(letter)
    yield Final(Word("done", times=len(word.text)))


def provider_of(declared: CapabilityFunction[..., Any]) -> PythonProvider:
    return PythonProvider(declared)


async def frames(provider: PythonProvider, work: Work) -> list[JsonObject | Terminal]:
    return [item async for item in provider.stream(work)]


async def test_payload_and_answer_are_converted_and_the_work_is_given(
    work: MakeWork, running: Running
) -> None:
    provider = await running(provider_of(shout))
    answer = await provider.invoke(work({"text": "hi", "times": 2.0, "unknown": 1}))
    assert answer == {"text": "HIHI acme", "at": "2026-01-02T00:00:00Z"}


async def test_a_payload_of_another_type_is_refused_with_its_pointer(
    work: MakeWork, running: Running
) -> None:
    provider = await running(provider_of(shout))
    with pytest.raises(MigFault) as refused:
        await provider.invoke(work({"text": ["hi"]}))
    assert refused.value.code is MigErrorCode.MIG_INVALID_REQUEST
    assert refused.value.details == {
        "violations": [{"pointer": "/text", "message": "Expected `str`, got `array`"}]
    }


async def test_items_are_frames_and_final_is_the_terminal_one(work: MakeWork, running: Running) -> None:
    provider = await running(provider_of(shout))
    assert await frames(provider, work({"text": "ab"})) == [
        {"text": "a", "times": 1},
        {"text": "b", "times": 1},
        Terminal({"text": "done", "times": 2}),
    ]


async def test_a_unary_function_streams_as_its_terminal_frame(work: MakeWork, running: Running) -> None:
    @capability(id="test.unary")
    async def unary(word: Word) -> Word:
        return word

    provider = await running(provider_of(unary))
    assert await frames(provider, work({"text": "x"})) == [Terminal({"text": "x", "times": 1})]


async def test_a_generator_refuses_a_unary_call(work: MakeWork, running: Running) -> None:
    @capability(id="test.streams")
    async def streams(word: Word) -> AsyncIterator[Word]:
        yield word

    provider = await running(provider_of(streams))
    with pytest.raises(MigFault, match="answers in a stream only"):
        await provider.invoke(work({"text": "x"}))


async def test_an_answer_that_is_no_object_is_an_error_and_never_reaches_the_caller(
    work: MakeWork, running: Running
) -> None:
    @capability(id="test.liar")
    async def liar(word: Word) -> Word:
        return [word]  # type: ignore[return-value]

    provider = await running(provider_of(liar))
    with pytest.raises(TypeError, match=r"test\.liar answered with list"):
        await provider.invoke(work({"text": "x"}))


async def test_a_bidirectional_stream_sees_every_message_from_the_first(
    work: MakeWork, running: Running
) -> None:
    async def later() -> AsyncIterator[JsonObject]:
        yield {"text": "second"}
        yield {"text": "third"}

    @capability(id="test.echo")
    async def echo(words: AsyncIterator[Word]) -> AsyncIterator[Word]:
        async for word in words:
            yield word

    provider = await running(provider_of(echo))
    found = await frames(provider, work({"text": "first"}, inputs=later()))
    assert [frame["text"] for frame in found if isinstance(frame, dict)] == ["first", "second", "third"]


async def test_a_function_may_take_the_first_message_apart_from_the_others(
    work: MakeWork, running: Running
) -> None:
    async def later() -> AsyncIterator[JsonObject]:
        yield {"text": "a"}
        yield {"text": "b"}

    @capability(id="test.join")
    async def join(separator: Word, words: AsyncIterator[Word]) -> Word:
        return Word(separator.text.join([word.text async for word in words]))

    provider = await running(provider_of(join))
    assert await frames(provider, work({"text": "-"}, inputs=later())) == [
        Terminal({"text": "a-b", "times": 1})
    ]


async def test_cancelling_reaches_an_async_function_at_its_await(work: MakeWork, running: Running) -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    @capability(id="test.waits")
    async def waits(word: Word) -> Word:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return word

    provider = await running(provider_of(waits))
    task = asyncio.ensure_future(provider.invoke(work({"text": "x"})))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopped.is_set()


async def test_giving_up_a_stream_closes_its_generator(work: MakeWork, running: Running) -> None:
    closed = asyncio.Event()

    @capability(id="test.endless")
    async def endless(word: Word) -> AsyncIterator[Word]:
        try:
            while True:
                yield word
        finally:
            closed.set()

    provider = await running(provider_of(endless))
    async with aclosing(provider.stream(work({"text": "x"}))) as items:  # type: ignore[type-var]
        await anext(items)
    assert closed.is_set()


async def test_a_generator_that_never_awaits_can_still_be_cancelled(work: MakeWork, running: Running) -> None:
    begun = asyncio.Event()

    @capability(id="test.busy")
    async def busy(word: Word) -> AsyncIterator[Word]:
        while True:
            begun.set()
            yield word

    provider = await running(provider_of(busy))
    task = asyncio.create_task(frames(provider, work({"text": "x"})))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_blocking_function_leaves_the_event_loop_free(work: MakeWork, running: Running) -> None:
    released = threading.Event()

    @capability(id="test.blocks")
    def blocks(word: Word) -> Word:
        assert released.wait(LONG_S)
        return Word(word.text, times=threading.get_ident())

    provider = await running(provider_of(blocks))
    task = asyncio.ensure_future(provider.invoke(work({"text": "x"})))
    asyncio.get_running_loop().call_soon(released.set)
    answer = await task
    assert answer["times"] != threading.get_ident()


async def test_no_more_blocking_calls_run_than_there_are_threads(work: MakeWork, running: Running) -> None:
    entered: list[str] = []
    first_in, release = threading.Event(), threading.Event()

    @capability(id="test.one", threads=1)
    def one(word: Word) -> Word:
        entered.append(word.text)
        first_in.set()
        assert release.wait(LONG_S)
        return word

    provider = await running(provider_of(one))
    calls = [asyncio.ensure_future(provider.invoke(work({"text": text}))) for text in ("first", "second")]
    await asyncio.to_thread(first_in.wait, LONG_S)
    assert entered == ["first"]
    release.set()
    await asyncio.gather(*calls)
    assert entered == ["first", "second"]


async def test_a_cancelled_call_that_waits_for_a_thread_never_starts(
    work: MakeWork, running: Running
) -> None:
    entered: list[str] = []
    first_in, release = threading.Event(), threading.Event()

    @capability(id="test.queue", threads=1)
    def queue(word: Word) -> Word:
        entered.append(word.text)
        first_in.set()
        assert release.wait(LONG_S)
        return word

    provider = await running(provider_of(queue))
    first = asyncio.ensure_future(provider.invoke(work({"text": "first"})))
    await asyncio.to_thread(first_in.wait, LONG_S)
    second = asyncio.ensure_future(provider.invoke(work({"text": "second"})))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    release.set()
    await first
    await provider.invoke(work({"text": "third"}))
    assert entered == ["first", "third"]


async def test_the_caller_of_a_blocking_function_is_let_go_at_once(work: MakeWork, running: Running) -> None:
    begun, release = threading.Event(), threading.Event()

    @capability(id="test.stuck")
    def stuck(word: Word) -> Word:
        begun.set()
        assert release.wait(LONG_S)
        return word

    provider = await running(provider_of(stuck))
    task = asyncio.ensure_future(provider.invoke(work({"text": "x"})))
    await asyncio.to_thread(begun.wait, LONG_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not release.is_set()
    release.set()


async def test_a_blocking_generator_stops_between_two_steps(work: MakeWork, running: Running) -> None:
    made: list[int] = []
    closed_in: list[int] = []

    @capability(id="test.lines")
    def lines(word: Word) -> Iterator[Word]:
        try:
            for number in range(1_000_000):
                made.append(number)
                yield Word(word.text, times=number)
        finally:
            closed_in.append(threading.get_ident())

    provider = await running(provider_of(lines))
    async with aclosing(provider.stream(work({"text": "x"}))) as items:  # type: ignore[type-var]
        assert await anext(items) == {"text": "x", "times": 0}
        assert await anext(items) == {"text": "x", "times": 1}
    assert len(closed_in) == 1
    assert closed_in[0] != threading.get_ident()
    assert made == [0, 1]


async def test_a_blocking_generator_given_up_during_a_step_is_closed_after_it(
    work: MakeWork, running: Running
) -> None:
    begun, release, closed = threading.Event(), threading.Event(), threading.Event()

    @capability(id="test.step")
    def step(word: Word) -> Iterator[Word]:
        try:
            begun.set()
            assert release.wait(LONG_S)
            yield word
        finally:
            closed.set()

    provider = await running(provider_of(step))
    task = asyncio.create_task(frames(provider, work({"text": "x"})))
    await asyncio.to_thread(begun.wait, LONG_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not closed.is_set()
    release.set()
    assert await asyncio.to_thread(closed.wait, LONG_S)


async def test_blocking_code_runs_in_the_context_of_its_caller(work: MakeWork, running: Running) -> None:
    request = contextvars.ContextVar("request", default="none")

    @capability(id="test.context")
    def context(word: Word) -> Word:
        return Word(f"{request.get()} {word.text}")

    @context.stream
    def context_stream(word: Word) -> Iterator[Word]:
        yield Word(f"{request.get()} {word.text}")

    provider = await running(provider_of(context))
    request.set("mine")
    assert (await provider.invoke(work({"text": "x"})))["text"] == "mine x"
    assert (await frames(provider, work({"text": "x"})))[0] == {"text": "mine x", "times": 1}


async def test_a_blocking_function_that_raises_stop_iteration_does_not_hang_its_caller(
    work: MakeWork, running: Running
) -> None:
    @capability(id="test.stop")
    def stop(word: Word) -> Word:
        return next(iter([word][1:]))

    provider = await running(provider_of(stop))
    with pytest.raises(RuntimeError, match="raised StopIteration"):
        await provider.invoke(work({"text": "x"}))


@capability(id="test.exit")
async def leave(word: Word) -> Word:
    raise SystemExit(word.text)


@leave.stream
async def leave_after_one(word: Word) -> AsyncIterator[Word]:
    yield word
    raise SystemExit(word.text)


@capability(id="test.exit")
def leave_blocking(word: Word) -> Word:
    raise SystemExit(word.text)


@leave_blocking.stream
def leave_blocking_after_one(word: Word) -> Iterator[Word]:
    yield word
    raise SystemExit(word.text)


@pytest.mark.parametrize("declared", [leave, leave_blocking])
async def test_leaving_the_program_in_a_function_only_fails_the_call(
    work: MakeWork, running: Running, declared: CapabilityFunction[..., Any]
) -> None:
    provider = await running(provider_of(declared))
    with pytest.raises(RuntimeError, match=r"called sys\.exit"):
        await provider.invoke(work({"text": "x"}))
    with pytest.raises(RuntimeError, match=r"called sys\.exit"):
        await frames(provider, work({"text": "x"}))


class Model:
    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.closed = False


async def test_a_resource_is_made_once_off_the_event_loop_and_given_to_every_call(
    work: MakeWork, running: Running
) -> None:
    made: list[Model] = []

    def load() -> Model:
        made.append(Model())
        return made[-1]

    @capability(id="test.model", resource=load)
    async def use(word: Word, model: Model) -> Word:
        return Word(word.text, times=made.index(model))

    provider = provider_of(use)
    assert not provider.health().ok
    await running(provider)
    assert provider.health().ok
    assert [(await provider.invoke(work({"text": "x"})))["times"] for _ in range(2)] == [0, 0]
    assert len(made) == 1
    assert made[0].thread != threading.get_ident()


async def test_a_call_that_comes_while_the_resource_is_made_waits_for_it(work: MakeWork) -> None:
    release = asyncio.Event()

    async def load() -> Model:
        await release.wait()
        return Model()

    @capability(id="test.early", resource=load)
    async def use(word: Word, model: Model) -> Word:
        return Word(word.text, times=int(model.closed))

    provider = provider_of(use)
    starting = asyncio.create_task(provider.start())
    call = asyncio.ensure_future(provider.invoke(work({"text": "x"})))
    await asyncio.sleep(0)
    assert provider.health().reason == "still starting"
    release.set()
    assert (await call)["text"] == "x"
    await starting
    await provider.close()


async def test_a_resource_that_yields_is_cleaned_up_at_the_end(work: MakeWork) -> None:
    model = Model()

    async def opened() -> AsyncIterator[Model]:
        yield model
        model.closed = True

    @capability(id="test.pool", resource=opened)
    async def use(word: Word, model: Model) -> Word:
        return Word(word.text, times=int(model.closed))

    provider = provider_of(use)
    await provider.start()
    assert (await provider.invoke(work({"text": "x"})))["times"] == 0
    await provider.close()
    assert model.closed


async def test_a_resource_that_fails_makes_the_capability_unavailable_and_nothing_else(
    work: MakeWork, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    def load() -> Model:
        raise OSError("no such model: /secret/path")

    @capability(id="test.broken", resource=load)
    async def use(word: Word, model: Model) -> Word:
        return Word(word.text, times=int(model.closed))

    provider = await running(provider_of(use))
    health = provider.health()
    assert not health.ok
    assert "secret" not in health.reason
    assert "no such model: /secret/path" in caplog.text
    with pytest.raises(MigFault) as refused:
        await provider.invoke(work({"text": "x"}))
    assert refused.value.code is MigErrorCode.MIG_UNAVAILABLE
    assert refused.value.retryable
