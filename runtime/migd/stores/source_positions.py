"""How far the events of other gateways' logs have been taken."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from migd.core.mirroring import Origin, TopicKey

MOST_LOGS = 64
"""A gateway that loses its store with its process has a new log at every start."""

Undo = Callable[[], None]


class Source:
    """One other log. Once it is `joined`, of a topic that is not in `taken` nothing was."""

    __slots__ = ("joined", "taken")

    def __init__(self, *, joined: bool) -> None:
        self.joined = joined
        self.taken: dict[TopicKey, int] = {}


class SourcePositions:
    """The sources by their log's id, the one that has been silent for longest first.

    Every change gives back how it is undone; changes are undone in the reverse order.
    """

    def __init__(self, most_topics: int) -> None:
        self._most_topics = most_topics
        self._sources: dict[str, Source] = {}

    def knows(self, log: str) -> bool:
        source = self._sources.get(log)
        return source is not None and source.joined

    def last(self, log: str, topic: TopicKey) -> int | None:
        """None when what came before is not known: then there is nothing to compare with."""
        source = self._sources.get(log)
        if source is None:
            return None
        return source.taken.get(topic, 0 if source.joined else None)

    def refusal(self, topic: TopicKey, origin: Origin) -> int | None:
        """Where the log stands instead when this event is not the next one of its topic."""
        last = self.last(origin.log, topic) if origin.sequence else None
        return None if last is None or origin.previous <= last < origin.sequence else last

    def heard(self, log: str) -> bool:
        """Whether there is a source of this id, which then has been silent for no time."""
        source = self._sources.pop(log, None)
        if source is not None:
            self._sources[log] = source
        return source is not None

    def add(self, log: str) -> tuple[str | None, Undo]:
        """A source that there was not; and the one that was forgotten to make room for it, if one was."""
        before = dict(self._sources)
        gone = next(iter(before)) if len(before) >= MOST_LOGS else None
        if gone is not None:
            del self._sources[gone]
        self._sources[log] = Source(joined=False)
        return gone, partial(setattr, self, "_sources", before)

    def move(self, log: str, topic: TopicKey, sequence: int) -> Undo | None:
        """Forward to this sequence. None, and nothing changed, when that is behind, or a topic too many."""
        taken = self._sources[log].taken
        before = taken.get(topic)
        if sequence <= (before or 0) or (before is None and len(taken) >= self._most_topics):
            return None
        taken[topic] = sequence
        return partial(_put_back, taken, topic, before)

    def join(self, log: str) -> Undo:
        source = self._sources[log]
        before, source.joined = source.joined, True
        return partial(setattr, source, "joined", before)


def _put_back(taken: dict[TopicKey, int], topic: TopicKey, sequence: int | None) -> None:
    if sequence is None:
        del taken[topic]
    else:
        taken[topic] = sequence
