"""A real gateway whose answers are spoilt on their way out, to see whether the fuzzing notices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from migd.app import Application
from migd.config import load_settings
from migd.providers.builtin import reference_capability
from support.asgi_server import serving


@dataclass(slots=True)
class Answer:
    """A whole answer, or one chunk of a stream; and the request that it belongs to."""

    method: str
    path: str
    request: bytes
    status: int
    headers: dict[bytes, bytes]
    body: bytes


Defect = Callable[[Answer], None]


@contextmanager
def defective_migd(defect: Defect, *, credential: str | None = None, **environ: str) -> Iterator[str]:
    """The URL of a gateway whose every answer goes through `defect`, which may change it.

    With a `credential`, requests without any are given that one: an authentication that lets everyone in.
    """
    application = Application(load_settings({"MIGD_STORE": "memory", **environ}), (reference_capability(),))
    with serving(_Spoilt(application, defect, credential)) as port:
        yield f"http://127.0.0.1:{port}"


class _Spoilt:
    def __init__(self, application: Application, defect: Defect, credential: str | None) -> None:
        self._application = application
        self._defect = defect
        self._credential = credential

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if self._credential and not any(name == b"authorization" for name, _ in scope["headers"]):
            scope["headers"].append((b"authorization", self._credential.encode()))
        exchange = _Exchange(scope, receive, send, self._defect)
        await self._application.asgi(scope, exchange.receive, exchange.send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        await self._application.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._application.close()
        await send({"type": "lifespan.shutdown.complete"})


class _Exchange:
    """Holds the head back until there is a body to go with it, since a defect may change either."""

    def __init__(self, scope: Any, receive: Any, send: Any, defect: Defect) -> None:
        self._receive = receive
        self._send = send
        self._defect = defect
        self._begun = False
        self._answer = Answer(scope["method"], scope["path"], b"", 0, {}, b"")

    async def receive(self) -> Any:
        event = await self._receive()
        self._answer.request += event.get("body", b"")
        return event

    async def send(self, event: Any) -> None:
        answer = self._answer
        if event["type"] == "http.response.start":
            answer.status, answer.headers = event["status"], dict(event["headers"])
            return
        answer.body = event.get("body", b"")
        self._defect(answer)
        if b"content-length" in answer.headers:
            answer.headers[b"content-length"] = b"%d" % len(answer.body)
        if not self._begun:
            self._begun = True
            start = {"type": "http.response.start", "status": answer.status}
            await self._send(start | {"headers": list(answer.headers.items())})
        await self._send(event | {"body": answer.body})
