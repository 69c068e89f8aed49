"""The newest events of the busiest topics, in memory: live readers are all served from here."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence

from migd.core.ports import StoredEvent
from migd.stores.batch import batch

_EVENTS = 1024
_OVERHEAD = 512
"""Bytes that an event costs beside its body."""


class Tail:
    """What the event loop knows of one topic: its end, where retention begins, and its newest events."""

    __slots__ = ("events", "first", "head", "id")

    def __init__(self, topic_id: int, head: int, first: int) -> None:
        self.id = topic_id
        self.head = head
        self.first = first
        self.events: deque[StoredEvent] = deque()

    def cached(self, start: int, limit: int) -> Sequence[StoredEvent] | None:
        """From the sequence `start` on; None when it is not here."""
        events = self.events
        if not events or start < events[0].sequence:
            return None
        offset = start - events[0].sequence
        if limit == 1:
            return (events[offset],)
        return batch(events, offset, limit)


class Tails:
    """Every topic's tail. When the bytes run out the oldest events go, those of the quietest topic first."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._tails: dict[tuple[str, str], Tail] = {}
        self._filled: OrderedDict[int, Tail] = OrderedDict()
        self._size = 0

    def get(self, tenant_id: str, topic: str) -> Tail | None:
        return self._tails.get((tenant_id, topic))

    def add(self, tenant_id: str, topic: str, tail: Tail) -> None:
        self._tails[tenant_id, topic] = tail

    def grow(self, tail: Tail, event: StoredEvent, first: int) -> None:
        """One more event at the end, after which retention begins at `first`."""
        tail.head = event.sequence
        tail.first = max(tail.first, first)
        tail.events.append(event)
        self._size += _cost(event)
        if len(tail.events) > _EVENTS:
            self._shorten(tail)
        self._filled[tail.id] = tail
        self._filled.move_to_end(tail.id)
        self._make_room()

    def _make_room(self) -> None:
        while self._size > self._most_bytes:
            tail = next(iter(self._filled.values()))
            if tail.events:
                self._shorten(tail)
            else:
                del self._filled[tail.id]

    def _shorten(self, tail: Tail) -> None:
        self._size -= _cost(tail.events.popleft())


def _cost(event: StoredEvent) -> int:
    # Its readers' framings of it are kept with the event: a live one and a replayed one.
    return 3 * len(event.body) + _OVERHEAD
