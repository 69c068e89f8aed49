"""A subscription that outlives connections."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable

from nats import errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from migd.bindings.nats.client import StrictClient, Take

Receive = Callable[[Msg], Awaitable[None]]
# What may wait for one subscription to get to it. What comes beyond that is dropped by nats-py, and told.
_PENDING_MESSAGES = 65_536
_PENDING_BYTES = 32 * 1024 * 1024


class LinkSubscription:
    """A subscription that every connection has, from when it was asked for until it is drained."""

    def __init__(self, subject: str, queue: str, receive: Receive | None, take: Take | None = None) -> None:
        self.subject = subject
        self.queue = queue
        self._receive = receive
        self._take = take
        self._on: StrictClient | None = None
        self._subscription: Subscription | None = None

    @property
    def waiting(self) -> int:
        """Messages that have arrived and that `receive` has not been given yet."""
        return 0 if self._subscription is None else self._subscription.pending_msgs

    async def renew(self, client: StrictClient) -> None:
        """Subscribe on a client that does not have it yet; a client that dialled again still has it."""
        if self._on is not client:
            self._subscription = await self._subscribed(client)
            self._on = client

    async def _subscribed(self, client: StrictClient) -> Subscription:
        if self._take is not None:
            return await client.subscribe_at_once(self.subject, self._take, queue=self.queue)
        return await client.subscribe(
            self.subject,
            queue=self.queue,
            cb=self._receive,
            pending_msgs_limit=_PENDING_MESSAGES,
            pending_bytes_limit=_PENDING_BYTES,
        )

    async def drain(self) -> None:
        """No new messages; those that have arrived are processed. Nothing to do without a connection."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None and self._on is not None and self._on.is_connected:
            with contextlib.suppress(errors.Error, OSError):
                await subscription.drain()  # type: ignore[no-untyped-call]
