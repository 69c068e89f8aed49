"""A whole gateway in this process, asked by one input after the other, and what may not happen meanwhile."""

from __future__ import annotations

import asyncio
import atexit
import logging
from collections.abc import Coroutine
from typing import Any

from fuzz.decoders.target import FindingError
from migd.app import Application
from migd.config import load_settings
from migd.logs import is_ours_to_tell
from migd.providers.builtin import reference_capability

# So small that inputs of a few kilobytes meet them, and that nothing grows over millions of inputs.
_LIMITS = {
    "MIGD_MAX_HEAD_BYTES": "2048",
    "MIGD_MAX_URL_BYTES": "1024",
    "MIGD_MAX_HEADER_FIELDS": "16",
    "MIGD_MAX_BODY_BYTES": "2048",
    "MIGD_MAX_FRAME_BYTES": "2048",
    "MIGD_RETENTION_EVENTS": "10",
    "MIGD_RETENTION_AUDIT_RECORDS": "10",
    "MIGD_MAX_TOPICS_PER_TENANT": "10",
}
_WORK_ENDS_S = 1.0


class GatewayLoop:
    """An application, started, in an event loop of its own. Both last as long as the process."""

    def __init__(self, **environ: str) -> None:
        self.settings = load_settings({"MIGD_STORE": "memory", **_LIMITS, **environ})
        self.application = Application(self.settings, [reference_capability()])
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(self.application.start())
        self._lasting = asyncio.all_tasks(self._loop)
        self._failures = _Failures()
        self._loop.set_exception_handler(self._failures.unhandled)
        atexit.register(self._close)

    def _close(self) -> None:
        self._loop.run_until_complete(self.application.close())
        self._loop.close()

    def run(self, conversation: Coroutine[Any, Any, None]) -> None:
        """Raises FindingError when anything failed that is no refusal, or went on after its end."""
        log = logging.getLogger()
        log.addHandler(self._failures)
        try:
            self._loop.run_until_complete(self._to_the_end(conversation))
        finally:
            log.removeHandler(self._failures)
        if failures := self._failures.taken():
            raise FindingError("; ".join(failures))

    async def _to_the_end(self, conversation: Coroutine[Any, Any, None]) -> None:
        await conversation
        running = asyncio.all_tasks() - self._lasting - {asyncio.current_task()}
        if running:
            _, running = await asyncio.wait(running, timeout=_WORK_ENDS_S)
        if running:
            raise FindingError(f"goes on though its client has left: {running}")


class _Failures(logging.Handler):
    """What was logged as an error or handled by nobody."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._texts: list[str] = []
        self.addFilter(is_ours_to_tell)

    def emit(self, record: logging.LogRecord) -> None:
        self._texts.append(self.format(record))

    def unhandled(self, _: object, context: dict[str, Any]) -> None:
        self._texts.append(repr(context))

    def taken(self) -> list[str]:
        texts, self._texts = self._texts, []
        return texts
