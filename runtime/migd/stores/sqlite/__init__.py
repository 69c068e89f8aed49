"""The store in one SQLite file (WAL), which is the default: `SqliteStore`, and `backup` beside it.

`writer` is the one thread that commits, `transaction` what a commit is, `reader` a second connection that
only reads, `schema` the tables. Every other module is one part of the port, or serves one.
"""

from migd.stores.sqlite.errors import StoreError, StoreFolderError
from migd.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore", "StoreError", "StoreFolderError"]
