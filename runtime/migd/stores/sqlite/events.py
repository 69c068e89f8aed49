"""The event log as the gateway sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from migd.core.mirroring import Origin
from migd.core.ports import BATCH_BYTES, EventDraft, StoredEvent, Taken
from migd.stores.sqlite.appending import Appended, Appender, Handed
from migd.stores.sqlite.event_rows import Horizon, first_since, microseconds, read_events
from migd.stores.sqlite.reader import Reader
from migd.stores.sqlite.tails import Tail, Tails
from migd.stores.sqlite.topic_log import TopicLog
from migd.stores.sqlite.writer import Writer


class SqliteEventLog:
    """Appends through the writer; reads the newest from memory and everything older from the file."""

    def __init__(
        self,
        writer: Writer,
        reader: Reader,
        appender: Appender,
        tails: Tails,
        horizon: Horizon,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._appender = appender
        self._tails = tails
        self._horizon = horizon

    def know(self, topic: TopicLog) -> None:
        """A topic of an earlier run."""
        self._tails.add(topic.tenant_id, topic.name, Tail(topic.id, topic.head, topic.first))

    async def append(
        self, tenant_id: str, topic: str, draft: EventDraft, idempotency_key: str | None
    ) -> tuple[StoredEvent, bool]:
        appended = await self._writer.submit(
            partial(self._appender.append, tenant_id, topic, draft, idempotency_key),
            partial(self._applied, tenant_id, topic),
        )
        return appended.event, appended.repeated

    def take(self, tenant_id: str, topic: str, draft: EventDraft, origin: Origin) -> asyncio.Future[Taken]:
        outcome: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        self._writer.submit(
            partial(self._appender.take, tenant_id, topic, draft, origin),
            partial(self._took, tenant_id, topic),
        ).add_done_callback(partial(_tell, outcome))
        return outcome

    async def read(self, tenant_id: str, topic: str, after: int, limit: int) -> Sequence[StoredEvent]:
        tail = self._tails.get(tenant_id, topic)
        if tail is None:
            return ()
        oldest = self._horizon()
        while (start := max(after + 1, tail.first)) <= tail.head:
            events = await self._from(tail, start, limit)
            if not events or events[0].published_at >= oldest:
                return events
            # Nothing was appended that would have moved the beginning past what has grown too old.
            found = await self._reader.run(
                partial(
                    first_since,
                    topic_id=tail.id,
                    first=tail.first,
                    head=tail.head,
                    oldest=microseconds(oldest),
                )
            )
            tail.first = max(tail.first, found, events[0].sequence + 1)
        return ()

    async def head(self, tenant_id: str, topic: str) -> int:
        tail = self._tails.get(tenant_id, topic)
        return 0 if tail is None else tail.head

    async def _from(self, tail: Tail, start: int, limit: int) -> Sequence[StoredEvent]:
        cached = tail.cached(start, limit)
        if cached is not None:
            return cached
        # Not past what the event loop has been told of, though the file may have more by now.
        return await self._reader.run(
            partial(
                read_events,
                topic_id=tail.id,
                first=start,
                last=tail.head,
                limit=limit,
                most_bytes=BATCH_BYTES,
            )
        )

    def _took(self, tenant_id: str, topic: str, handed: Handed) -> None:
        if handed.appended is not None:
            self._applied(tenant_id, topic, handed.appended)

    def _applied(self, tenant_id: str, topic: str, appended: Appended) -> None:
        tail = self._tails.get(tenant_id, topic)
        if tail is None:
            tail = Tail(appended.topic_id, 0, 1)
            self._tails.add(tenant_id, topic, tail)
        if not appended.repeated:
            self._tails.grow(tail, appended.event, appended.first)


def _tell(outcome: asyncio.Future[Taken], handing: asyncio.Future[Handed]) -> None:
    if outcome.done():
        return
    error = handing.exception()
    if error is not None:
        outcome.set_exception(error)
        return
    appended, last = handing.result()
    outcome.set_result(Taken(None if appended is None else appended.event, last))
