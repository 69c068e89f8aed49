"""A server of keys for a test to change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from support.local_web import serving
from support.signing_keys import key_set, rsa_key


class KeyServer:
    """Serves a key set, and counts how often it is asked."""

    def __init__(self) -> None:
        self.body = key_set([rsa_key()])
        self.status = 200
        self.headers: dict[str, str] = {}
        self.asked = 0
        self.url = ""

    async def handle(self, _request: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(body=self.body, status=self.status, headers=self.headers)


@asynccontextmanager
async def key_server() -> AsyncIterator[KeyServer]:
    keys = KeyServer()
    async with serving("GET", "/keys", keys.handle) as url:
        keys.url = f"{url}/keys"
        yield keys
