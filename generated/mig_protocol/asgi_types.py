# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""The shapes of ASGI 3, so that nothing here depends on a server or framework for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
