"""A subscription as encoded EventMessages (protocol section 2, SUBSCRIBE)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from msgspec import UNSET

from mig_protocol.codec import decoder
from mig_protocol.errors import MigFault
from mig_protocol.grpc_service import RPCS
from mig_protocol.messages import EventMessage, GapNotice, MigErrorCode
from migd.core.ports import StoredEvent
from migd.core.subscription import Subscription

GAP = "mig.gap"
"""The meta key that tells a subscriber what retention has taken before the event that carries it."""

_decode = decoder(EventMessage)
_encode = next(rpc.encode for rpc in RPCS if rpc.operation == "SUBSCRIBE")


class EventStream(AsyncIterator[bytes]):
    """The messages of one Subscribe call. A gap is told in the first event after it [MIG-SUB-010].

    It ends with MigFault MIG_UNAVAILABLE when the gateway goes down. `aclose` ends it from the reader's side,
    and must be called even when nothing was read.
    """

    __slots__ = ("_gap", "_head", "_ready", "_subscription")

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._head = subscription.head
        self._ready: Iterator[StoredEvent] = iter(())
        self._gap: GapNotice | None = None

    async def __anext__(self) -> bytes:
        event = next(self._ready, None)
        while event is None:
            await self._fetch()
            event = next(self._ready, None)
        replay = event.sequence <= self._head
        if self._gap is None:
            return event.framed("grpc", replay, _encoded)
        gap, self._gap = self._gap, None
        return _encoded(event, replay, gap)

    async def aclose(self) -> None:
        self._subscription.close()

    async def _fetch(self) -> None:
        try:
            item = await self._subscription.next()
        except StopAsyncIteration:
            # OK would say that the topic has come to an end.
            raise MigFault(
                MigErrorCode.MIG_UNAVAILABLE, "the gateway is going down; resume from the last sequence"
            ) from None
        if isinstance(item, GapNotice):
            self._gap = _joined(self._gap, item)
        elif item is not None:
            self._ready = iter(item)


def _joined(earlier: GapNotice | None, later: GapNotice) -> GapNotice:
    """Two gaps with no event between them are one."""
    first = later.from_sequence if earlier is None else earlier.from_sequence
    return GapNotice(from_sequence=first, to_sequence=later.to_sequence)


def _encoded(event: StoredEvent, replay: bool, gap: GapNotice | None = None) -> bytes:
    message = _decode(event.json(replay))
    # The key is the server's own: what a publisher says under it would be taken for a gap.
    meta = {key: value for key, value in (message.header.meta or {}).items() if key != GAP}
    if gap is not None:
        meta[GAP] = {"from_sequence": gap.from_sequence, "to_sequence": gap.to_sequence}
    message.header.meta = meta or UNSET
    return _encode(message)
