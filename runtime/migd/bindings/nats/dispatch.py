"""Taking requests off NATS, and sending the answers back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from time import perf_counter_ns

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from mig_protocol.nats_server import NatsReply, NatsStub
from mig_protocol.nats_service import SERVED
from migd.bindings.nats.client import Take
from migd.bindings.nats.endpoints import Endpoint
from migd.bindings.nats.link import NatsLink
from migd.bindings.nats.peers import Peers
from migd.bindings.nats.request import NatsRequest, is_mirrored_event
from migd.bindings.nats.sending import Sender
from migd.bindings.nats.subscription import LinkSubscription


class Dispatch:
    """One subscription for each operation.

    What needs no waiting is answered in the turn in which the request was read. Whatever has to wait does so
    in a task of its own; there are at most `most_waiting` of them, and past that requests are refused with
    MIG_BACKPRESSURE.
    """

    def __init__(
        self, *, link: NatsLink, stub: NatsStub, sender: Sender, peers: Peers, most_waiting: int
    ) -> None:
        self._link = link
        self._stub = stub
        self._sender = sender
        self._peers = peers
        self._most_waiting = most_waiting
        self._waiting: set[asyncio.Task[None]] = set()
        self._subscriptions: list[LinkSubscription] = []
        self.endpoints = tuple(Endpoint(row) for row in SERVED)

    async def start(self) -> None:
        """Take requests, on this connection and on every later one."""
        for endpoint in self.endpoints:
            row, take = endpoint.row, self._taker(endpoint)
            subscription = await self._link.subscribe_at_once(row.subject, take, queue=row.queue)
            self._subscriptions.append(subscription)

    async def stop_taking(self) -> None:
        """Leave the queue groups: new requests go to other gateways. Bounded in time."""
        await self._link.unsubscribe(*self._subscriptions)
        self._subscriptions = []

    async def ended(self) -> None:
        """Returns when everything that was taken has been answered."""
        if self._waiting:
            await asyncio.wait(self._waiting)

    def _taker(self, endpoint: Endpoint) -> Take:
        operation, handle, waiting = endpoint.row.operation, self._stub.handle, self._waiting
        shared, alone = operation == "PUBLISH", bool(endpoint.row.queue)

        def take(subject: str, reply_to: str, body: bytes, fields: dict[str, str] | None) -> None:
            if shared and is_mirrored_event(fields):
                return
            began = perf_counter_ns()
            request = NatsRequest(operation, subject, fields, len(body))
            if len(waiting) >= self._most_waiting:
                self._answer(endpoint, began, request, reply_to, self._busy(request))
                return
            answer = handle(request, body)
            if isinstance(answer, NatsReply) and (answer.fault is None or alone):
                self._answer(endpoint, began, request, reply_to, answer)
            else:
                self._wait(self._later(endpoint, began, request, reply_to, answer))

        return take

    def _answer(
        self, endpoint: Endpoint, began: int, request: NatsRequest, reply_to: str, reply: NatsReply
    ) -> None:
        if reply_to:
            reply = self._fitting(request, reply)
            self._sender.send_at_once(reply_to, reply.fields, reply.body)
        endpoint.done(perf_counter_ns() - began, reply.fault)

    def _fitting(self, request: NatsRequest, reply: NatsReply) -> NatsReply:
        """The reply, or the refusal of one that is too large for NATS."""
        fault = self._sender.oversize(reply.fields, reply.body)
        return reply if fault is None else self._stub.refuse(request, fault)

    def _busy(self, request: NatsRequest) -> NatsReply:
        fault = MigFault(
            MigErrorCode.MIG_BACKPRESSURE, "the gateway has as many requests as it may", retry_after_s=1.0
        )
        return self._stub.refuse(request, fault)

    def _wait(self, answering: Awaitable[None]) -> None:
        task = asyncio.ensure_future(answering)
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _later(
        self,
        endpoint: Endpoint,
        began: int,
        request: NatsRequest,
        reply_to: str,
        answer: NatsReply | Awaitable[NatsReply | None],
    ) -> None:
        reply = answer if isinstance(answer, NatsReply) else await answer
        if reply is not None and reply.fault is not None and not endpoint.row.queue:
            # Every gateway refuses it, and one says so.
            speaks = await self._peers.answers_for_all(request.tenant, request.parameter)
            reply = reply if speaks else None
        await self._finish(endpoint, began, request, reply_to, reply)

    async def _finish(
        self, endpoint: Endpoint, began: int, request: NatsRequest, reply_to: str, reply: NatsReply | None
    ) -> None:
        if reply is not None and reply_to:
            reply = self._fitting(request, reply)
            await self._sender.send(reply_to, reply.fields, reply.body)
        if request.answered is not None:
            request.answered()
        endpoint.done(perf_counter_ns() - began, None if reply is None else reply.fault)
