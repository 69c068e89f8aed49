"""nats-py's client, and what it does not do: insist on TLS, take requests at once, flush, and be cut off.

nats-py puts each message into a queue, wakes the subscription's task, and awaits a coroutine for it. A
gateway answers most requests without waiting for anything, and the way there would cost as much as the answer
(docs/decisions/0008-nats-requests-at-once.md has the figures). So a request is taken in the turn in which it
was read, and its answer joins what is written next.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from nats import errors
from nats.aio.client import PING_PROTO, Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

_log = logging.getLogger("migd.nats")

Take = Callable[[str, str, bytes, dict[str, str] | None], None]
"""Is given subject, reply subject ("" where there is none), body and headers of one message."""


class StrictClient(Client):
    """Talks in the clear to no server where TLS was asked for."""

    def __init__(self, *, require_tls: bool) -> None:
        super().__init__()
        self._require_tls = require_tls
        self._takers: dict[int, Take] = {}

    async def subscribe_at_once(self, subject: str, take: Take, *, queue: str = "") -> Subscription:
        """Have `take` called for each message as it is read. It must not wait for anything."""
        subscription = await self.subscribe(subject, queue=queue, cb=_never)
        self._takers[subscription._id] = take
        return subscription

    def put(self, subject: str, fields: Mapping[str, str], body: bytes) -> None:
        """Publish with the next write. `subject` and `fields` are known to hold no line breaks."""
        head = ("NATS/1.0\r\n" + "".join([f"{name}: {text}\r\n" for name, text in fields.items()])).encode()
        size = len(head) + 2
        command = b"HPUB %s %d %d\r\n%s\r\n%s\r\n" % (subject.encode(), size, size + len(body), head, body)
        self._pending.append(command)
        self._pending_data_size += len(command)
        self.stats["out_msgs"] += 1
        self.stats["out_bytes"] += len(body)
        queue = self._flush_queue
        if queue is not None and queue.empty() and self.is_connected:
            queue.put_nowait(asyncio.get_running_loop().create_future())

    def abort(self) -> None:
        """Drop what is left of a connection that did not come to its end in time."""
        writer = getattr(self._transport, "_io_writer", None)
        if writer is not None:
            writer.transport.abort()

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        take = self._takers.get(sid)
        if take is None or sid not in self._subs:
            await super()._process_msg(sid, subject, reply, data, headers)
            return
        self.stats["in_msgs"] += 1
        self.stats["in_bytes"] += len(data)
        fields = await self._process_headers(headers) if headers else None
        try:
            take(subject.decode(), reply.decode(), data, fields)
        except Exception:
            # Not for nats-py, which would read nothing any more.
            _log.exception("a request could not be answered")
        if self._pending_data_size > self._max_pending_size:
            # NATS takes answers more slowly than it brings requests: read no more of them until it has.
            await self._flush_pending(force_flush=True)

    async def _send_ping(self, future: asyncio.Future[bool] | None = None) -> None:
        """nats-py writes it at once, ahead of what still waits to be written, and then the answer to it says
        nothing of whether the server has that: what `flush` promises.
        """
        self._pongs.append(future or asyncio.get_running_loop().create_future())
        await self._send_command(PING_PROTO)
        await self._flush_pending()

    def _connect_command(self) -> bytes:
        if self._require_tls and not self._server_info.get("tls_required"):
            raise errors.Error("the server does not offer TLS, and the settings ask for it")
        return super()._connect_command()


async def _never(message: Msg) -> None:
    """The callback that nats-py asks for and that nothing comes to."""
