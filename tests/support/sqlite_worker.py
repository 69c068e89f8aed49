"""A process that works on a store and says on standard output what was acknowledged, until it is killed."""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from mig_protocol.messages import AuditRecord
from migd.core.audit import entry_of
from migd.core.clock import SystemClock
from migd.core.ports import IdempotencyRecord
from migd.stores.sqlite import SqliteStore

WORKERS = 8
QUOTA = 1000


class Draft:
    def __init__(self, event_id: str, clock: SystemClock) -> None:
        self.event_id = event_id
        self.published_at = clock.now()

    def encode(self, sequence: int) -> bytes:
        return b'{"sequence":%d,"replay":false}' % sequence


def say(**what: Any) -> None:
    os.write(1, msgspec.json.encode(what) + b"\n")


async def work(store: SqliteStore, clock: SystemClock, numbers: count[int]) -> None:
    for number in numbers:
        event_id = clock.new_id()
        event, _ = await store.events.append("acme", "a.b", Draft(event_id, clock), f"key-{event_id}")
        say(kind="event", event_id=event.event_id, sequence=event.sequence)
        if await store.quotas.debit("acme"):
            say(kind="debit")
        await store.idempotency.put(
            "acme", "cap", event_id, IdempotencyRecord(b"digest", {"answer": event_id}), 3600
        )
        say(kind="answer", key=event_id)
        store.audit.append(
            entry_of(
                AuditRecord(
                    actor="a",
                    tenant_id="acme",
                    capability="cap",
                    outcome="success",
                    timestamp=clock.now(),
                    message_id=str(number),
                )
            )
        )


async def main(folder: Path) -> None:
    clock = SystemClock()
    store = SqliteStore(folder, clock, flush_s=0.001)
    await store.open()
    await store.quotas.set_limit("acme", QUOTA)
    numbers = count(1)
    await asyncio.gather(*(work(store, clock, numbers) for _ in range(WORKERS)))


asyncio.run(main(Path(sys.argv[1])))
