"""uvicorn's HTTP protocol with the bounds that it leaves to a proxy, and errors as MIG spells them.

uvicorn reads a request's head however large it is and however long it takes, and answers what is not
HTTP in plain text. The subclass costs one dictionary lookup per read.
"""

from __future__ import annotations

from asyncio import BaseTransport, TimerHandle, Transport
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from websockets.http11 import MAX_LINE_LENGTH, MAX_NUM_HEADERS

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode

MAX_HEAD_BYTES = 65_536
HEAD_TIMEOUT_S = 20.0
_LINGER_S = 1.0
_MAX_HANDSHAKE_FIELD = MAX_LINE_LENGTH - 64  # what is in such a line beside a name and a value, or a path

Refuse = Callable[[MigFault], tuple[int, bytes]]


class BoundedHttpProtocol(HttpToolsProtocol):
    """`refuse` turns a fault into the status and the ErrorEnvelope to answer with."""

    # None until there is a request, which uvicorn's annotations do not say.
    scope: Any
    cycle: Any

    def __init__(
        self, *args: Any, refuse: Refuse, head_timeout_s: float = HEAD_TIMEOUT_S, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._refuse = refuse
        self._head_timeout_s = head_timeout_s
        self._head: object = None
        self._head_bytes = 0
        self._head_timer: TimerHandle | None = None
        self._refused = False

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(cast(Transport, transport))
        # The first request has as long as a following one would have.
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._end_head()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        super().data_received(data)
        # The method is known as soon as the head is complete, which it nearly always is in one read.
        if self.scope is not None and "method" not in self.scope:
            self._more_head(len(data))

    def handle_websocket_upgrade(self) -> None:
        """The WebSocket library parses the head once more with bounds of its own, and past them says nothing
        and waits for ever.
        """
        longest = max((len(name) + len(value) for name, value in self.headers), default=0)
        if max(longest, len(self.url)) > _MAX_HANDSHAKE_FIELD or len(self.headers) > MAX_NUM_HEADERS:
            message = (
                f"a WebSocket handshake has {MAX_NUM_HEADERS} fields at the most, none longer than 8 KiB"
            )
            self._refuse_bytes(MigFault(MigErrorCode.MIG_INVALID_REQUEST, message, variant="too_large"))
            return
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        """Called by uvicorn for what is not HTTP."""
        self._refuse_bytes(MigFault(MigErrorCode.MIG_INVALID_REQUEST, "the request is not HTTP"))

    def _more_head(self, size: int) -> None:
        if self.scope is not self._head:
            self._end_head()
            self._head = self.scope
            self._head_bytes = 0
            self._head_timer = self.loop.call_later(self._head_timeout_s, self._head_timed_out, self.scope)
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            message = f"the head of the request is larger than {MAX_HEAD_BYTES} bytes"
            self._refuse_bytes(MigFault(MigErrorCode.MIG_INVALID_REQUEST, message, variant="too_large"))

    def _head_timed_out(self, head: Any) -> None:
        if head is self.scope and "method" not in head:
            message = f"the head of the request did not arrive in {self._head_timeout_s:g} seconds"
            self._refuse_bytes(MigFault(MigErrorCode.MIG_TIMEOUT, message))

    def _end_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse_bytes(self, fault: MigFault) -> None:
        if self.transport.is_closing():
            return
        self._refused = True
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if cycle.response_started or not cycle.more_body:
                # An earlier request is being answered: that may end, and is the last thing here.
                cycle.keep_alive = False
                return
            # It is the body of this one that is not HTTP; nobody reads on in it.
            cycle.disconnected = True
            cycle.message_event.set()
        self._write_refusal(fault)

    def _write_refusal(self, fault: MigFault) -> None:
        status, body = self._refuse(fault)
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(
            body
        )
        self.transport.write(STATUS_LINE[status] + head + body)
        # Closing on a client that is still sending resets the connection, and the answer may be lost with it
        # (RFC 9112, 9.6): what comes now is thrown away for a moment first.
        if self.transport.can_write_eof():
            # TLS has no half of a connection to close (RFC 8446, 6.1, as it is implemented).
            self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)
