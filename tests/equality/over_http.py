"""The compared calls over HTTP and Server-Sent Events, as a client without a stub writes them."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from equality.asked import Asked, JsonObject, Who
from equality.outcome import Outcome
from equality.transport import beside, event_seen
from mig_protocol.errors import ERRORS
from mig_protocol.messages import MigErrorCode
from support.sse import EventReader

_PATHS: Final = {
    "HELLO": ("hello", ""),
    "DISCOVER": ("discover", ""),
    "INVOKE": ("invoke", "capability"),
    "PUBLISH": ("publish", "topic"),
    "CANCEL": ("cancel", "target_message_id"),
    "HEARTBEAT": ("heartbeat", ""),
    "SUBSCRIBE": ("subscribe", "topic"),
}
_CARRIERS: Final = {
    "message_id": "MIG-Message-ID",
    "session_id": "MIG-Session-ID",
    "traceparent": "traceparent",
    "idempotency_key": "Idempotency-Key",
    "deadline_ms": "MIG-Deadline-Ms",
}


class OverHttp:
    """One tenant's calls over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, who: Who) -> None:
        self._session = session
        self._who = who

    async def ask(self, asked: Asked) -> Outcome:
        name, parameter = _PATHS[asked.operation]
        body = dict(asked.body)
        part = asked.elsewhere or (body.pop(parameter) if parameter else None)
        header, fields = self._header(asked)
        if header is not None:
            # In front, as everyone writes it: of two things that are wrong the first one is told.
            body = {"header": header, **body}
        if asked.extra:
            body["nobody_knows_this"] = {"at": ["all"]}
        path = f"/mig/v0.1/{name}" + (f"/{quote(part, safe='')}" if part is not None else "")
        return await self._outcome("POST", path, json.dumps(body).encode(), fields)

    async def garbage(self, asked: Asked, body: bytes) -> Outcome:
        """What is not a message at all."""
        name, parameter = _PATHS[asked.operation]
        path = f"/mig/v0.1/{name}" + (f"/{asked.body[parameter]}" if parameter else "")
        return await self._outcome("POST", path, body, self._header(asked)[1])

    async def subscribe(self, asked: Asked) -> SseSubscription | Outcome:
        body = dict(asked.body)
        path = f"/mig/v0.1/subscribe/{quote(body.pop('topic'), safe='')}"
        _, fields = self._header(asked)
        url = URL(f"{path}?{urlencode(body)}", encoded=True)
        response = await self._session.get(url, headers=fields)
        if response.status == 200:
            return SseSubscription(response)
        return _refusal(response, await response.read())

    def _header(self, asked: Asked) -> tuple[JsonObject | None, dict[str, str]]:
        """The header of the body, and the HTTP header fields."""
        header = asked.header_for(self._who)
        fields: dict[str, str] = {}
        authorization = self._who.authorization(asked.credential)
        if authorization is not None:
            fields["Authorization"] = authorization
        if asked.named:
            fields["X-Tenant-ID"] = self._who.own
        if header is not None and asked.carried:
            fields |= {_CARRIERS[name]: str(value) for name, value in header.items() if name in _CARRIERS}
            header = {name: value for name, value in header.items() if name not in _CARRIERS}
        return header, fields

    async def _outcome(self, method: str, path: str, body: bytes, fields: dict[str, str]) -> Outcome:
        url = URL(path, encoded=True)
        async with self._session.request(method, url, data=body, headers=fields) as response:
            raw = await response.read()
            if response.status >= 400:
                return _refusal(response, raw)
            answer = json.loads(raw)
        return Outcome(answer=answer, beside=beside(answer), retry_after=False)


class SseSubscription:
    """The events of one SSE response."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._reader = EventReader(response)

    async def next(self) -> JsonObject:
        """The next event or gap."""
        while (event := await self._reader.next()).kind == "comment":
            pass
        if event.kind == "mig-event":
            assert event.id == str(event.data["sequence"])
        return event_seen(event.kind, event.data)

    async def close(self) -> None:
        self._response.close()


def _refusal(response: aiohttp.ClientResponse, raw: bytes) -> Outcome:
    envelope: Any = json.loads(raw)
    row = ERRORS[MigErrorCode(envelope["error"]["code"])]
    assert response.status in {row.http_status, *row.http_variants.values()}, (response.status, envelope)
    return Outcome(
        error=envelope["error"],
        error_header=envelope["header"],
        retry_after="Retry-After" in response.headers,
    )
