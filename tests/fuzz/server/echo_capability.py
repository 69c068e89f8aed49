"""A capability that takes any payload, so that generated ones are answered and not only refused."""

from __future__ import annotations

from typing import Any

from migd.capability import capability


@capability(id="fuzz.echo")
async def echo(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload."""
    return payload
