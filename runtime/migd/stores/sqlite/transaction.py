"""How operations that came in together become one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from mig_protocol.errors import MigFault
from migd.core.failpoints import UNARMED, Failpoint, Failpoints
from migd.stores.sqlite.errors import storage_failure, unavailable


class Transaction:
    """What the operations of one commit share.

    Rows of a statement that runs for many are gathered and written in one go: what a statement costs beside
    its rows is paid once per commit, and so is the interpreter's lock, let go and taken again around it.
    """

    __slots__ = ("_rows", "_undo", "connection")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._rows: dict[str, dict[Hashable, tuple[Any, ...]]] = {}
        self._undo: list[Callable[[], None]] = []

    def put(self, statement: str, key: Hashable, row: tuple[Any, ...]) -> None:
        """Run the statement with this row before the commit; a later row of the same key replaces it."""
        rows = self._rows.get(statement)
        if rows is None:
            rows = self._rows[statement] = {}
        rows[key] = row

    def flush(self) -> None:
        """Write what was put: for an operation that is about to read it, and before the commit."""
        for statement, rows in self._rows.items():
            self.connection.executemany(statement, rows.values())
        self._rows.clear()

    def on_rollback(self, undo: Callable[[], None]) -> None:
        """Have `undo` take back a change to memory if there is no commit. The last change goes first."""
        self._undo.append(undo)

    def roll_back(self) -> None:
        # A failure that SQLite has answered with a rollback of its own leaves nothing to roll back; one of
        # the rollback itself leaves nothing to do but to let the next transaction find out.
        if self.connection.in_transaction:
            with suppress(sqlite3.Error):
                self.connection.execute("ROLLBACK")
        for undo in reversed(self._undo):
            undo()


Work = Callable[[Transaction], Any]
"""Runs in the writer's thread. What it raises as a MigFault is its own refusal, raised before it has changed
anything; the rest of the transaction goes on."""


class Outcome(NamedTuple):
    """The result of one operation, or why it has none."""

    result: Any
    error: Exception | None


def commit(
    connection: sqlite3.Connection, works: Sequence[Work], failpoints: Failpoints = UNARMED
) -> tuple[list[Outcome], str | None]:
    """Run everything in one transaction; the outcomes in order, and why the file failed, if it did.

    If the file fails, all have failed. If one of the operations does, it is found by running each in a
    transaction of its own, and its neighbours do not notice.
    """
    transaction = Transaction(connection)
    try:
        connection.execute("BEGIN IMMEDIATE")
        outcomes = [_run(work, transaction) for work in works]
        transaction.flush()
        failpoints.reach(Failpoint.BEFORE_PERSIST)
        connection.execute("COMMIT")
    except Exception as error:
        transaction.roll_back()
        return _failed(connection, works, error, failpoints)
    failpoints.reach(Failpoint.AFTER_PERSIST_BEFORE_ACK)
    return outcomes, None


def _run(work: Work, transaction: Transaction) -> Outcome:
    try:
        return Outcome(work(transaction), None)
    except MigFault as refusal:
        return Outcome(None, refusal)


def _failed(
    connection: sqlite3.Connection, works: Sequence[Work], error: Exception, failpoints: Failpoints
) -> tuple[list[Outcome], str | None]:
    reason = storage_failure(error)
    if reason is not None:
        # One fault for each: a fault carries the header of the one request that it answers.
        return [Outcome(None, unavailable(reason)) for _ in works], reason
    if len(works) == 1:
        return [Outcome(None, error)], None
    alone = [commit(connection, [work], failpoints) for work in works]
    return [outcomes[0] for outcomes, _ in alone], next((reason for _, reason in alone if reason), None)
