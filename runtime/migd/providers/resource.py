"""What a capability needs for every call, made once: a model, a connection pool."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.provider import Health
from migd.providers.exits import no_exit
from migd.providers.threads import Threads

_log = logging.getLogger(__name__)


class Resource:
    """The result of a capability's resource function, from `open` to `close`.

    One that can not be made is a capability that can not be served: it takes down neither the gateway
    nor its neighbours, and says why in `health` and in the log.
    """

    def __init__(self, capability: str, maker: Callable[[], Any] | None, threads: Threads) -> None:
        self._capability = capability
        self._maker = maker
        self._threads = threads
        self._open = AsyncExitStack()
        self._settled = asyncio.Event()
        self._value: Any = None
        self._health = Health(ok=maker is None, reason="" if maker is None else "not started yet")

    async def open(self) -> None:
        """Make it: in a thread if its function blocks, so that the event loop goes on."""
        if self._maker is None:
            return
        self._health = Health(ok=False, reason="still starting")
        try:
            with no_exit(self._capability):
                self._value = await self._make(self._maker)
        except Exception:
            _log.exception("%s: %s failed", self._capability, self._maker.__qualname__)
            # Callers get to see the reason: the error itself is for the log alone.
            self._health = Health(ok=False, reason="could not start; the gateway's log says why")
        else:
            self._health = Health(ok=True)
        finally:
            self._settled.set()

    async def get(self) -> Any:
        """The resource; waits while it is being made. Raises MigFault MIG_UNAVAILABLE when that failed."""
        if self._health.ok:
            return self._value
        await self._settled.wait()
        if not self._health.ok:
            raise MigFault(MigErrorCode.MIG_UNAVAILABLE, f"{self._capability} could not start")
        return self._value

    async def close(self) -> None:
        """Run the clean-up of a resource that is an async generator."""
        await self._open.aclose()

    def health(self) -> Health:
        return self._health

    async def _make(self, maker: Callable[[], Any]) -> Any:
        if inspect.isasyncgenfunction(maker):
            return await self._open.enter_async_context(asynccontextmanager(maker)())
        if inspect.iscoroutinefunction(maker):
            return await maker()
        return await self._threads.call(maker)
