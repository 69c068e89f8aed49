"""`sys.exit()` in an application's code ends its call, not the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_exit(capability: str) -> Iterator[None]:
    """Turns SystemExit, which asyncio lets end the process, into an error like any other."""
    try:
        yield
    except SystemExit as error:
        raise RuntimeError(f"{capability} called sys.exit({error.code!r})") from error
