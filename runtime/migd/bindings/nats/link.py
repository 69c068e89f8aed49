"""One connection to NATS for the whole gateway, kept up by itself.

nats-py dials again by itself while it may, and gives up for good where the server ends the connection with
an error of its own (expired credentials, a protocol violation). Here that is the beginning of a new client,
so that nothing but `close` ends the attempts. What was subscribed through the link is subscribed on every
connection, whichever of the two made it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nats import errors

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.bindings.nats.client import StrictClient, Take
from migd.bindings.nats.reasons import plain_url, reason_of
from migd.bindings.nats.subscription import LinkSubscription, Receive

_log = logging.getLogger("migd.nats")

Connected = Callable[[], Awaitable[None]]
_REMINDER_S = 60.0
_REPORTS_S = 10.0
_FIRST_ATTEMPT_S = 0.5
_SOONEST_S = 0.05
_LATEST_S = 2.0
_UNSUBSCRIBE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsConfig:
    """Where NATS is and how to be let in. Files are read anew at every attempt, so they may be replaced.

    `servers` are URLs without credentials. At most one kind of credential is given. `tls` is the context to
    use where the server wants TLS; with `require_tls` a server that does not is refused before it is told
    any credential.
    """

    servers: tuple[str, ...]
    name: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    nkey_seed: Path | None = None
    creds: Path | None = None
    tls: ssl.SSLContext | None = None
    require_tls: bool = False
    connect_timeout_s: float = 2.0
    ping_interval_s: float = 10.0
    drain_timeout_s: float = 5.0
    pending_bytes: int = 4 * 1024 * 1024


class NatsLink:
    """`start` never fails because NATS is away. Register callbacks and subscriptions at any time."""

    def __init__(self, config: NatsConfig) -> None:
        self._config = config
        self._client: StrictClient | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._subscriptions: list[LinkSubscription] = []
        self._callbacks: list[Connected] = []
        self._closed_by_server = asyncio.Event()
        self._tried = asyncio.Event()
        self._up = False
        self._reason: str | None = "not connected yet"
        self._told = ""
        self._told_at = 0.0
        self._next_report = 0.0
        self._failures = 0
        self._connections = 0

    async def start(self) -> None:
        """Begin to dial, in the background. Returns when the first attempt has ended, well or not, or takes
        long.
        """
        self._keeping = asyncio.create_task(self._keep_up())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_ATTEMPT_S):
                await self._tried.wait()

    async def close(self) -> None:
        """Drain and let go, within `drain_timeout_s` twice over, whatever NATS does."""
        keeping, client = self._keeping, self._client
        self._up = False
        self._reason = "the gateway is going down"
        if keeping is not None:
            keeping.cancel()
            await asyncio.wait({keeping})
        if client is not None:
            await self._end(client)

    @property
    def connected(self) -> bool:
        """Connected, and everything is subscribed."""
        return self._up and self._client is not None and self._client.is_connected

    def health(self) -> str | None:
        """None when connected, else the reason in one line."""
        if self.connected:
            return None
        return f"{', '.join(map(plain_url, self._config.servers))}: {self._reason or 'not connected'}"

    @property
    def client(self) -> StrictClient:
        """The client of now; another one may take its place when it closes.

        Raises MigFault MIG_UNAVAILABLE when there has been no connection yet.
        """
        if self._client is None:
            raise MigFault(MigErrorCode.MIG_UNAVAILABLE, "NATS has not been reached yet")
        return self._client

    @property
    def connections(self) -> int:
        """How many there have been: what was sent on an earlier one may be lost."""
        return self._connections

    def on_connected(self, callback: Connected) -> None:
        """Await `callback` after every connect and reconnect from now on, in the order of registration, when
        the subscriptions are there.
        """
        self._callbacks.append(callback)

    async def subscribe(self, subject: str, receive: Receive, *, queue: str = "") -> LinkSubscription:
        """Have a subscription on this connection, where there is one, and on every later one.

        Messages are given to `receive` one at a time, in their order; what it raises is logged.
        """
        return await self._have(LinkSubscription(subject, queue, receive))

    async def subscribe_at_once(self, subject: str, take: Take, *, queue: str = "") -> LinkSubscription:
        """As `subscribe`, for messages that are dealt with in the turn in which they are read: `take` must
        not wait for anything.
        """
        return await self._have(LinkSubscription(subject, queue, None, take))

    async def unsubscribe(self, *subscriptions: LinkSubscription) -> None:
        """Drain them, and have them on no later connection. What has not ended in time is left to `close`."""
        for subscription in subscriptions:
            self._subscriptions.remove(subscription)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_UNSUBSCRIBE_S):
                await asyncio.gather(*(subscription.drain() for subscription in subscriptions))

    async def _have(self, subscription: LinkSubscription) -> LinkSubscription:
        self._subscriptions.append(subscription)
        client = self._client
        if client is not None and client.is_connected:
            with contextlib.suppress(errors.Error, OSError):
                await subscription.renew(client)
                await client.flush()
        return subscription

    async def _keep_up(self) -> None:
        while True:
            client = StrictClient(require_tls=self._config.require_tls)
            self._closed_by_server.clear()
            try:
                await client.connect(**self._options(client))
            except asyncio.CancelledError:
                await self._end(client)
                raise
            except Exception as error:
                # A file of credentials that can not be read, for one: it may be put right any time.
                await self._failed(client, error)
                continue
            self._client = client
            await self._came_up(client)
            await self._closed_by_server.wait()

    def _options(self, client: StrictClient) -> dict[str, Any]:
        config = self._config

        async def failed(error: Exception) -> None:
            await self._failed(client, error)

        async def reconnected() -> None:
            await self._came_up(client)

        options = {
            "servers": list(config.servers),
            "name": config.name,
            "error_cb": failed,
            "disconnected_cb": self._went_down,
            "reconnected_cb": reconnected,
            "closed_cb": self._closed,
            "connect_timeout": config.connect_timeout_s,
            "ping_interval": config.ping_interval_s,
            "drain_timeout": config.drain_timeout_s,
            "pending_size": config.pending_bytes,
            # The wait between attempts is in `_failed`, which nats-py awaits after each.
            "max_reconnect_attempts": -1,
            "reconnect_time_wait": 0,
            "user": config.user,
            "password": config.password,
            "token": config.token,
            "nkeys_seed": str(config.nkey_seed) if config.nkey_seed else None,
            "user_credentials": config.creds,
            "tls": config.tls,
        }
        return {name: value for name, value in options.items() if value is not None}

    async def _came_up(self, client: StrictClient) -> None:
        if not await self._subscribed(client):
            return
        self._failures = 0
        self._up = True
        self._tried.set()
        self._connections += 1
        self._reason, self._told = None, ""
        url = client.connected_url
        _log.info("connected to NATS", extra={"peer": plain_url(url.geturl()) if url else ""})
        for callback in self._callbacks:
            try:
                await callback()
            except Exception:
                _log.exception("what follows a connection to NATS failed")

    async def _subscribed(self, client: StrictClient) -> bool:
        """Whether everything is subscribed on it; if not, it is gone, and the next connection does it."""
        while client.is_connected:
            try:
                for subscription in self._subscriptions:
                    await subscription.renew(client)
                # The server has seen the subscriptions when it answers this.
                await client.flush()
            except (errors.Error, OSError):
                continue
            return True
        return False

    async def _went_down(self) -> None:
        if self._up:
            self._up = False
            self._reason = "the connection was lost"
            self._tell()

    async def _closed(self) -> None:
        self._up = False
        self._closed_by_server.set()

    async def _failed(self, client: StrictClient, error: Exception) -> None:
        """nats-py's one way to tell of an error, whatever it is about."""
        if client.is_connected:
            self._report(error)
            return
        self._reason = reason_of(error)
        self._tell()
        self._tried.set()
        self._failures += 1
        wait = min(_LATEST_S, _SOONEST_S * 2 ** min(self._failures, 10))
        # Spread, so that many gateways do not come back in the same instant.
        await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - no secret depends on it

    def _report(self, error: Exception) -> None:
        """At most one line in a while: an error can come with every message."""
        now = asyncio.get_running_loop().time()
        if not isinstance(error, errors.UnexpectedEOF) and now >= self._next_report:
            self._next_report = now + _REPORTS_S
            _log.warning("NATS reports an error", extra={"reason": reason_of(error)})

    def _tell(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._reason != self._told or now - self._told_at >= _REMINDER_S:
            self._told, self._told_at = self._reason or "", now
            _log.warning("NATS is not connected", extra={"reason": self.health()})

    async def _end(self, client: StrictClient) -> None:
        if client.is_connected:
            await self._bounded(client.drain())
        if not client.is_closed:
            await self._bounded(client.close())
        client.abort()

    async def _bounded(self, ending: Coroutine[Any, Any, None]) -> None:
        """nats-py swallows cancellation while it drains, so no timeout of asyncio's would hold it."""
        task = asyncio.create_task(ending)
        await asyncio.wait({task}, timeout=self._config.drain_timeout_s)
        if not task.done():
            task.cancel()
        elif task.exception() is not None:
            _log.debug("NATS did not end in order", extra={"reason": str(task.exception())})
