"""PUBLISH and SUBSCRIBE: a log with cursors (protocol section 2).

A subscription is a position in the log and a wake-up, not a queue: a reader that is behind reads the
log, costs nothing meanwhile, and loses nothing that is retained.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial

import msgspec
from msgspec import UNSET, UnsetType

from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    ConnectionKind,
    EventMessage,
    MessageHeader,
    MigErrorCode,
    PublishAck,
    PublishRequest,
    SubscribeRequest,
)
from migd.core.admission import payload_of
from migd.core.call import Call
from migd.core.clock import Clock
from migd.core.connections import Connections
from migd.core.context import Context, Contexts
from migd.core.depth import check_depth
from migd.core.failpoints import Failpoints
from migd.core.limits import Limits
from migd.core.mirroring import Mirror, NoMirror, Origin, TopicKey
from migd.core.policy import Policy
from migd.core.ports import ConsumerName, ConsumerStore, EventLog, Taken
from migd.core.provider import JsonObject
from migd.core.recorder import Recorder
from migd.core.subscription import Lag, Subscription

_encode = msgspec.json.Encoder().encode


class _Draft:
    """An event without its sequence."""

    __slots__ = ("event_id", "header", "payload", "published_at", "topic")

    def __init__(
        self, header: MessageHeader, topic: str, event_id: str, payload: JsonObject, published_at: datetime
    ) -> None:
        self.header = header
        self.topic = topic
        self.event_id = event_id
        self.payload = payload
        self.published_at = published_at

    @classmethod
    def of(cls, event: EventMessage) -> _Draft:
        """What another gateway has published, without the place that it has there."""
        return cls(event.header, event.topic, event.event_id, event.payload, event.published_at)

    def encode(self, sequence: int) -> bytes:
        return _encode(
            EventMessage(
                header=self.header,
                topic=self.topic,
                event_id=self.event_id,
                sequence=sequence,
                payload=self.payload,
                published_at=self.published_at,
                replay=False,
            )
        )


class Events:
    """The topics of every tenant; what is one tenant's is never seen by another."""

    def __init__(
        self,
        *,
        contexts: Contexts,
        policy: Policy,
        log: EventLog,
        consumers: ConsumerStore,
        connections: Connections,
        recorder: Recorder,
        clock: Clock,
        limits: Limits,
        failpoints: Failpoints,
    ) -> None:
        self._contexts = contexts
        self._policy = policy
        self._log = log
        self._consumers = consumers
        self._connections = connections
        self._recorder = recorder
        self._clock = clock
        self._limits = limits
        self._failpoints = failpoints
        self._readers: dict[TopicKey, set[Subscription]] = {}
        self.mirror: Mirror = NoMirror()

    def configure(self, limits: Limits) -> None:
        """Other limits, for what comes from now on."""
        self._limits = limits

    async def publish(self, call: Call, request: PublishRequest) -> PublishAck:
        """Append to the log of (tenant, topic); the ack is given after the store has it.

        A repeated idempotency_key gives the first ack's event_id and sequence again.
        """
        context = self._contexts.open(call, request.header)
        header = self._contexts.respond(context)
        try:
            topic = self._open_topic(context, "publish", request.topic)
            payload = payload_of(request.payload)
            check_depth("/payload", payload, self._limits.max_depth)
            await self.mirror.before_append()
            draft = _Draft(
                _event_header(header),
                topic,
                self._clock.new_id(),
                payload,
                self._clock.now(),
            )
            event, repeated = await self._log.append(
                context.tenant_id, topic, draft, context.idempotency_key or None
            )
        except asyncio.CancelledError:
            # The publisher is gone, and the store may have the event all the same.
            self.mirror.interrupted(context.tenant_id, request.topic or "")
            raise
        except MigFault as fault:
            fault.header = header
            raise
        if repeated:
            header = self._contexts.respond(context, {"mig.idempotent_replay": True})
        else:
            self._recorder.published(1)
            self._wake((context.tenant_id, topic), event.sequence)
        await self.mirror.appended(context.tenant_id, topic, event.sequence)
        return PublishAck(
            header=header, topic=topic, event_id=event.event_id, sequence=event.sequence, accepted=True
        )

    def take(self, event: EventMessage, origin: Origin) -> asyncio.Future[Taken]:
        """Append what another gateway has published, once, and wake the readers; see `EventLog.take`.

        What is handed in first is appended first, before it has been waited for.
        """
        tenant_id = event.header.tenant_id
        taking = self._log.take(tenant_id, event.topic, _Draft.of(event), origin)
        taking.add_done_callback(partial(self._taken, (tenant_id, event.topic)))
        return taking

    async def subscribe(self, call: Call, request: SubscribeRequest, kind: ConnectionKind) -> Subscription:
        """A reader of its own tenant's topic: from after `resume_cursor`, or from where `consumer_id` left
        off, or from now on.
        """
        context = self._contexts.open(call, request.header)
        try:
            topic = self._open_topic(context, "subscribe", request.topic)
            head = await self._log.head(context.tenant_id, topic)
            name = ConsumerName(context.tenant_id, topic, request.consumer_id or "")
            position = await self._start(name, request.resume_cursor, head)
            connection_id = self._connections.opened(
                call, kind, context.tenant_id, {"topic": topic, "consumer_id": name.consumer_id}
            )
        except MigFault as fault:
            fault.header = self._contexts.respond(context)
            raise
        readers = self._readers.setdefault((context.tenant_id, topic), set())
        subscription = Subscription(
            log=self._log,
            topic=(context.tenant_id, topic),
            position=position,
            head=head,
            batch=min(request.max_inflight or self._limits.subscribe_batch, self._limits.subscribe_batch),
            keepalive_s=self._limits.sse_keepalive_s,
            clock=self._clock,
            recorder=self._recorder,
            failpoints=self._failpoints,
            taken=partial(self._consumers.taken, name) if name.consumer_id else None,
            closed=lambda left: self._left(left, connection_id),
        )
        readers.add(subscription)
        return subscription

    def _open_topic(self, context: Context, action: str, topic: str | UnsetType) -> str:
        if not topic:
            raise MigFault(MigErrorCode.MIG_INVALID_REQUEST, "topic is required")
        self._policy.require(context.principal, context.tenant_id, action, topic)
        return topic

    async def _start(self, name: ConsumerName, cursor: str | UnsetType, head: int) -> int:
        """The position to begin at. What a name's is, is committed before the subscriber hears of it."""
        if not cursor:
            return await self._consumers.resume(name, head) if name.consumer_id else head
        # A cursor past the end (of a log that was lost, say) has nothing to resume: live events follow.
        position = min(int(cursor), head)
        if name.consumer_id:
            await self._consumers.move(name, position)
        return position

    def end_all(self) -> None:
        """The gateway is going down: every subscription ends where it is; a cursor resumes it elsewhere."""
        for readers in list(self._readers.values()):
            for reader in list(readers):
                reader.end()

    def lag(self) -> Lag:
        """How far readers are behind, over all topics."""
        lags = [lag for readers in self._readers.values() for reader in readers if (lag := reader.lag)]
        return Lag(max(lags, default=0), len(lags))

    def _taken(self, topic: TopicKey, taking: asyncio.Future[Taken]) -> None:
        if taking.cancelled() or taking.exception() is not None:
            return
        event = taking.result().event
        if event is not None:
            self._wake(topic, event.sequence)

    def _wake(self, topic: TopicKey, newest: int) -> None:
        for reader in self._readers.get(topic, ()):
            reader.wake(newest)

    def _left(self, subscription: Subscription, connection_id: str) -> None:
        self._connections.closed(connection_id)
        self._consumers.hurry()
        readers = self._readers.get(subscription.topic)
        if readers is not None:
            readers.discard(subscription)
            if not readers:
                del self._readers[subscription.topic]


def _event_header(header: MessageHeader) -> MessageHeader:
    """The publisher's header as its subscribers see it: without what the gateway knows of the publisher."""
    meta = {key: value for key, value in (header.meta or {}).items() if not key.startswith("idg.")}
    return msgspec.structs.replace(header, meta=meta or UNSET)
