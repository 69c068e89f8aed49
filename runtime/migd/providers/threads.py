"""Blocking code kept out of the event loop's way.

A thread can not be stopped from outside. So a call whose caller is gone keeps its thread until it
returns, its result is dropped, and at most `size` such calls exist; one still waiting for a thread is
never started. A generator is different: it runs one step at a time, and is closed between two steps.

The threads are daemons, which concurrent.futures has no setting for: it joins its own when the interpreter
ends, and one call that hangs would keep a gateway from ending.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import AsyncIterator, Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from typing import Any

_END = object()


@dataclass(slots=True)
class _Call:
    """Something to run in a thread, and where its result goes."""

    context: contextvars.Context
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    future: Future[Any] = field(default_factory=Future)

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.context.run(self.function, *self.arguments)
        except StopIteration as error:
            # No future can carry it (PEP 479 says why): asyncio would leave the caller waiting for ever.
            stopped = RuntimeError(f"{self.function!r} raised StopIteration")
            stopped.__cause__ = error
            self.future.set_exception(stopped)
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class Threads:
    """At most `size` threads, started by the first calls. To be used from one event loop."""

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._started = 0
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """What `function(*arguments)` returns or raises, run in a thread with this task's context."""
        return await asyncio.wrap_future(self._submit(contextvars.copy_context(), function, *arguments))

    async def iterate(self, generator: Generator[Any, Any, Any]) -> AsyncIterator[Any]:
        """The items of a blocking generator, each step in a thread.

        Given up between two steps, the generator is closed before this returns; given up during one,
        it is closed in its thread as soon as that step ends.
        """
        context = contextvars.copy_context()
        step = self._submit(context, next, generator, _END)
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
        """Let the threads end, each after the call that it is in. Waits for none."""
        for _ in range(self._started):
            self._calls.put(None)

    def _submit(
        self, context: contextvars.Context, function: Callable[..., Any], *arguments: Any
    ) -> Future[Any]:
        call = _Call(context, function, arguments)
        self._calls.put(call)
        if self._started < self._size:
            self._started += 1
            name = f"{self._name}-{self._started}"
            Thread(target=_serve, args=(self._calls,), name=name, daemon=True).start()
        return call.future


def _serve(calls: SimpleQueue[_Call | None]) -> None:
    while (call := calls.get()) is not None:
        call.run()
        # Waiting for the next call must not keep the payload and the answer of this one.
        del call
