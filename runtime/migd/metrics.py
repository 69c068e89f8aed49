"""What the gateway counts and times, as plain numbers.

Everything here runs on the event loop's one thread, on the path of every request: no locks, one lookup
and a few additions per observation. `exposition` turns the numbers into Prometheus text when asked.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from migd.core.recorder import MirrorOutcome

# Upper bounds in seconds: from what the event loop answers at once to what a model takes.
BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "other"


class Timings:
    """How often something happened and how long it took: per bucket (not cumulative), and in all."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def observe(self, seconds: float) -> None:
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds

    def add(self, other: Timings) -> None:
        self.buckets = [mine + theirs for mine, theirs in zip(self.buckets, other.buckets, strict=True)]
        self.seconds += other.seconds

    @property
    def count(self) -> int:
        return sum(self.buckets)


class MirrorState(NamedTuple):
    """Other gateways that are there, topics with events that have not gone out to them, and topics in which
    something of theirs is missing.
    """

    peers: int
    owed: int
    missing: int


class Metrics:
    """The core's Recorder, and what the HTTP edge observes.

    The number of label sets is bounded by what the gateway is configured with, never by what callers
    send: a capability that `knows_capability` denies, a path without a route and an odd method are "other".
    """

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str, int], Timings] = {}
        self.invocations: dict[tuple[str, str], Timings] = {}
        self.errors: Counter[tuple[str, str]] = Counter()
        self.streams: Counter[str] = Counter()
        self.events_published = 0
        self.events_delivered = 0
        self.events_mirrored: Counter[str] = Counter()
        self.in_flight: Callable[[], int] = int
        self.audit_lost: Callable[[], int] = int
        self.mirror: Callable[[], MirrorState | None] = _no_mirror
        self.knows_capability: Callable[[str], bool] = bool

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """One HTTP request is over. `route` is the template, empty for a path that is no route."""
        timings = self.requests.get((method, route, status))
        if timings is None:
            key = (method if method in METHODS else OTHER, route or OTHER, status)
            timings = self.requests.setdefault(key, Timings())
        timings.observe(seconds)

    def invocation(self, capability: str, outcome: str, seconds: float) -> None:
        timings = self.invocations.get((capability, outcome))
        if timings is None:
            key = (capability if self.knows_capability(capability) else OTHER, outcome)
            timings = self.invocations.setdefault(key, Timings())
        timings.observe(seconds)

    def error(self, code: str, operation: str, binding: str) -> None:  # noqa: ARG002 - no label of v0.1
        self.errors[code, operation or OTHER] += 1

    def stream_opened(self, kind: str) -> None:
        self.streams[kind] += 1

    def stream_closed(self, kind: str) -> None:
        self.streams[kind] -= 1

    def published(self, count: int) -> None:
        self.events_published += count

    def delivered(self, count: int) -> None:
        self.events_delivered += count

    def mirrored(self, outcome: MirrorOutcome, count: int) -> None:
        self.events_mirrored[outcome] += count


def _no_mirror() -> None:
    """Without NATS there is none."""
