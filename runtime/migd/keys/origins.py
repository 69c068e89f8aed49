"""Where a key set lies: a file, or a server that is asked over HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from migd.keys.jwk_set import MAX_BYTES, KeySetError

if TYPE_CHECKING:
    from aiohttp import StreamReader

_TIMEOUT_S = 5.0
_OK = 200


class Origin(Protocol):
    """`str()` of it is how messages name it."""

    async def fetch(self) -> bytes:
        """The key set's bytes, MAX_BYTES + 1 of them at the most. Raises KeySetError."""


class KeyFile:
    """A file, read anew each time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    async def fetch(self) -> bytes:
        return await asyncio.to_thread(self._read)

    def _read(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
        except OSError as error:
            raise KeySetError(f"can not be read: {error.strerror}") from error


class KeyUrl:
    """Asked with a time-out; where it sends one on to is not followed, since it was not configured."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __str__(self) -> str:
        return self._url

    async def fetch(self) -> bytes:
        # A tenth of a second and 14 MB, for those only who ask a server.
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session,
                session.get(
                    self._url, allow_redirects=False, headers={"Accept-Encoding": "identity"}
                ) as answer,
            ):
                if answer.status != _OK:
                    raise KeySetError(f"was answered with status {answer.status}")
                return await _first_bytes(answer.content)
        except TimeoutError:
            raise KeySetError(f"gave no answer in {_TIMEOUT_S:g} seconds") from None
        except aiohttp.ClientError as error:
            raise KeySetError(f"can not be reached: {type(error).__name__}") from error


async def _first_bytes(stream: StreamReader) -> bytes:
    data = b""
    while len(data) <= MAX_BYTES and (more := await stream.read(MAX_BYTES + 1 - len(data))):
        data += more
    return data
