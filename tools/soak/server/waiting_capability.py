"""A capability that is never done: what is cancelled must be running, however fast the machine is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from migd.capability import capability


@capability(id="soak.wait")
async def wait(_: dict[str, Any]) -> dict[str, Any]:
    """Wait until someone stops it."""
    await asyncio.Event().wait()
    return {}


@wait.stream
async def wait_aloud(payload: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """Say that it runs, then wait."""
    yield {"waiting": True}
    yield await wait(payload)
