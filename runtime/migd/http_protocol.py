"""uvicorn's HTTP protocol with the bounds that it leaves to a proxy, and errors as MIG spells them.

uvicorn reads a request's head however large it is and however long it takes, waits for ever for a client to
read its answer, and answers what is not HTTP in plain text. The subclass costs a few comparisons per read.
"""

from __future__ import annotations

from asyncio import BaseTransport, TimerHandle, Transport
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from websockets.http11 import MAX_LINE_LENGTH, MAX_NUM_HEADERS

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.sockets import Sockets

NO_SNIFFING = (b"x-content-type-options", b"nosniff")
"""A header field of every answer: a browser takes it for what it is said to be."""

_LINGER_S = 1.0
_MAX_HANDSHAKE_FIELD = MAX_LINE_LENGTH - 64  # what is in such a line beside a name and a value, or a path

Refuse = Callable[[MigFault], tuple[int, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """Bounds of the listener. Sizes are bytes, times seconds; a head is the URL and the header fields."""

    max_sockets: int
    max_sockets_per_address: int
    max_url_bytes: int
    max_head_bytes: int
    max_header_fields: int
    head_timeout_s: float
    idle_timeout_s: float
    write_timeout_s: float
    max_frame_bytes: int
    websocket_ping_s: float


class _RefusedError(Exception):
    """Ends the parser's work on a read; what is to be said is in `BoundedHttpProtocol._fault`."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """`refuse` turns a fault into the status and the ErrorEnvelope to answer with."""

    # None until there is a request, which uvicorn's annotations do not say.
    scope: Any
    cycle: Any

    def __init__(
        self, *args: Any, refuse: Refuse, limits: HttpLimits, sockets: Sockets, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._refuse = refuse
        self._limits = limits
        self._sockets = sockets
        self._counted = False
        self._read_bytes = 0
        self._head: object = None
        self._head_bytes = 0
        self._head_timer: TimerHandle | None = None
        self._body_came = False
        self._trailer_bytes = 0
        self._write_timer: TimerHandle | None = None
        self._fault: MigFault | None = None
        self._refused = False

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(cast(Transport, transport))
        # The first request has as long as a following one would have.
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )
        self._counted = True
        fault = self._sockets.opened(self._address)
        if fault is not None:
            self._refuse_bytes(fault)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._end_head()
        self.resume_writing()
        self._uncounted()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._read_bytes = len(data)
        self._body_came = False
        super().data_received(data)
        if self._refused:
            return
        # The method is known as soon as the head is complete, which it nearly always is in one read.
        if self.scope is not None and "method" not in self.scope:
            self._more_head(len(data))
        elif self.cycle is not None and self.cycle.more_body:
            self._more_body(len(data))

    def on_headers_complete(self) -> None:
        limits = self._limits
        if (
            len(self.headers) > limits.max_header_fields
            or len(self.url) > limits.max_url_bytes
            or self._read_bytes > limits.max_head_bytes
            or self._head_timer is not None
        ):
            self._check_head()
        self.begin_request()

    def begin_request(self) -> None:
        """The head is complete, and within its bounds."""
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_came = True
        super().on_body(body)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_timer = self.loop.call_later(self._limits.write_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

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
        # From here on another protocol has the connection, and counts it as its own.
        self._uncounted()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        """Called by uvicorn for what is not HTTP, and for what `_check_head` refuses."""
        fault, self._fault = self._fault, None
        self._refuse_bytes(fault or MigFault(MigErrorCode.MIG_INVALID_REQUEST, "the request is not HTTP"))

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def _uncounted(self) -> None:
        if self._counted:
            self._counted = False
            self._sockets.closed(self._address)

    def _check_head(self) -> None:
        """For a head that is not small for sure."""
        limits = self._limits
        if len(self.headers) > limits.max_header_fields:
            self._fault = _too_large(f"the request has more than {limits.max_header_fields} header fields")
        elif len(self.url) > limits.max_url_bytes:
            self._fault = _too_large(f"the URL is longer than {limits.max_url_bytes} bytes")
        elif self._measured() > limits.max_head_bytes:
            self._fault = self._large_head()
        self._end_head()
        if self._fault is not None:
            raise _RefusedError

    def _measured(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _large_head(self) -> MigFault:
        return _too_large(f"the head of the request is larger than {self._limits.max_head_bytes} bytes")

    def _more_body(self, size: int) -> None:
        """What is no body is a trailer, or chunks without anything in them (RFC 9112, 7.1)."""
        self._trailer_bytes = 0 if self._body_came else self._trailer_bytes + size
        if self._trailer_bytes > self._limits.max_head_bytes:
            self._refuse_bytes(self._large_head())

    def _more_head(self, size: int) -> None:
        if self.scope is not self._head:
            self._end_head()
            self._head = self.scope
            self._head_bytes = 0
            self._head_timer = self.loop.call_later(
                self._limits.head_timeout_s, self._head_timed_out, self.scope
            )
        self._head_bytes += size
        if self._head_bytes > self._limits.max_head_bytes:
            self._refuse_bytes(self._large_head())

    def _head_timed_out(self, head: Any) -> None:
        if head is self.scope and "method" not in head:
            message = f"the head of the request did not arrive in {self._limits.head_timeout_s:g} seconds"
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
        fields = [
            NO_SNIFFING,
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        if fault.retry_after_s:
            fields.append((b"retry-after", b"%d" % fault.retry_after_s))
        head = b"".join(b"%b: %b\r\n" % field for field in fields)
        self.transport.write(STATUS_LINE[status] + head + b"\r\n" + body)
        # Closing on a client that is still sending resets the connection, and the answer may be lost with it
        # (RFC 9112, 9.6): what comes now is thrown away for a moment first.
        if self.transport.can_write_eof():
            # TLS has no half of a connection to close (RFC 8446, 6.1, as it is implemented).
            self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)


def _too_large(message: str) -> MigFault:
    return MigFault(MigErrorCode.MIG_INVALID_REQUEST, message, variant="too_large")
