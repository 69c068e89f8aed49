"""SUBSCRIBE over gRPC: a stream of EventMessages, in which a gap is told by the event after it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import grpc.aio
from grpc import StatusCode

from mig_conformance.drivers.grpc_frames import EOF
from mig_conformance.drivers.grpc_status import Ending, ending_of, joined, refused
from mig_conformance.drivers.port import Answer, Event, JsonObject, RefusedError
from mig_conformance.drivers.protobuf_json import decoded
from mig_conformance.drivers.reading import Reading
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.flaws import ClosedError

_GAP = "mig.gap"
_OPENING_S = 0.5
_REFUSING_S = 0.15
_TURNS = 20


async def settled(ended: asyncio.Future[Any], *, within_s: float) -> None:
    """Waits so long for the end of a call, and then for what a busy event loop has not come round to."""
    await asyncio.wait([ended], timeout=within_s)
    for _ in range(_TURNS):
        await asyncio.sleep(0)


class GrpcSubscription:
    """A subscription, open once `open` has returned."""

    comments = 0

    def __init__(self, call: Any, channel: Any, transcript: Transcript, patience_s: float) -> None:
        self._call = call
        self._channel = channel
        self._transcript = transcript
        self._patience_s = patience_s
        self._after_gap: deque[Event] = deque()
        self._reading = Reading(self._read, what="event", patience_s=patience_s)
        self.opened = Answer(message={})
        self.next = self._reading.next
        self.quiet = self._reading.within

    async def open(self) -> None:
        """Returns with the initial metadata: servers send them when the place in the log is taken, and one
        that keeps them for its first event is given half a second for that. Raises RefusedError.
        """
        arrived = asyncio.ensure_future(self._call.initial_metadata())
        over = asyncio.ensure_future(self._call.code())
        await asyncio.wait([arrived], timeout=_OPENING_S)
        # A server, or a proxy before it, may send initial metadata and refuse right behind them.
        await settled(over, within_s=_REFUSING_S)
        if over.done() and over.result() is not StatusCode.OK:
            raise RefusedError(refused(await self._ending(), self._channel, self._transcript))
        over.cancel()
        found = joined(arrived.result()) if arrived.done() else {}
        fields = {name: value for name, value in found.items() if isinstance(value, str)}
        self._transcript.received("gRPC", "a stream of events")
        self.opened = Answer(message={}, fields=fields)

    async def late_refusal(self) -> Answer | None:
        """See Subscription.late_refusal."""
        over = asyncio.ensure_future(self._call.code())
        await asyncio.wait([over], timeout=self._patience_s)
        if not over.done():
            over.cancel()
            return None
        return refused(await self._ending(), self._channel, self._transcript)

    async def close(self) -> None:
        await self._reading.stop()
        self._call.cancel()

    async def _ending(self) -> Ending:
        metadata = joined(await self._call.initial_metadata(), await self._call.trailing_metadata())
        return Ending(await self._call.code(), await self._call.details() or "", metadata)

    async def _read(self) -> Event:
        if self._after_gap:
            return self._after_gap.popleft()
        try:
            data = await self._call.read()
        except grpc.aio.AioRpcError as error:
            ending = ending_of(error)
            raise ClosedError(f"the server ended the subscription with {ending}", ending.code.name) from None
        if data is EOF:
            raise ClosedError("the server ended the subscription", StatusCode.OK.name)
        message = decoded("EventMessage", data)
        self._transcript.received("gRPC event", message, "EventMessage")
        return self._told(message)

    def _told(self, message: JsonObject) -> Event:
        """The event, or the gap before it, after which the event is next (docs/decisions/0006)."""
        event = Event(kind="event", data=message)
        gap = message.get("header", {}).get("meta", {}).get(_GAP)
        if gap is None:
            return event
        self._transcript.received("with a gap", gap, "GapNotice")
        self._after_gap.append(event)
        return Event(kind="gap", data=gap)
