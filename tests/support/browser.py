"""A real browser that looks at pages, and remembers what they complained about and whom they asked."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, WebSocket, expect, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Nothing that a browser does of its own accord over a network; no sandbox, since containers run it as root.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PATIENCE_MS = 15_000
CHROMIUM = next((found for name in _NAMES if (found := shutil.which(name))), None)

MISSING = CHROMIUM is None and os.environ.get("MIGD_TEST_BROWSER") != "required"
"""Tests with a browser are skipped: there is none, and nobody demands them."""


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Chromium as the system has it; `CHROMIUM` is None where there is none."""
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """One tab. `complaints` are errors and warnings of scripts and policies; `asked` every URL."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.set_default_timeout(_PATIENCE_MS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._request)
        page.on("websocket", self._websocket)

    def hosts(self) -> set[str]:
        return {urlsplit(url).netloc for url in self.asked}

    def count(self, part: str) -> int:
        """How many requests had it in their URL."""
        return sum(part in url for url in self.asked)

    def _console(self, message: ConsoleMessage) -> None:
        # A refusal that the server answers is the page's business, not a fault of its scripts.
        if (
            message.type in ("error", "warning")
            and "the server responded with a status of" not in message.text
        ):
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        self.asked.append(request.url)

    def _websocket(self, socket: WebSocket) -> None:
        self.asked.append(socket.url)


@contextmanager
def visit(browser: Browser, url: str, *, width: int = 1400, dark: bool = False) -> Iterator[Visit]:
    """A tab of its own, with nothing kept from another; closed at the end of the block."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
    )
    seen = Visit(context.new_page())
    try:
        seen.page.goto(url)
        yield seen
    finally:
        context.close()
