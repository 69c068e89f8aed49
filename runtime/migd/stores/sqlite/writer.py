"""How the event loop hands its writes to the one thread that commits them (group commit)."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
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


class Writer:
    """A thread that takes all operations that wait, runs them in one transaction, and tells them all at once.

    While one transaction is being committed the next one gathers, so the more is in flight, the less a commit
    costs each. At most `limit` operations wait.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._handed: SimpleQueue[list[_Job] | None] = SimpleQueue()
        self._gathered: list[_Job] = []
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
        if not self._gathered:
            # At the end of the loop's turn: what came in together is committed together.
            self._loop.call_soon(self._hand_over)
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

    def _hand_over(self) -> None:
        if self._gathered:
            self._handed.put(self._gathered)
            self._gathered = []

    def _resolve(self, jobs: list[_Job], outcomes: list[Outcome], failure: str | None) -> None:
        self._failure = failure
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
        more = True
        while more:
            jobs, more = self._take()
            if jobs:
                outcomes, failure = commit(connection, [job.work for job in jobs])
                self._tell(self._resolve, jobs, outcomes, failure)
        connection.close()
        self._tell(self._ended.set_result, None)

    def _tell(self, callback: Callable[..., None], *arguments: Any) -> None:
        # A loop that was closed without `stop` has nobody left in it to be told.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *arguments)

    def _take(self) -> tuple[list[_Job], bool]:
        """Everything that waits, at least one hand-over; False once there will be no more."""
        handed = self._handed.get()
        if handed is None:
            return [], False
        jobs = handed
        while True:
            try:
                handed = self._handed.get_nowait()
            except Empty:
                return jobs, True
            if handed is None:
                return jobs, False
            jobs += handed
