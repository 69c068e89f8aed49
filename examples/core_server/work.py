"""Invocations while they run: their deadlines, their cancellation, and what is kept under their keys."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core_server.messages import JsonObject, RefusedError

_AT_ONCE = 256
_REMEMBERED = 10_000
_CANCEL_WINDOW_S = 300.0
_KEY_WINDOW_S = 24 * 3600.0

Id = tuple[str, str]
Key = tuple[str, str, str]
Run = Callable[[], Awaitable[JsonObject]]
_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(slots=True)
class _Kept:
    """The first call under a key; `answer` is None until it has succeeded."""

    payload: str
    until: float
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    answer: JsonObject | None = None


class Work:
    """Invocations are known by tenant and message id, idempotency keys by tenant, capability and key."""

    def __init__(self) -> None:
        self._running: dict[Id, set[asyncio.Task[Any]]] = {}
        self._reasons: dict[asyncio.Task[Any], str | None] = {}
        self._over: dict[Id, None] = {}
        self._cancelled: dict[Id, tuple[float, str | None]] = {}
        self._kept: dict[Key, _Kept] = {}

    async def run(self, id: Id, work: Coroutine[Any, Any, _V], until: float, deadline_ms: int) -> _V:
        """What the work gives before the event loop's time `until`. Raises MIG_TIMEOUT when it is late or
        cancelled; it is stopped then, and has ended [MIG-INV-010, MIG-INV-011, MIG-CAN-005].
        """
        if sum(map(len, self._running.values())) >= _AT_ONCE:
            work.close()
            raise RefusedError("MIG_BACKPRESSURE", f"{_AT_ONCE} invocations are running; try again later")
        task = asyncio.ensure_future(work)
        self._running.setdefault(id, set()).add(task)
        try:
            async with asyncio.timeout_at(until):
                return await task
        except TimeoutError:
            details = {"deadline_ms": deadline_ms}
            raise RefusedError(
                "MIG_TIMEOUT", f"the deadline of {deadline_ms} ms has passed", details=details
            ) from None
        except asyncio.CancelledError:
            if task not in self._reasons:
                raise
            raise _cancelled(self._reasons.pop(task)) from None
        finally:
            self._running[id].discard(task)
            if not self._running[id]:
                del self._running[id]
            remember(self._over, id, None)

    async def cancel(self, id: Id, reason: str | None) -> str:
        """The status for the CancelAck."""
        if tasks := self._running.get(id):
            self._reasons.update(dict.fromkeys(tasks, reason))
            for task in tasks:
                task.cancel()
            await asyncio.wait(set(tasks))
            return "cancelled"
        if id in self._over:
            return "completed"
        remember(self._cancelled, id, (time.monotonic() + _CANCEL_WINDOW_S, reason))
        return "pending"

    def refuse_cancelled(self, id: Id) -> None:
        """Raises MIG_TIMEOUT for what was cancelled before it arrived [MIG-INV-006]."""
        until, reason = self._cancelled.get(id, (0.0, None))
        if time.monotonic() < until:
            raise _cancelled(reason)

    async def once(self, key: Key, payload: JsonObject, run: Run) -> tuple[JsonObject, bool]:
        """The first success under the key, and whether it is given again [MIG-IDM-001 to 006]."""
        said = json.dumps(payload, sort_keys=True)
        while (first := self._kept.get(key)) is not None and time.monotonic() < first.until:
            if first.payload != said:
                raise RefusedError("MIG_INVALID_REQUEST", "the idempotency_key was used with another payload")
            await first.ended.wait()
            if first.answer is not None:
                return first.answer, True
        first = _Kept(said, time.monotonic() + _KEY_WINDOW_S)
        remember(self._kept, key, first)
        try:
            first.answer = await run()
        finally:
            first.ended.set()
            if first.answer is None and self._kept.get(key) is first:
                del self._kept[key]
        return first.answer, False


def remember(kept: dict[_K, _V], key: _K, value: _V) -> None:
    """As the newest; the oldest is forgotten where there are too many."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > _REMEMBERED:
        del kept[next(iter(kept))]


def _cancelled(reason: str | None) -> RefusedError:
    details: JsonObject = {"cancelled": True} if reason is None else {"cancelled": True, "reason": reason}
    return RefusedError("MIG_TIMEOUT", "the invocation was cancelled", details=details)
