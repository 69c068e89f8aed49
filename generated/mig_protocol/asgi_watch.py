# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""Stopping work whose client has gone away."""

from __future__ import annotations

import asyncio
from types import TracebackType

from mig_protocol.asgi_types import Receive


class ClientWatch:
    """A context in which the current task is cancelled as soon as the client disconnects.

    As with asyncio.timeout, the cancellation ends at the edge of the context: it is swallowed there and
    `gone` is true. A cancellation from elsewhere passes through.
    """

    __slots__ = ("_cancellations", "_receive", "_task", "_watcher", "gone")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.gone = False

    def __enter__(self) -> ClientWatch:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a client can only be watched from within a task")
        self._task = task
        self._cancellations = task.cancelling()
        self._watcher = asyncio.ensure_future(_disconnected(self._receive))
        self._watcher.add_done_callback(self._on_end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._watcher.remove_done_callback(self._on_end)
        self._watcher.cancel()
        if not self.gone:
            return False
        still_cancelled = self._task.uncancel() > self._cancellations
        return kind is asyncio.CancelledError and not still_cancelled

    def _on_end(self, watcher: asyncio.Future[None]) -> None:
        if watcher.cancelled():
            return
        watcher.exception()  # a receive() that fails means the same as a client that is gone
        self.gone = True
        self._task.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
