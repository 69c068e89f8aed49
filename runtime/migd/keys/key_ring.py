"""Keys that are kept current: when they are fetched, and for how long they are good without.

1. They are fetched at the start, then every `lifetime_s`, and when a token names a key that is not here.
2. Before a fetch that a token causes, and after one that failed, `retry_s` have to pass: whoever invents key
   ids can not make the gateway ask somebody else's server more often than that.
3. While the origin gives nothing usable, the keys that are there go on for `stale_s`; then there are none.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from migd.core.clock import Clock
from migd.core.verification import VerificationKey
from migd.keys.jwk_set import KeySetError, read_key_set
from migd.keys.origins import KeyFile, Origin

_log = logging.getLogger("migd.keys")
# A token without a key id is tried with so many keys of its algorithm; each costs a signature's time.
_MOST_CANDIDATES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshing:
    """Seconds: `lifetime_s` between looks, `retry_s` at least before an extra one, `stale_s` without any."""

    lifetime_s: float
    retry_s: float
    stale_s: float


class KeyRing:
    """A KeySource. `start` it before the first token, `close` it at the end."""

    def __init__(self, origin: Origin, refreshing: Refreshing, clock: Clock) -> None:
        self.is_local = isinstance(origin, KeyFile)
        """Whether the keys are this machine's own, so that their absence is a mistake and no outage."""
        self._origin = origin
        self._refreshing = refreshing
        self._clock = clock
        self._keys: dict[tuple[str, str | None], list[VerificationKey]] = {}
        self._data = b""
        self._failure: KeySetError | None = None
        self._asked = self._fetched = -float("inf")
        self._wanted = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self.version = 0

    def __str__(self) -> str:
        return str(self._origin)

    async def start(self) -> None:
        """Fetch for the first time, and keep at it. That it failed is told by `obstacle`, and not raised."""
        await self._refresh()
        self._following = asyncio.create_task(self._follow())

    async def close(self) -> None:
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following

    def candidates(self, algorithm: str, kid: str | None) -> Sequence[VerificationKey]:
        if kid is not None:
            return self._keys.get((algorithm, kid), ())[:_MOST_CANDIDATES]
        fitting = [key for keys in self._keys.values() for key in keys if key.algorithm == algorithm]
        return fitting[:_MOST_CANDIDATES]

    def missed(self) -> None:
        if self._clock.monotonic() - self._asked >= self._refreshing.retry_s:
            self._wanted.set()

    def reload(self) -> None:
        """Fetch now, whenever the last time was: an operator asked for it."""
        self._wanted.set()

    async def probe(self) -> None:
        """Raises KeySetError where no usable keys are at the moment. Changes nothing here."""
        read_key_set(await self._origin.fetch())

    def obstacle(self) -> str | None:
        if self._keys or self._failure is None:
            return None
        return f"no keys to check tokens with: {self._origin} {self._failure}"

    async def _follow(self) -> None:
        while True:
            waiting_s = self._refreshing.retry_s if self._failure else self._refreshing.lifetime_s
            with suppress(TimeoutError):
                async with asyncio.timeout(waiting_s):
                    await self._wanted.wait()
            self._wanted.clear()
            await self._refresh()

    async def _refresh(self) -> None:
        self._asked = self._clock.monotonic()
        try:
            data = await self._origin.fetch()
            if data != self._data:
                # Only then: with another version, every token that is remembered is looked into again.
                self._replace(read_key_set(data), data)
        except KeySetError as failure:
            self._failed(failure)
        else:
            if self._failure is not None:
                _log.info("the keys are there again", extra={"origin": str(self._origin)})
            self._failure = None
            self._fetched = self._clock.monotonic()

    def _replace(self, keys: Sequence[VerificationKey], data: bytes) -> None:
        found: dict[tuple[str, str | None], list[VerificationKey]] = defaultdict(list)
        for key in keys:
            found[key.algorithm, key.kid].append(key)
        self._keys, self._data = dict(found), data
        self.version += 1

    def _failed(self, failure: KeySetError) -> None:
        if self._failure is None or str(failure) != str(self._failure):
            _log.warning("%s %s: the keys of tokens can not be renewed", self._origin, failure)
        self._failure = failure
        if self._keys and self._clock.monotonic() - self._fetched > self._refreshing.stale_s:
            _log.error("%s gave no keys for too long: those known are not believed any more", self._origin)
            self._replace((), b"")
