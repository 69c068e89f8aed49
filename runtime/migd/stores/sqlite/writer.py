"""How the event loop hands its writes to the one thread that commits them (group commit)."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from time import perf_counter
from typing import Any, TypeVar

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.failpoints import UNARMED, Failpoints
from migd.core.recorder import NullRecorder, Recorder
from migd.stores.sqlite.errors import unavailable
from migd.stores.sqlite.transaction import Outcome, Transaction, commit

T = TypeVar("T")


class _Job:
    """One operation, and who waits for it."""

    __slots__ = ("applied", "future", "work")

    def __init__(
        self,
        work: Callable[[Transaction], Any],
        applied: Callable[[Any], None] | None,
        future: asyncio.Future[Any],
    ) -> None:
        self.work = work
        self.applied = applied
        self.future = future


_ENOUGH = 256
_TURNS = 16
"""A batch that has so many operations, or has gathered for so many turns of the event loop, goes."""


class Writer:
    """A thread that runs all operations that wait in one transaction, and tells them all at once.

    While one transaction is being committed the next one gathers, and it goes on gathering for as long as
    every turn of the event loop adds to it: what a commit costs, and most of that is one thread waking the
    other, is shared by as many as there are. At most `limit` operations wait.
    """

    def __init__(
        self, limit: int, failpoints: Failpoints = UNARMED, recorder: Recorder | None = None
    ) -> None:
        self._limit = limit
        self._failpoints = failpoints
        self._recorder = recorder or NullRecorder()
        self._handed: SimpleQueue[list[_Job] | None] = SimpleQueue()
        self._gathered: list[_Job] = []
        self._committing = False
        self._seen = 0
        self._turns = 0
        self._waiting = 0
        self._failure: str | None = None
        self._thread: threading.Thread | None = None

    def start(self, connection: sqlite3.Connection) -> None:
        """From now on the connection is the thread's alone; it is closed by `stop`."""
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._thread = threading.Thread(
            target=self._serve, args=(connection,), name="migd-sqlite-writer", daemon=True
        )
        self._thread.start()

    def submit(
        self,
        work: Callable[[Transaction], T],
        applied: Callable[[T], None] | None = None,
        *,
        bounded: bool = True,
    ) -> asyncio.Future[T]:
        """The future of `work`'s result, there after its commit.

        `applied` runs on the event loop just before, in the order of the commits, even when nobody waits for
        the future any more. The future fails with what `work` raised, or MIG_UNAVAILABLE. Raises MigFault
        MIG_BACKPRESSURE when too much waits already and it is `bounded`, MIG_UNAVAILABLE when not started.
        """
        if self._thread is None:
            raise unavailable("it is not open")
        if bounded and self._waiting >= self._limit:
            raise MigFault(
                MigErrorCode.MIG_BACKPRESSURE, "the store has as much to write as it may", retry_after_s=1.0
            )
        future: asyncio.Future[T] = self._loop.create_future()
        if not self._gathered and not self._committing:
            self._loop.call_soon(self._gather)
        self._gathered.append(_Job(work, applied, future))
        self._waiting += 1
        return future

    @property
    def waiting(self) -> int:
        """Operations that have no outcome yet."""
        return self._waiting

    def health(self) -> str | None:
        """Why the last transaction failed; None when it did not."""
        return self._failure

    async def stop(self) -> None:
        """Commit what was submitted, and close the connection."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._hand_over()
        self._handed.put(None)
        await self._ended
        thread.join()

    def _gather(self) -> None:
        number = len(self._gathered)
        if number == self._seen or number >= _ENOUGH or self._turns >= _TURNS:
            self._hand_over()
            return
        self._seen = number
        self._turns += 1
        self._loop.call_soon(self._gather)

    def _hand_over(self) -> None:
        self._seen = self._turns = 0
        if self._gathered:
            self._committing = True
            self._handed.put(self._gathered)
            self._gathered = []

    def _resolve(
        self, jobs: list[_Job], outcomes: list[Outcome], failure: str | None, seconds: float
    ) -> None:
        self._failure = failure
        if failure is None:
            self._recorder.committed(len(jobs), seconds)
        self._committing = False
        if self._gathered:
            self._loop.call_soon(self._gather)
        self._waiting -= len(jobs)
        for job, (result, error) in zip(jobs, outcomes, strict=True):
            if error is None and job.applied is not None:
                job.applied(result)
            if job.future.done():
                continue
            if error is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(error)

    # -- in the thread -----------------------------------------------------------------------------

    def _serve(self, connection: sqlite3.Connection) -> None:
        while (jobs := self._handed.get()) is not None:
            begun = perf_counter()
            outcomes, failure = commit(connection, [job.work for job in jobs], self._failpoints)
            self._tell(self._resolve, jobs, outcomes, failure, perf_counter() - begun)
        connection.close()
        self._tell(self._ended.set_result, None)

    def _tell(self, callback: Callable[..., None], *arguments: Any) -> None:
        # A loop that was closed without `stop` has nobody left in it to be told.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *arguments)
