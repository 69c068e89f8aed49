"""Capabilities that are a user's HTTP service: the payload is POSTed as JSON, and so is the answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import aiohttp
import msgspec

from mig_protocol.errors import MigFault
from migd.core.provider import Final, Health, JsonObject, Work
from migd.providers.hosts import UNLISTED, ProviderHosts
from migd.providers.http_faults import broken, envelope_fault, refusal, timeout, transport_fault
from migd.providers.http_resolver import ListedResolver
from migd.providers.http_stream import FrameReader, FrameSizeError, UnfinishedFrameError, frame_reader
from migd.version import __version__

_log = logging.getLogger(__name__)

OWN_HEADERS = frozenset(
    {
        "accept",
        "connection",
        "content-length",
        "content-type",
        "idempotency-key",
        "mig-deadline-ms",
        "mig-message-id",
        "mig-session-id",
        "traceparent",
        "transfer-encoding",
        "user-agent",
        "x-tenant-id",
    }
)
_CONNECT_TIMEOUT_S = 5.0
# Shorter than the 5 s after which common servers close an idle connection: a POST must not meet that moment.
_KEEP_ALIVE_S = 4.0
_MAX_ERROR_BYTES = 65_536
_UNARY_ACCEPT = "application/json"
_STREAM_ACCEPT = "application/x-ndjson, text/event-stream;q=0.9, application/json;q=0.5"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpService:
    """A service as migd.yaml declares it.

    `timeout_s` bounds a call, as the caller's deadline does: the sooner one decides. `max_response_bytes`
    bounds a unary answer, and each frame of a streamed one. `headers` may hold secrets: they are sent,
    and never shown. `hosts` are those that may be called.
    """

    capability: str
    url: str
    stream_url: str
    timeout_s: float
    max_response_bytes: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    hosts: ProviderHosts = UNLISTED

    @property
    def address(self) -> str:
        """The URL for a log: without its query, which may hold a key."""
        return self.url.partition("?")[0]


class _Asked(NamedTuple):
    """One invocation, and when it must be over on the event loop's clock."""

    work: Work
    until: float


