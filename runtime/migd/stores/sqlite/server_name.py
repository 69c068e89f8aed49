"""The name of the gateway whose store it is: a gateway that starts again is the same one to the others."""

from __future__ import annotations

import sqlite3

_KEEP = "INSERT OR IGNORE INTO server (id, name) VALUES (1, ?)"
_KEPT = "SELECT name FROM server"


def named(connection: sqlite3.Connection, proposed: str) -> str:
    """The name that the file has, which is `proposed` from the first time on."""
    connection.execute(_KEEP, (proposed,))
    return str(connection.execute(_KEPT).fetchone()[0])
