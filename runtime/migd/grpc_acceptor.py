"""grpc.aio's own server, made to take calls as they come and not one by one (decision 0007).

It reaches into grpc.aio where nothing public does: a version that is built otherwise gets its plain server.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, cast

from grpc import aio
from grpc._cython import cygrpc
from grpc.aio import _server

# As many calls as change hands at once. More cost memory, 3 kB each, and gain nothing.
_AT_ONCE: Final = 32
_POLLER: Final = "(_poll_wrapper)"
_GIVES_WAY: Final = 5


def accepting_server(options: Sequence[tuple[str, int]]) -> aio.Server:
    """A server with these channel arguments, for the running event loop."""
    try:
        server = cast(aio.Server, _Server(options))
    except (AttributeError, TypeError):
        server = aio.server(options=options)
    _put_poller_behind()
    return server


class _Acceptor(cygrpc.AioServer):  # type: ignore[misc] # gRPC's extension has no types
    """Has many requests for a call with gRPC, where its base has one. With one, each of the calls that are
    there already waits until the call before it has gone from thread to thread and back.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._asked: deque[asyncio.Task[Any]] = deque()

    def _make_request_call_future(self, method: bytes | None) -> asyncio.Task[Any]:
        """The next call, for the loop of the base; of a registered `method`, or None: of any other."""
        ask = super()._make_request_call_future
        if method is not None:
            return ask(method)  # type: ignore[no-any-return]
        # gRPC fills them in the order in which they were made.
        while len(self._asked) < _AT_ONCE:
            self._asked.append(ask(None))
        return self._asked.popleft()

    async def shutdown(self, grace: float | None) -> None:
        # They fail now, and nobody waits for them any more. A call that one of them has got and nobody has
        # begun would hold its connection open.
        for asked in self._asked:
            asked.add_done_callback(_forget)
        self._asked.clear()
        await super().shutdown(grace)


class _Server(_server.Server):
    def __init__(self, options: Sequence[tuple[str, int]]) -> None:
        self._loop = cygrpc.get_working_loop()
        self._server = _Acceptor(self._loop, None, (), (), tuple(options), None)


def _forget(asked: asyncio.Task[Any]) -> None:
    if not asked.cancelled():
        asked.exception()


def _put_poller_behind() -> None:
    """Let gRPC's poller run when the event loop's thread waits, not each time that thread tells it something.

    Only where both want the same core; elsewhere it makes no difference.
    """
    if sys.platform != "linux":
        return  # only there has a thread a priority of its own
    behind = min(19, os.getpriority(os.PRIO_PROCESS, 0) + _GIVES_WAY)
    for thread in threading.enumerate():
        if thread.name.endswith(_POLLER) and thread.native_id is not None:
            with suppress(OSError):  # slower, and right
                os.setpriority(os.PRIO_PROCESS, thread.native_id, behind)
