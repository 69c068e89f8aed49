"""How much of the event logs is kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Per topic: at most so many events, so many bytes of them, none older than so many seconds.

    Per tenant: at most so many topics, and so many named consumers, each until nothing was heard of it for so
    many seconds. In all: so many topics and consumers, and so many bytes of events. Of every other kind of
    record: at most so many in all.
    """

    events: int = 10_000
    bytes: int = 64 * 1024 * 1024
    age_s: float = 7 * 86_400.0
    topics: int = 1_000
    total_topics: int = 20_000
    total_bytes: int = 1024 * 1024 * 1024
    consumers: int = 1_000
    total_consumers: int = 100_000
    consumer_window_s: float = 30 * 86_400.0
    audit_records: int = 10_000
    idempotency_records: int = 100_000
    tombstones: int = 100_000
    quotas: int = 100_000
    usage_rows: int = 100_000
    directory_entries: int = 100_000
