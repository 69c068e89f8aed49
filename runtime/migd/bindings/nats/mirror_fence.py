"""Knowing that NATS has come to a certain point of what went there, and of what comes from there."""

from __future__ import annotations

import asyncio

from migd.bindings.nats.link import NatsLink
from migd.core.clock import Clock

Connection = tuple[int, int]
_MOST_DIGITS = 18


class Fence:
    """A message that the gateway sends to itself, shared by all who ask within one turn of the event loop.

    When it is back, the server has dealt with everything that this connection has sent before, and what it
    had dealt with before the asking, from whomever, has been delivered. A PING would say the same, but that
    of nats-py overtakes what the client has not written yet.
    """

    def __init__(self, link: NatsLink, clock: Clock, patience_s: float) -> None:
        self._link = link
        self._subject = ""
        self._clock = clock
        self._patience_s = patience_s
        self._number = 0
        self._gathering: asyncio.Future[bool] | None = None
        self._sent: dict[int, tuple[asyncio.Future[bool], Connection]] = {}

    async def start(self, subject: str) -> None:
        self._subject = subject
        await self._link.subscribe_at_once(subject, self._receive)

    @property
    def connection(self) -> Connection:
        """Another value after every break of the connection: what was sent before may be lost."""
        client = self._link.client
        return id(client), client.stats["reconnects"]

    async def passed(self) -> bool:
        """False when there is no connection, it breaks, or the server takes longer than the patience."""
        if not self._link.connected:
            return False
        if self._gathering is None:
            loop = asyncio.get_running_loop()
            self._gathering = loop.create_future()
            loop.call_soon(self._send, self._gathering)
        return await asyncio.shield(self._gathering)

    def broken(self) -> None:
        """The connection is another one."""
        for number in list(self._sent):
            self._resolve(number, passed=False)

    def _send(self, gathering: asyncio.Future[bool]) -> None:
        self._gathering = None
        self._number += 1
        number = self._number
        self._sent[number] = (gathering, self.connection)
        self._clock.call_at(
            self._clock.monotonic() + self._patience_s, lambda: self._resolve(number, passed=False)
        )
        self._link.client.put(self._subject, {}, b"%d" % number)

    def _receive(self, _subject: str, _reply: str, body: bytes, _fields: dict[str, str] | None) -> None:
        if not (body.isdigit() and len(body) <= _MOST_DIGITS):
            return
        arrived = int(body)
        for number in [number for number in self._sent if number <= arrived]:
            self._resolve(number, passed=self._sent[number][1] == self.connection)

    def _resolve(self, number: int, *, passed: bool) -> None:
        waiting, _ = self._sent.pop(number, (None, None))
        if waiting is not None and not waiting.done():
            waiting.set_result(passed)
