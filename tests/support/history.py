"""What the clients of a gateway saw, over all of its lives: recorded first, judged afterwards.

Whatever a client sends is named after its tenant, as "acme/…", so that a stray one is known by its name.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

Topic = tuple[str, str]
"""Tenant and topic."""


@dataclass(frozen=True, slots=True)
class Published:
    """One attempt to publish. `sequence` is 0 when nobody was told how it went."""

    topic: Topic
    publisher: str
    value: str
    key: str = ""
    sequence: int = 0
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One event as a subscriber was given it."""

    tenant: str
    sequence: int
    event_id: str
    value: str


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer to an invocation; `key` is its idempotency key, if it had one."""

    tenant: str
    key: str
    name: str
    run: str


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a provider, as the provider wrote it down."""

    name: str
    run: str

    @property
    def tenant(self) -> str:
        return self.name.partition("/")[0]


@dataclass(slots=True)
class Streamed:
    """One stream: which tenant each frame named, which of them were terminal, and how it came to an end."""

    tenant: str
    frames: list[tuple[str, bool]] = field(default_factory=list)
    broken: bool = False


@dataclass(slots=True)
class History:
    """`replays` is every topic read from its beginning once all is over; `deliveries`, by topic and
    subscriber, what one that began before the first event was given, in the order in which it was given;
    `broken_trails` what the verification of each audit trail found, where it found something."""

    published: list[Published] = field(default_factory=list)
    replays: dict[Topic, list[Event]] = field(default_factory=dict)
    deliveries: dict[tuple[Topic, str], list[Event]] = field(default_factory=lambda: defaultdict(list))
    answered: list[Answered] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    quotas: dict[str, int] = field(default_factory=dict)
    streams: list[Streamed] = field(default_factory=list)
    broken_trails: list[str] = field(default_factory=list)
