"""What the writer knows of one topic: its place, and which of its oldest events retention has passed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from migd.stores.sqlite.event_rows import first_since
from migd.stores.sqlite.transaction import Transaction

SAVE = """INSERT INTO topics (id, tenant_id, name, head, first, end_bytes, first_bytes, own)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET head = excluded.head, first = excluded.first,
        end_bytes = excluded.end_bytes, first_bytes = excluded.first_bytes,
        own = excluded.own"""
_OLDEST = """SELECT end_bytes FROM events WHERE topic_id = ? AND sequence >= ? ORDER BY sequence LIMIT ?"""
_AT = "SELECT published_at FROM events WHERE topic_id = ? AND sequence = ?"
_ENDS_AT = "SELECT end_bytes FROM events WHERE topic_id = ? AND sequence = ?"
_DELETE = "DELETE FROM events WHERE topic_id = ? AND sequence >= ? AND sequence < ?"

AHEAD = 64
"""Of so many of its oldest events a topic knows the size, and after so many it deletes what it dropped: what
trimming costs is spread over as many appends."""


class TopicLog:
    """Sequences `first` to `head` are retained; `owed` rows below `first` are still to be deleted.

    `own` is the last event that was published on this gateway, 0 when there is none.
    """

    __slots__ = (
        "_ends",
        "_touched",
        "_undeleted",
        "end_bytes",
        "first",
        "first_bytes",
        "head",
        "id",
        "name",
        "owed",
        "own",
        "tenant_id",
    )

    def __init__(
        self,
        topic_id: int,
        tenant_id: str,
        name: str,
        head: int = 0,
        first: int = 1,
        end_bytes: int = 0,
        first_bytes: int = 0,
        own: int = 0,
        owed: int = 0,
    ) -> None:
        self.id = topic_id
        self.tenant_id = tenant_id
        self.name = name
        self.head = head
        self.first = first
        self.end_bytes = end_bytes
        self.first_bytes = first_bytes
        self.own = own
        self.owed = owed
        self._ends: deque[int] = deque()
        self._undeleted = 0
        self._touched: Transaction | None = None

    @property
    def count(self) -> int:
        return self.head - self.first + 1

    @property
    def size(self) -> int:
        """Bytes of the retained bodies."""
        return self.end_bytes - self.first_bytes

    def touch(self, transaction: Transaction) -> None:
        """To be called before a change: without a commit it is as if there had been none."""
        if self._touched is not transaction:
            self._touched = transaction
            transaction.on_rollback(self._restoring())

    def save(self, transaction: Transaction) -> None:
        transaction.put(
            SAVE,
            self.id,
            (
                self.id,
                self.tenant_id,
                self.name,
                self.head,
                self.first,
                self.end_bytes,
                self.first_bytes,
                self.own,
            ),
        )

    def grow(self, size: int, *, own: bool) -> None:
        """One more event, published here or taken from another gateway."""
        self.head += 1
        if own:
            self.own = self.head
        self.end_bytes += size

    def drop_oldest(self, transaction: Transaction) -> None:
        """Retain one event less; now and then, delete what was dropped."""
        if not self._ends:
            transaction.flush()
            rows = transaction.connection.execute(_OLDEST, (self.id, self.first, AHEAD))
            self._ends.extend(row[0] for row in rows)
        self.first += 1
        self.first_bytes = self._ends.popleft()
        self.owed += 1
        self._undeleted += 1
        if self._undeleted >= AHEAD:
            # More than was dropped meanwhile, so that what age has left behind goes as well.
            self._undeleted = 0
            self.delete(transaction, 2 * AHEAD)

    def drop_older(self, transaction: Transaction, oldest: int) -> bool:
        """Retain nothing that was published before `oldest`; whether there was such a thing."""
        transaction.flush()
        row = transaction.connection.execute(_AT, (self.id, self.first)).fetchone()
        if row is None or row[0] >= oldest:
            return False
        first = first_since(transaction.connection, self.id, self.first, self.head, oldest)
        ends_at = transaction.connection.execute(_ENDS_AT, (self.id, first - 1)).fetchone()
        self.touch(transaction)
        self.owed += first - self.first
        self.first = first
        self.first_bytes = ends_at[0]
        self._ends.clear()
        self.save(transaction)
        return True

    def delete(self, transaction: Transaction, most: int) -> int:
        """Delete at most so many of the rows that are owed; how many it was."""
        number = min(self.owed, most)
        if number:
            self.touch(transaction)
            transaction.flush()
            lowest = self.first - self.owed
            transaction.connection.execute(_DELETE, (self.id, lowest, lowest + number))
            self.owed -= number
        return number

    def _restoring(self) -> Callable[[], None]:
        before = (self.head, self.first, self.end_bytes, self.first_bytes, self.own, self.owed)

        def restore() -> None:
            self.head, self.first, self.end_bytes, self.first_bytes, self.own, self.owed = before
            self._ends.clear()
            self._touched = None

        return restore
