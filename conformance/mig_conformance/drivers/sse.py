"""SUBSCRIBE over Server-Sent Events, read line by line by the rules of protocol section 5."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from mig_conformance.drivers.absent import Absent
from mig_conformance.drivers.http import body_of, credentials, read_answer, translated
from mig_conformance.drivers.json_text import read_json
from mig_conformance.drivers.port import (
    Answer,
    Ask,
    BindingName,
    Event,
    RefusedError,
)
from mig_conformance.drivers.reading import Reading
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.flaws import ClosedError, FlawError

_PATH = "/mig/v0.1/subscribe/"
_SCHEMAS = {"mig-event": "EventMessage", "mig-gap": "GapNotice"}
_NOTHING: Mapping[str, str] = {}


class SseDriver(Absent):
    """`session` has the server's URL as its base."""

    binding: BindingName = "sse"

    def __init__(self, session: ClientSession, transcript: Transcript, *, patience_s: float) -> None:
        self._session = session
        self._transcript = transcript
        self._patience_s = patience_s

    async def subscribe(self, ask: Ask) -> SseSubscription:
        """The topic is in the path, the message's other fields in the query."""
        fields = {name: str(value) for name, value in ask.message.items() if name not in ("topic", "header")}
        topic = ask.path.get("topic", str(ask.message.get("topic", "")))
        query = urlencode({**fields, **ask.query})
        target = f"{_PATH}{quote(topic, safe='')}{'?' if query else ''}{query}"
        self._transcript.sent(f"GET {target}", json.dumps(dict(ask.carried)).encode())
        response = await self._opened(target, {**credentials(ask.caller), **ask.carried})
        opened = _as_answer(response)
        if response.status != 200:
            with translated(f"GET {target}", self._patience_s):
                async with response, asyncio.timeout(self._patience_s):
                    body = await body_of(response)
            refused = Answer(status=opened.status, fields=opened.fields, body=body)
            raise RefusedError(read_answer(refused, "", self._transcript))
        self._transcript.received(f"HTTP {response.status}", f"a stream of {response.content_type}")
        return SseSubscription(response, opened, self._transcript, self._patience_s)

    async def _opened(self, target: str, fields: Mapping[str, str]) -> ClientResponse:
        timeout = ClientTimeout(total=None, sock_connect=self._patience_s)
        with translated(f"GET {target}", self._patience_s):
            async with asyncio.timeout(self._patience_s):
                return await self._session.get(URL(target, encoded=True), headers=fields, timeout=timeout)


class SseSubscription:
    """An open stream of events."""

    def __init__(
        self, response: ClientResponse, opened: Answer, transcript: Transcript, patience_s: float
    ) -> None:
        self._response = response
        self._transcript = transcript
        self._reading = Reading(self._read, what="event", patience_s=patience_s)
        self.next = self._reading.next
        self.quiet = self._reading.within
        self.opened = opened
        self.comments = 0

    async def late_refusal(self) -> None:
        """There is none: the status was there first."""

    async def close(self) -> None:
        await self._reading.stop()
        self._response.close()

    async def _read(self) -> Event:
        fields: dict[str, str] = {}
        while True:
            line = await self._line()
            if line.startswith(":"):
                self.comments += 1
            elif line:
                name, _, value = line.partition(":")
                fields[name] = fields[name] + "\n" + value if name in fields else value.removeprefix(" ")
            elif fields:
                return self._event(fields)

    async def _line(self) -> str:
        try:
            line = await self._response.content.readline()
        except ClientError as error:
            raise ClosedError(f"the stream of events broke: {type(error).__name__} {error}") from None
        except ValueError:
            raise FlawError("a line of the stream of events has no end") from None
        if not line:
            raise ClosedError("the server ended the stream of events")
        try:
            return line.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise FlawError(f"a line of the stream of events is not UTF-8: {line[:300]!r}") from None

    def _event(self, fields: Mapping[str, str]) -> Event:
        name = fields.get("event")
        try:
            data = read_json(fields.get("data", ""))
        except ValueError:
            raise FlawError(f"an event whose data is no JSON: {dict(fields)}") from None
        if name not in _SCHEMAS or not isinstance(data, dict):
            raise FlawError(f"an event that is neither mig-event nor mig-gap: {dict(fields)}")
        self._transcript.received(f"SSE {name}", data, _SCHEMAS[name])
        return Event(kind="gap" if name == "mig-gap" else "event", data=data, id=fields.get("id"), name=name)


def _as_answer(response: ClientResponse) -> Answer:
    fields = {name.lower(): value for name, value in response.headers.items()}
    return Answer(message={}, status=response.status, fields=fields)
