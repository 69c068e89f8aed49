"""Handing messages to NATS: what does not fit, and what happens while NATS is away."""

from __future__ import annotations

import asyncio
import logging

from nats import errors
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
    dropped, since nobody could be told. When NATS takes slowly, `send` takes its time. What `oversize`
    refuses must not be sent: the server would end the connection.
    """

    def __init__(self, link: NatsLink) -> None:
        self._link = link
        self.dropped = 0

    async def send(self, subject: str, fields: Fields, body: bytes, *, reply: str = "") -> None:
        """Returns when NATS has room for more."""
        try:
            await self._link.client.publish(subject, body, reply=reply, headers=fields)
        except (errors.Error, OSError) as error:
            self.dropped += 1
            _log.debug("an answer was dropped", extra={"reason": str(error)})

    def send_at_once(self, subject: str, fields: Fields, body: bytes) -> None:
        """As `send`, for answers to what has just been read: the reading waits where this can not."""
        self._link.client.put(subject, fields, body)

    def oversize(self, fields: Fields, body: bytes) -> MigFault | None:
        """The refusal of what is more than NATS carries; None for what it takes."""
        size, most = len(body), self._link.client.max_payload
        if size * 2 < most:
            return None
        size += _FRAMING_BYTES + sum(len(name) + len(value) + 4 for name, value in fields.items())
        if size <= most:
            return None
        return MigFault(
            MigErrorCode.MIG_INVALID_REQUEST,
            f"the answer has {size} bytes and NATS carries at most {most}: ask for less, or over HTTP",
            details={"answer_bytes": size, "max_bytes": most},
            variant="too_large",
        )

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
