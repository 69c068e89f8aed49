"""Reading Server-Sent Events as a client does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp


@dataclass(frozen=True, slots=True)
class Event:
    """One event; a comment has the kind "comment" and its text as data."""

    kind: str
    id: str
    data: Any


class EventReader:
    """The events of one response, one at a time."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self) -> Event:
        """Raises EOFError when the server has ended the stream."""
        fields: dict[str, str] = {}
        while True:
            line = (await self.response.content.readline()).decode()
            if not line:
                raise EOFError
            if line == "\n":
                return Event(fields.get("event", "comment"), fields.get("id", ""), _value(fields))
            name, _, value = line.rstrip("\n").partition(":")
            fields[name] = value.removeprefix(" ")

    async def take(self, count: int) -> list[Event]:
        return [await self.next() for _ in range(count)]


@asynccontextmanager
async def subscribed(
    http: aiohttp.ClientSession, topic: str, query: str = "", tenant: str = "acme", **headers: str
) -> AsyncIterator[EventReader]:
    """A subscription whose status has been read; it is left at the end of the block."""
    fields = {"X-Tenant-ID": tenant, **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with http.get(f"/mig/v0.1/subscribe/{topic}{query}", headers=fields) as response:
        assert response.status == 200, await response.read()
        yield EventReader(response)


def _value(fields: dict[str, str]) -> Any:
    return json.loads(fields["data"]) if "data" in fields else fields.get("")
