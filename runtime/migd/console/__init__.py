"""The pages for people: /ui, the console, and /docs, the API reference.

Importing this costs nothing: Starlette and Jinja2 are loaded, and the pages built, when the first one is
asked for, so that the gateway's start does not wait for them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from migd.console.port import PagesGateway

__all__ = ["PAGES_PREFIXES", "build_pages"]

# A path is the pages' when it is one of these or goes on after it with a slash.
PAGES_PREFIXES = ("/ui", "/docs")


def build_pages(gateway: PagesGateway, *, auth_mode: str, warning: str = "") -> ASGIApp:
    """An ASGI app for the paths under `PAGES_PREFIXES`; it has no lifespan.

    `auth_mode` is "none", "jwt" or "mtls": whether the console has to ask for a token. `warning` is what the
    console's page says above everything else.
    """
    return _Pages(gateway, auth_mode, warning)


class _Pages:
    """Builds the application at the first request, in a thread: the event loop goes on serving calls."""

    def __init__(self, gateway: PagesGateway, auth_mode: str, warning: str) -> None:
        self._gateway = gateway
        self._auth_mode = auth_mode
        self._warning = warning
        self._application: ASGIApp | None = None
        self._building = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._building:
            if self._application is None:
                self._application = await asyncio.to_thread(self._build)
        await self._application(scope, receive, send)

    def _build(self) -> ASGIApp:
        from migd.console.application import build_application

        return build_application(self._gateway, auth_mode=self._auth_mode, warning=self._warning)
