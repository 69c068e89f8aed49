"""A service that never answers, and knows when its caller has hung up."""

from __future__ import annotations

import asyncio

from aiohttp import web


class Waiting:
    """`first` is written at once, as the beginning of an NDJSON answer; None writes nothing."""

    def __init__(self, first: bytes | None = None) -> None:
        self.first = first
        self.asked = asyncio.Event()
        self.left = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        if self.first is not None:
            await response.prepare(request)
            await response.write(self.first)
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.left.set()
        return response
