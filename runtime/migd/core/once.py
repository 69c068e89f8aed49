"""Idempotency: one execution per tenant, capability and key (protocol section 2, INVOKE)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

import msgspec

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.core.limits import Limits
from migd.core.ports import IdempotencyRecord, IdempotencyStore
from migd.core.provider import JsonObject

_canonical = msgspec.json.Encoder(order="sorted").encode
_Key = tuple[str, str, str]


class _Running:
    """The first call under a key, until its success is kept or it has failed."""

    __slots__ = ("digest", "keeping", "over")

    def __init__(self, digest: bytes) -> None:
        self.digest = digest
        self.keeping: asyncio.Future[None] | None = None
        self.over = asyncio.Event()


class Once:
    """Runs the first call under a key, lets the others wait, and gives its success to all of them.

    One that dies between the provider's success and the record of it leaves no trace, so that its repetition
    runs again: at least once over a crash, once without.
    """

    def __init__(self, store: IdempotencyStore, limits: Limits) -> None:
        self._store = store
        self._window_s = limits.idempotency_window_s
        self._most_waiting = limits.max_concurrent_invocations
        self._running: dict[_Key, _Running] = {}
        self._waiting = 0

    def configure(self, limits: Limits) -> None:
        """Other limits, for calls that come from now on."""
        self._window_s = limits.idempotency_window_s
        self._most_waiting = limits.max_concurrent_invocations

    async def run(
        self,
        key: _Key,
        payload: JsonObject,
        execute: Callable[[], Awaitable[JsonObject]],
    ) -> tuple[JsonObject, bool]:
        """The first success under `key`, and whether it is given again rather than run now.

        A failure is not kept: the next caller that waited runs. Raises MigFault MIG_INVALID_REQUEST for
        another payload under the same key, MIG_BACKPRESSURE when too many wait, and what `execute` and the
        store raise: a success that could not be kept is not given.
        """
        digest = hashlib.sha256(_canonical(payload)).digest()
        while (first := self._running.get(key)) is not None:
            _same(first.digest, digest)
            await self._wait_for(first)
        running = self._running[key] = _Running(digest)
        try:
            kept = await self._store.get(*key)
            if kept is not None:
                _same(kept.digest, digest)
                return kept.payload, True
            answer = await execute()
            await self._keep(key, running, IdempotencyRecord(digest, answer))
            return answer, False
        finally:
            if running.keeping is None:
                self._release(key)

    async def _wait_for(self, first: _Running) -> None:
        if self._waiting >= self._most_waiting:
            raise MigFault(
                MigErrorCode.MIG_BACKPRESSURE,
                "as many callers wait for the answer of another as may",
                retry_after_s=1.0,
            )
        self._waiting += 1
        try:
            await first.over.wait()
        finally:
            self._waiting -= 1

    async def _keep(self, key: _Key, running: _Running, record: IdempotencyRecord) -> None:
        """A caller that is stopped meanwhile goes; the key is not free before the record is there."""

        def kept(keeping: asyncio.Future[None]) -> None:
            if not keeping.cancelled():
                # Looked at, since the caller that would hear of a failure may be gone.
                keeping.exception()
            self._release(key)

        running.keeping = asyncio.ensure_future(self._store.put(*key, record, self._window_s))
        running.keeping.add_done_callback(kept)
        await asyncio.shield(running.keeping)

    def _release(self, key: _Key) -> None:
        self._running.pop(key).over.set()


def _same(first: bytes, second: bytes) -> None:
    if first != second:
        raise MigFault(
            MigErrorCode.MIG_INVALID_REQUEST,
            "this idempotency_key was used with another payload for this capability",
        )
