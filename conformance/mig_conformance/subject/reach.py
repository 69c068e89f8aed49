"""Does anybody answer at the endpoints?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout

from mig_conformance.flaws import UnreachableError
from mig_conformance.subject.subject import Endpoints

_DEFAULT_PORTS = {"http": 80, "https": 443, "nats": 4222, "tls": 4222}
_CONNECT_S = 5.0
_BETWEEN_S = 0.05


async def reach(endpoints: Endpoints) -> None:
    """Raises UnreachableError for the first endpoint that takes no connection."""
    for name, host, port in _addresses(endpoints):
        if not await _connects(host, port):
            raise UnreachableError(
                f"nobody answers at {host}:{port}; is the server running, and is --{name} right?"
            )


async def until_ready(all_of: Iterable[Endpoints], ready: str | None) -> None:
    """Waits until `ready`, a URL, answers with status 2xx, and until all endpoints take connections."""
    while ready is not None and not await _answers(ready):  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(_BETWEEN_S)
    for _, host, port in (address for endpoints in all_of for address in _addresses(endpoints)):
        while not await _connects(host, port):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(_BETWEEN_S)


def _addresses(endpoints: Endpoints) -> Iterator[tuple[str, str, int]]:
    for name, said in (("http", endpoints.http), ("grpc", endpoints.grpc), ("nats", endpoints.nats)):
        if said is not None:
            split = urlsplit(said if "://" in said else f"//{said}")
            yield name, split.hostname or "", split.port or _DEFAULT_PORTS.get(split.scheme, 0)


async def _connects(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(_CONNECT_S):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


async def _answers(url: str) -> bool:
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=_CONNECT_S)) as session,
            session.get(url) as response,
        ):
            return response.status // 100 == 2
    except (ClientError, TimeoutError):
        return False
