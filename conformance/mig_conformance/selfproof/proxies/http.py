"""A reverse proxy for HTTP, its event streams and WebSockets included."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import suppress
from io import BytesIO
from itertools import count
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientConnectionError, ClientPayloadError, ClientResponse, ClientSession, web
from multidict import CIMultiDict
from yarl import URL

from mig_conformance.selfproof.mutation import Mutation
from mig_conformance.selfproof.passage import Passage, read_json
from mig_conformance.selfproof.proxies.routes import Route, asked, route_of, target_after
from mig_conformance.selfproof.proxies.sse import pass_events
from mig_conformance.selfproof.proxies.websocket import pass_frames
from mig_protocol.errors import ERRORS
from mig_protocol.messages import MigErrorCode

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "upgrade"}
_AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
# Longer than what the suite sends to see it refused: that is for the server to say.
_LONGEST_LINE = 2**20
# Not 0, which aiohttp takes for no limit.
_SHUTDOWN_S = 0.1


class HttpProxy:
    """Enter it to serve what the server at `url` does. `session` does not decode what it receives."""

    def __init__(self, url: str, session: ClientSession, mutation: Mutation) -> None:
        self._server_url = URL(url)
        self._session = session
        self._mutation = mutation
        self._server = web.Server(
            self._handle, handler_cancellation=True, max_line_size=_LONGEST_LINE, max_field_size=_LONGEST_LINE
        )
        self._runner = web.ServerRunner(self._server, shutdown_timeout=_SHUTDOWN_S)
        self._forwarding: set[asyncio.Task[web.StreamResponse]] = set()
        self._scopes = count()

    @property
    def url(self) -> str:
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._forwarding:
            task.cancel()
        await asyncio.gather(*self._forwarding, return_exceptions=True)
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """In a task of its own, since the server may not hear that the client is gone."""
        route = route_of(request.method, request.raw_path)
        fields = {name.lower(): value for name, value in request.headers.items()}
        passage = asked(route, fields, await request.content.read())
        task = self._begin(self._exchange(request, route, passage))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not self._mutation.hangup_ignored(passage):
                task.cancel()
            raise

    def _begin(self, exchange: Coroutine[Any, Any, web.StreamResponse]) -> asyncio.Task[web.StreamResponse]:
        task = asyncio.create_task(exchange)
        self._forwarding.add(task)
        task.add_done_callback(self._forwarding.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    def _scope(self) -> str:
        return f"http {next(self._scopes)}"

    async def _exchange(self, request: web.BaseRequest, route: Route, passage: Passage) -> web.StreamResponse:
        response: web.StreamResponse | None = None
        passages = self._mutation.through(passage)
        for number, each in enumerate(passages, 1):
            await asyncio.sleep(each.delay_s)
            response = await self._forward(request, route, each, last=number == len(passages))
        return response or await _never()

    async def _forward(
        self, request: web.BaseRequest, route: Route, passage: Passage, *, last: bool
    ) -> web.StreamResponse:
        if passage.answer is not None:
            return _in_its_place(route, passage)
        headers = fields_after(request.headers, passage)
        url = self._server_url.join(URL(target_after(route, passage), encoded=True))
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await pass_frames(request, url, headers, passage, self._mutation, self._scope())
        content = passage.json()
        try:
            async with self._session.request(
                request.method,
                url,
                headers=headers,
                data=BytesIO(content) if content else None,
                allow_redirects=False,
                skip_auto_headers=_AUTOMATIC,
            ) as upstream:
                return await self._answered(request, passage, upstream, last=last)
        except (ClientConnectionError, ClientPayloadError):
            return broken(request)

    async def _answered(
        self, request: web.BaseRequest, passage: Passage, upstream: ClientResponse, *, last: bool
    ) -> web.StreamResponse:
        streams = upstream.content_type == "text/event-stream"
        raw = b"" if streams else await upstream.read()
        if not last:
            return web.Response()
        answer = answer_of(passage, upstream.status, upstream.headers, raw)
        sent = self._mutation.through(answer)
        if not sent:
            return await _never()
        await asyncio.sleep(answer.delay_s)
        headers, status = fields_after(upstream.headers, answer), int(answer.new_status or upstream.status)
        if streams:
            response = web.StreamResponse(status=status, reason=upstream.reason, headers=headers)
            await response.prepare(request)
            with suppress(ClientPayloadError):
                await pass_events(upstream.content, response, passage, self._scope(), self._mutation)
                return response
            return broken(request)
        return web.Response(status=status, reason=upstream.reason, headers=headers, body=answer.json())


def answer_of(passage: Passage, status: int, fields: Mapping[str, str], raw: bytes) -> Passage:
    """What the server answered."""
    return Passage(
        at=frozenset({"answer"}),
        binding=passage.binding,
        operations=passage.operations,
        message=read_json(raw),
        raw=raw,
        fields={name.lower(): value for name, value in fields.items()},
        status=status,
        request=passage,
    )


def fields_after(given: Mapping[str, str], passage: Passage) -> CIMultiDict[str]:
    """Header fields as they go on."""
    kept: Iterable[tuple[str, str]] = given.items()
    fields = CIMultiDict([(name, value) for name, value in kept if name.lower() not in _HOP_BY_HOP])
    for name, value in passage.new_fields.items():
        fields.popall(name, None)
        if value is not None:
            fields[name] = value
    if passage.new_tenant is not None:
        fields["X-Tenant-ID"] = passage.new_tenant
    return fields


def broken(request: web.BaseRequest) -> web.StreamResponse:
    """The server broke the connection: so does the proxy."""
    if request.transport is not None:
        request.transport.abort()
    raise asyncio.CancelledError


async def _never() -> web.StreamResponse:
    """Until the client goes away, or the proxy."""
    await asyncio.Event().wait()
    raise AssertionError


def _in_its_place(route: Route, passage: Passage) -> web.Response:
    body = Passage(at=frozenset(), binding=passage.binding, operations=frozenset())
    body.message, body.changed = passage.answer, True
    code = (passage.answer or {}).get("error", {}).get("code")
    status = (
        ERRORS[MigErrorCode(code)].http_status if code else route.operation.status if route.operation else 200
    )
    return web.Response(
        status=int(passage.new_status or status), body=body.json(), content_type="application/json"
    )
