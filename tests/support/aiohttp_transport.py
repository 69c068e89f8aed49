"""The HTTP client stub's transport on aiohttp, as a user of the stub would write it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from aiohttp import ClientResponse, ClientSession
from yarl import URL

from mig_protocol.http_client import Headers, HttpStream


class AiohttpTransport:
    """Sends to one server.

    `requests` keeps what was sent (method, target as on the wire, headers), `streams` the bodies given out.
    """

    def __init__(self, session: ClientSession, base: str) -> None:
        self._session = session
        self._base = base
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.streams: list[AsyncGenerator[bytes, None]] = []

    async def send(
        self, method: str, url_path: str, query: str, headers: Headers, body: bytes
    ) -> tuple[int, Headers, bytes]:
        async with self._session.request(
            method, self._url(method, url_path, query, headers), headers=dict(headers), data=body
        ) as response:
            return response.status, list(response.headers.items()), await response.read()

    async def stream(self, method: str, url_path: str, query: str, headers: Headers) -> HttpStream:
        response = await self._session.request(
            method, self._url(method, url_path, query, headers), headers=dict(headers)
        )
        chunks = _chunks(response)
        self.streams.append(chunks)
        return HttpStream(response.status, list(response.headers.items()), chunks)

    def _url(self, method: str, url_path: str, query: str, headers: Headers) -> URL:
        target = f"{url_path}?{query}" if query else url_path
        self.requests.append((method, target, dict(headers)))
        return URL(self._base + target, encoded=True)


async def _chunks(response: ClientResponse) -> AsyncGenerator[bytes, None]:
    try:
        async for chunk in response.content.iter_any():
            yield chunk
    finally:
        response.close()
