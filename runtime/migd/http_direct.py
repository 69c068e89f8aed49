"""Answers that need no waiting, written in the callback that read the request.

ASGI costs a task, four messages and two writes for each request, which is more than a small invocation
itself (docs/decisions/0004-direct-answers.md has the figures). A request that came in one piece, and whose
answer needs no await, goes without them; everything else takes uvicorn's usual way. Should uvicorn stop
calling `_start_asgi_task`, everything does.
"""

from __future__ import annotations

import logging
from asyncio import TimerHandle
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from mig_protocol.asgi_types import Application, Scope
from mig_protocol.http_exchange import Reply
from migd.http_protocol import BoundedHttpProtocol

_log = logging.getLogger("migd.http")

AtOnce = Callable[[Scope, bytes], Reply | Application | None]


class DirectHttpProtocol(BoundedHttpProtocol):
    """`at_once` is `AsgiAdapter.at_once` of the application that uvicorn serves."""

    def __init__(self, *args: Any, at_once: AtOnce, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._at_once = at_once
        self._waiting: Any = None
        self._used = False
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
        if self._waiting is not None:
            # The body has not all come yet.
            application, self._waiting = self._waiting, None
            super()._start_asgi_task(self.cycle, application)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # One request for each read: a client that sends hundreds in one piece must not hold up the others.
        if cycle is self.cycle and cycle.more_body and not self._used:
            self._used = True
            self._waiting = app
        else:
            super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self._waiting is not None:
            application, self._waiting = self._waiting, None
            rest = self._answer(application)
            if rest is not None:
                super()._start_asgi_task(self.cycle, rest)

    def _answer(self, application: Any) -> Any:
        """What is left to do as an ASGI application; None when the answer is written."""
        cycle = self.cycle
        if self.flow.write_paused or cycle.waiting_for_100_continue or application is not self.app:
            return application
        try:
            answer = self._at_once(self.scope, bytes(cycle.body))
        except Exception:
            # Not for the parser, which would take it for bytes that are not HTTP.
            _log.exception("a request could not be answered")
            self.transport.close()
            return None
        if not isinstance(answer, Reply) or not isinstance(answer.body, bytes):
            return answer or application
        self._write(cycle, answer, answer.body)
        return None

    def _write(self, cycle: RequestResponseCycle, reply: Reply, body: bytes) -> None:
        parts = [STATUS_LINE[reply.status]]
        for name, value in (*self.server_state.default_headers, *reply.headers):
            parts += (name, b": ", value, b"\r\n")
        if not cycle.keep_alive:
            parts.append(b"connection: close\r\n")
        parts += (b"\r\n", body)
        self.transport.write(b"".join(parts))
        cycle.response_started = cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        if self.pipeline:
            self.on_response_complete()
        else:
            self._now_idle()

    def _now_idle(self) -> None:
        """What uvicorn's on_response_complete does, with one timer that is set anew when it fires instead of
        one for each request."""
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._idle_since = self.loop.time()
        if self._idle_timer is None and not self.transport.is_closing():
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._idle_for_long)

    def _idle_for_long(self) -> None:
        self._idle_timer = None
        if self.timeout_keep_alive_task is not None:
            # The last request went uvicorn's way, and so does its timeout.
            return
        if not self.cycle.response_complete:
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
