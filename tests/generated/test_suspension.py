"""Beginning a coroutine gives its result at once, or the rest of it with nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from typing import Any

import pytest

from mig_protocol.suspension import Suspended, begin


async def at_once(value: int) -> int:
    return value


async def later(value: int) -> int:
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return value


async def test_what_needs_no_waiting_is_there() -> None:
    assert begin(at_once(3)) == 3


async def test_what_is_raised_without_waiting_is_raised_at_once() -> None:
    async def fails() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        begin(fails())


async def test_the_rest_is_awaited_to_the_same_result() -> None:
    begun = begin(later(4))
    assert isinstance(begun, Suspended)
    assert await begun == 4


async def test_an_awaitable_that_is_no_coroutine_is_awaited_as_it_is() -> None:
    class Custom:
        def __await__(self) -> Generator[Any, Any, int]:
            return later(5).__await__()

    begun = begin(Custom())
    assert isinstance(begun, Suspended)
    assert await begun == 5


async def test_an_exception_after_waiting_comes_through() -> None:
    async def fails() -> int:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    begun: Awaitable[int] | int = begin(fails())
    assert isinstance(begun, Suspended)
    with pytest.raises(ZeroDivisionError):
        await begun


async def test_cancellation_reaches_the_coroutine_where_it_waits() -> None:
    caught = asyncio.Event()
    waiting = asyncio.Event()

    async def patient() -> int:
        waiting.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            caught.set()
            await asyncio.sleep(0)
            raise
        return 0

    async def work() -> int:
        begun = begin(patient())
        assert isinstance(begun, Suspended)
        return await begun

    task = asyncio.create_task(work())
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert caught.is_set()


async def test_timeouts_and_the_current_task_are_those_of_the_caller() -> None:
    async def impatient() -> str:
        assert asyncio.current_task() is me
        try:
            async with asyncio.timeout(0):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            return "timed out"
        return "never"

    me = asyncio.current_task()
    begun = begin(impatient())
    assert isinstance(begun, Suspended)
    assert await begun == "timed out"


async def test_closing_the_rest_closes_the_coroutine() -> None:
    closed: list[str] = []

    async def holder() -> int:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            closed.append("closed")
        return 0

    begun = begin(holder())
    assert isinstance(begun, Suspended)
    rest = begun.__await__()
    next(rest)
    rest.close()
    assert closed == ["closed"]
