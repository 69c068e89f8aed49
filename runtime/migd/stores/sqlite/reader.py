"""Reads of what is committed, beside the writer and off the event loop."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from migd.stores.sqlite.errors import storage_failure, unavailable
from migd.stores.sqlite.files import open_for_reading

T = TypeVar("T")


class Reader:
    """A thread with a connection that can only read."""

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None
        self._thread: ThreadPoolExecutor | None = None

    def start(self, path: Path) -> None:
        self._connection = open_for_reading(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="migd-sqlite-reader")

    async def run(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `query`, which sees every commit before this call.

        Raises MigFault MIG_UNAVAILABLE when the file can not be read.
        """
        if self._thread is None or self._connection is None:
            raise unavailable("it is not open")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, query, self._connection)
        except sqlite3.Error as error:
            reason = storage_failure(error)
            if reason is None:
                raise
            raise unavailable(reason) from error

    async def stop(self) -> None:
        """Wait for what runs, and close the connection."""
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.to_thread(thread.shutdown)
        if self._connection is not None:
            self._connection.close()
            self._connection = None
