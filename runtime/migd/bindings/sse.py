"""A subscription as Server-Sent Events (protocol section 5)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from mig_protocol.messages import GapNotice
from migd.core.ports import StoredEvent
from migd.core.subscription import Subscription

KEEP_ALIVE = b": keep-alive\n\n"
_encode = msgspec.json.Encoder().encode


class EventStream(AsyncIterator[bytes]):
    """The chunks of one SSE response; a reader that is behind gets several events in one.

    It ends when the gateway ends the subscription. `aclose` ends it from the reader's side, and must be
    called even when nothing was read: a generator that never ran would not let go of its subscription.
    """

    __slots__ = ("_head", "_subscription")

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._head = subscription.head

    async def __anext__(self) -> bytes:
        item = await self._subscription.next()
        if item is None:
            return KEEP_ALIVE
        if isinstance(item, GapNotice):
            return b"event: mig-gap\ndata: %s\n\n" % _encode(item)
        if len(item) == 1:
            return self._framed(item[0])
        return b"".join(map(self._framed, item))

    async def aclose(self) -> None:
        self._subscription.close()

    def _framed(self, event: StoredEvent) -> bytes:
        return event.framed("sse", event.sequence <= self._head, _frame)


def _frame(event: StoredEvent, replay: bool) -> bytes:
    # JSON as msgspec writes it has no line breaks, so one data line holds it.
    return b"id: %d\nevent: mig-event\ndata: %s\n\n" % (event.sequence, event.json(replay))
