"""How much of the event logs is kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Per topic: at most so many events, so many bytes of them, none older than so many seconds.

    Per tenant: at most so many topics.
    """

    events: int = 10_000
    bytes: int = 64 * 1024 * 1024
    age_s: float = 7 * 86_400.0
    topics: int = 1_000
    audit_records: int = 10_000
    idempotency_records: int = 100_000
    tombstones: int = 100_000
