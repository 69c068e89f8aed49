"""Blocking code kept out of the event loop's way.

A thread can not be stopped from outside. So a call whose caller is gone keeps its thread until it
returns, its result is dropped, and at most `size` such calls exist; one still waiting for a thread is
never started. A generator is different: it runs one step at a time, and is closed between two steps.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import AsyncIterator, Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

_END = object()


class Threads:
    """At most `size` threads, started when they are first needed."""

    def __init__(self, name: str, size: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=size, thread_name_prefix=name)

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What `function(*arguments)` returns or raises, run in a thread with this task's context."""
        return await asyncio.wrap_future(self._submit(contextvars.copy_context(), function, *arguments))

    async def iterate(self, generator: Generator[Any, Any, Any]) -> AsyncIterator[Any]:
        """The items of a blocking generator, each step in a thread.

        Given up between two steps, the generator is closed before this returns; given up during one,
        it is closed in its thread as soon as that step ends.
        """
        context = contextvars.copy_context()
        step: Future[Any] = self._submit(context, next, generator, _END)
        try:
            while (item := await asyncio.wrap_future(step)) is not _END:
                yield item
                step = self._submit(context, next, generator, _END)
        finally:
            if not step.done():
                step.add_done_callback(lambda _: context.run(generator.close))
            elif inspect.getgeneratorstate(generator) != inspect.GEN_CLOSED:
                await asyncio.wrap_future(self._submit(context, generator.close))

    def close(self) -> None:
        """Start nothing more. Does not wait: a step that hangs must not hold up the event loop."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _submit(
        self, context: contextvars.Context, function: Callable[..., Any], *arguments: Any
    ) -> Future[Any]:
        return self._pool.submit(context.run, _contained, function, *arguments)


def _contained(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except StopIteration as error:
        # A future can not carry it (PEP 479's reason, too): asyncio would leave the caller waiting for ever.
        raise RuntimeError(f"{function!r} raised StopIteration") from error
