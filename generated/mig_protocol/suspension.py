# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""Running a coroutine up to the point where it first has to wait.

Most of what an ASGI application awaits does not wait: the body is already there, the answer is already
known. A timeout or a watcher set up for those would be the larger part of their cost, so it is only set up
for a coroutine that really suspends. All of it happens in the current task; nothing is scheduled.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from types import CoroutineType
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Suspended(Generic[T]):
    """The rest of an awaitable that has been begun. Await it once."""

    __slots__ = ("_work", "_yielded")

    def __init__(self, work: Any, yielded: Any) -> None:
        self._work = work
        self._yielded = yielded

    def __await__(self) -> Generator[Any, Any, T]:
        if self._yielded is _NOT_BEGUN:
            result: T = yield from self._work.__await__()
            return result
        return (yield from self._resume())

    def _resume(self) -> Generator[Any, Any, T]:
        """What `yield from` does, starting at what the coroutine already yielded (PEP 380)."""
        work, yielded = self._work, self._yielded
        try:
            while True:
                try:
                    sent = yield yielded
                except GeneratorExit:
                    work.close()
                    raise
                except BaseException as error:
                    yielded = work.throw(error)
                else:
                    yielded = work.send(sent)
        except StopIteration as stop:
            value: T = stop.value
            return value


_NOT_BEGUN: Any = object()


def begin(work: Awaitable[T]) -> T | Suspended[T]:
    """The result of `work` if it needs no waiting, else the rest of it to be awaited. What it raises is
    raised here.
    """
    if type(work) is not CoroutineType:
        return Suspended(work, _NOT_BEGUN)
    try:
        yielded = work.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    return Suspended(work, yielded)
