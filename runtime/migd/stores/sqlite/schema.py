"""The tables, and how a file of an earlier version becomes one of this.

A step, once released, is never edited: a change is a new step at the end. The file's version is
`PRAGMA user_version`, the number of steps that it has seen.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from migd.stores.sqlite.audit_migration import seal_format_1
from migd.stores.sqlite.errors import StoreError

APPLICATION_ID = 0x4D494744
""""MIGD", in the header of every file of ours."""

Step = tuple[str | Callable[[sqlite3.Connection], None], ...]
"""Statements, and functions for what SQL can not say."""

# Times are microseconds since the Unix epoch. In `topics`, `first` is the lowest sequence that is retained:
# rows below it are leavings that the trimmer has not come to. `end_bytes` counts all bodies ever appended up
# to and with an event, so that the size of any run of events is one subtraction.
MIGRATIONS: tuple[Step, ...] = (
    (
        """CREATE TABLE topics (
            id INTEGER PRIMARY KEY,
            tenant_id TEXT NOT NULL,
            name TEXT NOT NULL,
            head INTEGER NOT NULL,
            first INTEGER NOT NULL,
            end_bytes INTEGER NOT NULL,
            first_bytes INTEGER NOT NULL,
            UNIQUE (tenant_id, name)
        )""",
        """CREATE TABLE events (
            topic_id INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            event_id TEXT NOT NULL,
            published_at INTEGER NOT NULL,
            end_bytes INTEGER NOT NULL,
            idempotency_key TEXT,
            body BLOB NOT NULL,
            PRIMARY KEY (topic_id, sequence)
        )""",
        """CREATE UNIQUE INDEX events_by_key ON events (topic_id, idempotency_key)
            WHERE idempotency_key IS NOT NULL""",
        """CREATE TABLE idempotency (
            id INTEGER PRIMARY KEY,
            tenant_id TEXT NOT NULL,
            capability TEXT NOT NULL,
            idempotency_key TEXT NOT NULL,
            expires_at INTEGER NOT NULL,
            digest BLOB NOT NULL,
            payload BLOB NOT NULL,
            UNIQUE (tenant_id, capability, idempotency_key)
        )""",
        "CREATE INDEX idempotency_by_expiry ON idempotency (expires_at)",
        """CREATE TABLE tombstones (
            id INTEGER PRIMARY KEY,
            tenant_id TEXT NOT NULL,
            message_id TEXT NOT NULL,
            expires_at INTEGER NOT NULL,
            reason TEXT NOT NULL,
            UNIQUE (tenant_id, message_id)
        )""",
        "CREATE INDEX tombstones_by_expiry ON tombstones (expires_at)",
        "CREATE TABLE capabilities (id TEXT PRIMARY KEY, descriptor BLOB NOT NULL)",
        "CREATE TABLE schemas (uri TEXT PRIMARY KEY, document BLOB NOT NULL)",
        """CREATE TABLE quotas (
            tenant_id TEXT PRIMARY KEY,
            max_invocations INTEGER NOT NULL,
            used INTEGER NOT NULL
        )""",
        """CREATE TABLE usage (
            tenant_id TEXT NOT NULL,
            capability TEXT NOT NULL,
            invocations INTEGER NOT NULL,
            PRIMARY KEY (tenant_id, capability)
        )""",
        """CREATE TABLE audit (
            first INTEGER PRIMARY KEY,
            records INTEGER NOT NULL,
            lines BLOB NOT NULL
        )""",
        """CREATE TABLE directory (
            kind TEXT NOT NULL,
            id TEXT NOT NULL,
            entry BLOB NOT NULL,
            PRIMARY KEY (kind, id)
        )""",
        "CREATE TABLE probe (id INTEGER PRIMARY KEY, written_at INTEGER NOT NULL)",
    ),
    (
        """CREATE TABLE consumers (
            tenant_id TEXT NOT NULL,
            topic TEXT NOT NULL,
            consumer_id TEXT NOT NULL,
            position INTEGER NOT NULL,
            seen_at INTEGER NOT NULL,
            PRIMARY KEY (tenant_id, topic, consumer_id)
        ) WITHOUT ROWID""",
    ),
    ("CREATE TABLE server (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL)",),
    (
        "ALTER TABLE audit RENAME TO audit_1",
        """CREATE TABLE audit (
            first INTEGER PRIMARY KEY,
            records INTEGER NOT NULL,
            oldest_at INTEGER NOT NULL,
            newest_at INTEGER NOT NULL,
            lines BLOB NOT NULL
        )""",
        seal_format_1,
        "DROP TABLE audit_1",
    ),
    # Mirroring: `own` is a topic's last event that was published here, `mirrored` the last of them that is
    # known to have gone out; `log` names the log of the gateway that an event was published on, NULL here;
    # `previous` is the one before it of a topic's events that were published here.
    (
        "ALTER TABLE events ADD COLUMN log TEXT",
        "ALTER TABLE events ADD COLUMN previous INTEGER",
        "UPDATE events SET previous = sequence - 1",
        "ALTER TABLE topics ADD COLUMN own INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE topics ADD COLUMN mirrored INTEGER NOT NULL DEFAULT 0",
        "UPDATE topics SET own = head",
        "CREATE TABLE mirror (id INTEGER PRIMARY KEY, log TEXT NOT NULL, begun INTEGER NOT NULL)",
        """CREATE TABLE sources (
            log TEXT PRIMARY KEY,
            joined INTEGER NOT NULL,
            heard_at INTEGER NOT NULL
        )""",
        """CREATE TABLE taken (
            log TEXT NOT NULL,
            tenant_id TEXT NOT NULL,
            topic TEXT NOT NULL,
            sequence INTEGER NOT NULL,
            PRIMARY KEY (log, tenant_id, topic)
        )""",
    ),
)


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Step] = MIGRATIONS) -> None:
    """Bring the file up to date, each step in a transaction of its own.

    Raises StoreError for a file of a newer migd, or of another program.
    """
    version = check(connection, path, len(migrations))
    if version == 0:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for number in range(version, len(migrations)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for part in migrations[number]:
                if callable(part):
                    part(connection)
                else:
                    connection.execute(part)
            connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def check(connection: sqlite3.Connection, path: Path, newest: int = len(MIGRATIONS)) -> int:
    """The file's version, 0 for an empty one. Raises StoreError as `migrate` does."""
    ours = connection.execute("PRAGMA application_id").fetchone()[0]
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and ours != APPLICATION_ID:
        raise StoreError(f"{path} is a SQLite database, but not one of migd's")
    if version > newest:
        raise StoreError(
            f"{path} is from a newer migd (format {version}, this one knows up to {newest}): upgrade migd"
        )
    return version