class HttpProvider:
    """Relays invocations to one service. Cancelling one closes its connection."""

    def __init__(self, service: HttpService) -> None:
        self.service = service
        self._session: aiohttp.ClientSession | None = None

    async def invoke(self, work: Work) -> JsonObject:
        asked = self._asked(work)
        async with self._answer(self.service.url, asked, _UNARY_ACCEPT) as response:
            return self._object(await self._whole(response, asked))

    async def stream(self, work: Work) -> AsyncIterator[JsonObject | Final]:
        """The service's frames, each when the next one has come: the last is the terminal frame."""
        asked = self._asked(work)
        async with self._answer(self.service.stream_url, asked, _STREAM_ACCEPT) as response:
            reader = frame_reader(response.content_type, self.service.max_response_bytes)
            if reader is None:
                yield Final(self._object(await self._whole(response, asked)))
                return
            held: JsonObject | None = None
            try:
                async with aclosing(self._frames(response, reader, asked)) as frames:
                    async for frame in frames:
                        if held is not None:
                            yield held
                        held = frame
            except MigFault:
                if held is not None:  # it came whole, and it was not the last
                    yield held
                raise
            if held is not None:
                yield Final(held)

    async def start(self) -> None:
        # No cookies: one tenant's call leaves nothing for another's. No proxy or netrc from the environment.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=_KEEP_ALIVE_S, resolver=ListedResolver(self.service.hosts)
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_S),
            headers={**self.service.headers, "User-Agent": f"migd/{__version__}"},
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def health(self) -> Health:
        return Health(ok=True) if self._session is not None else Health(ok=False, reason="not started")

    @asynccontextmanager
    async def _answer(self, url: str, asked: _Asked, accept: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """The service's 2xx answer, its body still to come; any other is raised as its MigFault."""
        if self._session is None:
            raise RuntimeError(f"{self.service.capability} is called before its start")
        body = msgspec.json.encode(asked.work.payload)
        headers = {**_headers(asked), "Accept": accept}
        try:
            async with asyncio.timeout_at(asked.until):
                response = await self._session.post(url, data=body, headers=headers, allow_redirects=False)
        except (TimeoutError, aiohttp.ClientError) as error:
            raise self._lost(error, asked.work) from error
        try:
            if not 200 <= response.status < 300:
                raise await self._refusal(response, asked)
            yield response
        finally:
            # Keeps the connection for the next call, or closes it when some of the body was not read.
            response.release()

    async def _refusal(self, response: aiohttp.ClientResponse, asked: _Asked) -> MigFault:
        _log.warning(
            "%s: %s answered %d",
            self.service.capability,
            self.service.address,
            response.status,
            extra=asked.work.log_fields(),
        )
        body = await self._up_to(_MAX_ERROR_BYTES, response, asked)
        return refusal(self.service.capability, response.status, response.headers, body)

    async def _whole(self, response: aiohttp.ClientResponse, asked: _Asked) -> bytes:
        limit = self.service.max_response_bytes
        body = await self._up_to(limit, response, asked)
        if len(body) > limit:
            raise broken(self.service.capability, f"answered with more than {limit} bytes")
        return body

    async def _up_to(self, limit: int, response: aiohttp.ClientResponse, asked: _Asked) -> bytes:
        """The body, or its beginning: a little more than `limit` bytes of one that is longer."""
        body = bytearray()
        while len(body) <= limit and (chunk := await self._read(response, asked)):
            body += chunk
        return bytes(body)

    async def _frames(
        self, response: aiohttp.ClientResponse, reader: FrameReader, asked: _Asked
    ) -> AsyncGenerator[JsonObject, None]:
        capability = self.service.capability
        try:
            while chunk := await self._read(response, asked):
                for frame in reader.feed(chunk):
                    yield self._frame(frame)
            for frame in reader.end():
                yield self._frame(frame)
        except FrameSizeError as error:
            limit = self.service.max_response_bytes
            raise broken(capability, f"sent a frame of more than {limit} bytes") from error
        except UnfinishedFrameError as error:
            raise transport_fault(capability, aiohttp.ClientPayloadError()) from error

    async def _read(self, response: aiohttp.ClientResponse, asked: _Asked) -> bytes:
        """What has come of the body; nothing at its end."""
        try:
            async with asyncio.timeout_at(asked.until):
                return await response.content.readany()
        except (TimeoutError, aiohttp.ClientError) as error:
            raise self._lost(error, asked.work) from error

    def _frame(self, text: bytes) -> JsonObject:
        """A frame's payload. A service that fails after its first frame says so in an ErrorEnvelope."""
        frame = self._object(text)
        fault = envelope_fault(frame)
        if fault is not None:
            raise fault
        return frame

    def _object(self, text: bytes) -> JsonObject:
        try:
            answer: Any = msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise broken(self.service.capability, "answered with something that is not JSON") from error
        if not isinstance(answer, dict):
            raise broken(self.service.capability, "answered with JSON that is not an object")
        return answer

    def _lost(self, error: TimeoutError | aiohttp.ClientError, work: Work) -> MigFault:
        _log.warning(
            "%s: %s: %s",
            self.service.capability,
            self.service.address,
            _reason(error),
            extra=work.log_fields(),
        )
        # aiohttp's own timeouts (of connecting) are both; only the plain one is the call's.
        if isinstance(error, aiohttp.ClientError):
            return transport_fault(self.service.capability, error)
        return timeout(self.service.capability)

    def _asked(self, work: Work) -> _Asked:
        now = asyncio.get_running_loop().time()
        return _Asked(work, now + min(self.service.timeout_s, work.remaining_s()))


def _reason(error: TimeoutError | aiohttp.ClientError) -> str:
    """One line for the log. The text of a ClientResponseError would have the whole URL in it."""
    text = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    return " ".join(text.split()) or type(error).__name__


def _headers(asked: _Asked) -> dict[str, str]:
    work, until = asked
    remaining_ms = int((until - asyncio.get_running_loop().time()) * 1000)
    headers = {
        "Content-Type": "application/json",
        "X-Tenant-ID": work.tenant_id,
        "MIG-Message-ID": work.message_id,
        "MIG-Deadline-Ms": str(max(1, remaining_ms)),
    }
    if work.traceparent:
        headers["traceparent"] = work.traceparent
    if work.session_id:
        headers["MIG-Session-ID"] = work.session_id
    if work.idempotency_key:
        headers["Idempotency-Key"] = work.idempotency_key
    return headers
