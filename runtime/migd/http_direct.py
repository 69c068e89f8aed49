"""Answers that need no waiting, written in the callback that read the request.

ASGI costs a scope, a cycle, a task, four messages and two writes for each request, which is more than a small
invocation itself (docs/decisions/0004-direct-answers.md has the figures). A request that came in one piece,
and whose answer needs no await, goes without them: uvicorn does not hear of it. Everything else is handed
over as if it came only then, and takes uvicorn's usual way.
"""

from __future__ import annotations

import logging
from asyncio import TimerHandle
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from mig_protocol.asgi_types import Application
from mig_protocol.http_exchange import Exchange, Reply
from migd.http_protocol import BoundedHttpProtocol

_log = logging.getLogger("migd.http")

AtOnce = Callable[[Exchange, bytes], Reply | Application | None]


class DirectHttpProtocol(BoundedHttpProtocol):
    """`at_once` is `AsgiAdapter.at_once` of the application that uvicorn serves."""

    def __init__(self, *args: Any, at_once: AtOnce, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._at_once = at_once
        # The body, as far as it has come, of a request that uvicorn has not heard of.
        self._kept: bytes | None = None
        self._method, self._target = "", ("", b"")
        self._certificate: str | None = None
        self._rest: Application | None = None
        self._used = False
        self._defaults: object = None
        self._default_fields = b""
        self._idle_since = 0.0
        self._idle_timer: TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._end_idle()

    def handle_websocket_upgrade(self) -> None:
        self._end_idle()
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        self._used = False
        super().data_received(data)
        if self._kept is not None:
            # The body has not all come yet, or is no HTTP.
            kept, self._kept = self._kept, None
            if not self._refused:
                self._hand_over(kept, None)

    def on_message_begin(self) -> None:
        """As uvicorn's, without the scope: most requests never need one."""
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self.scope = {}

    def begin_request(self) -> None:
        """One request for each read is kept, so that a client that sends hundreds in one piece does not hold
        up the others, and none that uvicorn would look at more closely.
        """
        target = _target_of(self.url)
        if (
            target is not None
            and not self._used
            and (self.cycle is None or self.cycle.response_complete)
            and not self.flow.write_paused
            and not self.expect_100_continue
            and not self.parser.should_upgrade()
            and self.parser.get_http_version() == "1.1"
        ):
            self._used = True
            self._kept = b""
            self._target = target
            # So the head counts as complete.
            self.scope["method"] = self._method = self.parser.get_method().decode("ascii")
        else:
            self.make_scope()
            super().begin_request()

    def make_scope(self) -> None:
        """uvicorn wants the request after all: what it would have made at its beginning."""
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers += headers

    def on_body(self, body: bytes) -> None:
        if self._kept is None:
            super().on_body(body)
        else:
            self._kept = self._kept + body if self._kept else body

    def on_message_complete(self) -> None:
        if self._kept is None:
            super().on_message_complete()
            return
        body, self._kept = self._kept, None
        try:
            path, query = self._target
            exchange = Exchange(self._method, path, query, self.headers, self.client, self._certificate)
            answer = self._at_once(exchange, body)
        except Exception:
            # Not for the parser, which would take it for bytes that are not HTTP.
            _log.exception("a request could not be answered")
            self.transport.close()
            return
        if isinstance(answer, Reply) and isinstance(answer.body, bytes):
            self._write(answer, answer.body)
        else:
            self._hand_over(body, None if isinstance(answer, Reply) else answer)
            super().on_message_complete()

    def _hand_over(self, body: bytes, rest: Application | None) -> None:
        """Let uvicorn have the request; `rest` is what is left to do for it."""
        self._rest = rest
        self.make_scope()
        super().begin_request()
        if body:
            super().on_body(body)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        application: Any = self._rest or app
        self._rest = None
        super()._start_asgi_task(cycle, application)

    def _write(self, reply: Reply, body: bytes) -> None:
        defaults = self.server_state.default_headers
        if defaults is not self._defaults:
            # A new list each second, with the time in it.
            self._defaults = defaults
            self._default_fields = b"".join(b"%b: %b\r\n" % field for field in defaults)
        fields = b"".join([b"%b: %b\r\n" % field for field in reply.headers])
        keep_alive = self.parser.should_keep_alive()
        end = b"\r\n" if keep_alive else b"connection: close\r\n\r\n"
        self.transport.write(b"".join((STATUS_LINE[reply.status], self._default_fields, fields, end, body)))
        if not keep_alive:
            self.transport.close()
            return
        # What uvicorn's on_response_complete does, with one timer that is set anew when it fires instead of
        # one for each request.
        self.server_state.total_requests += 1
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._idle_for_long)

    def _idle_for_long(self) -> None:
        self._idle_timer = None
        if self.timeout_keep_alive_task is not None:
            # The last request went uvicorn's way, and so does its timeout.
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self._idle_since = self.loop.time()
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._idle_timer = self.loop.call_later(left, self._idle_for_long)
        else:
            self.transport.close()

    def _end_idle(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None


# Most requests are for one of few URLs.
@lru_cache(maxsize=256)
def _target_of(url: bytes) -> tuple[str, bytes] | None:
    """The path and the query; None for a URL that uvicorn would take apart in another way."""
    if not url.startswith(b"/") or not url.isascii() or b"#" in url:
        return None
    path, _, query = url.partition(b"?")
    return path.decode("ascii"), query
