"""Handing messages to NATS: what does not fit, and what happens while NATS is away."""

from __future__ import annotations

import asyncio
import logging

from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.bindings.nats.link import NatsLink

_log = logging.getLogger("migd.nats")
# What nats-py writes around the headers, with room to spare: a message that is too large by a byte would
# cost the whole connection.
_FRAMING_BYTES = 64

Fields = dict[str, str]


class Sender:
    """Sends on the link's connection of the moment.

    While NATS is away, messages wait in nats-py's buffer, which is bounded; what does not fit there is
    dropped, since nobody could be told. When NATS takes slowly, `send` takes its time.
    """

    def __init__(self, link: NatsLink) -> None:
        self._link = link
        self.dropped = 0

    async def send(self, subject: str, fields: Fields, body: bytes, *, reply: str = "") -> None:
        """Raises MigFault when NATS would not carry so much, and drops what it can not take now."""
        client = self._link.client
        self._check_size(client, fields, body)
        try:
            await client.publish(subject, body, reply=reply, headers=fields)
        except (errors.Error, OSError) as error:
            self.dropped += 1
            _log.debug("an answer was dropped", extra={"reason": str(error)})

    async def nobody_listens(self, subject: str, fields: Fields, body: bytes) -> bool:
        """Send where there may be no subscriber yet: True when there was none, so that it reached nobody.

        The server tells of a message with a reply subject that nobody takes it, and it does so before it
        answers what was sent after that.
        """
        client = self._link.client
        inbox = client.new_inbox()
        told: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        try:
            subscription = await client.subscribe(inbox, future=told)
            try:
                await self.send(subject, fields, body, reply=inbox)
                await client.flush()
            finally:
                await subscription.unsubscribe()
        except (errors.Error, OSError):
            return False
        return told.done()

    def _check_size(self, client: Client, fields: Fields, body: bytes) -> None:
        size = len(body)
        most = client.max_payload
        if size * 2 < most:
            return
        size += _FRAMING_BYTES + sum(len(name) + len(value) + 4 for name, value in fields.items())
        if size > most:
            raise MigFault(
                MigErrorCode.MIG_INVALID_REQUEST,
                f"the answer has {size} bytes and NATS carries at most {most}: ask for less, or over HTTP",
                details={"answer_bytes": size, "max_bytes": most},
                variant="too_large",
            )
