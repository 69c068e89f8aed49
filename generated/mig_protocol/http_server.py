# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""The HTTP server stub: an exchange and its body in, a reply out. It knows no server library.

Where the service answers with a plain value nothing here awaits, so the whole of a request is one call.
Where it gives an awaitable, `handle` gives one too.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any, Final

from mig_protocol import codec
from mig_protocol.errors import ERRORS, MigFault, fault_of
from mig_protocol.http_exchange import Answer, Body, Exchange, Reply
from mig_protocol.http_request import CARRIED, read_carried, request_reader
from mig_protocol.http_routes import ROUTES, Route, Router
from mig_protocol.http_service import HttpService
from mig_protocol.messages import MigErrorCode

__all__ = ["Answer", "Body", "Exchange", "HttpService", "HttpStub", "Reply", "Route", "Router"]

_JSON: Final = (b"content-type", b"application/json")
_EVENT_STREAM: Final = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)


class HttpStub:
    """Routes, decodes, calls the service, encodes. Bodies over `max_body_bytes` are refused with 413."""

    def __init__(self, service: HttpService, *, max_body_bytes: int) -> None:
        self.service = service
        self.max_body_bytes = max_body_bytes
        self.router = Router()
        self._served = {route: _Served(route, service) for route in ROUTES}

    def handle(self, exchange: Exchange, body: bytes) -> Reply | Awaitable[Reply]:
        """The reply to one request, errors included: this raises nothing but what `service.failed` raises."""
        if exchange.method == "HEAD":
            return self._without_body(exchange, body)
        return self._handle(exchange, body)

    def route(self, exchange: Exchange) -> tuple[Route, str]:
        """Find the exchange's route and note it there; gives the path parameter too. Raises MigFault."""
        route, parameter = self.router.match(exchange.method, exchange.path)
        exchange.route = route.template
        exchange.operation = route.operation
        return route, parameter

    def enter(self, exchange: Exchange) -> Route:
        """All that precedes a request without a body, such as a WebSocket handshake: route and header fields.

        Raises MigFault.
        """
        route, _ = self.route(exchange)
        if not route.public:
            read_carried(exchange)
        return route

    def too_large(self) -> MigFault:
        """The refusal of a body over the limit."""
        message = f"the body is larger than {self.max_body_bytes} bytes"
        return MigFault(MigErrorCode.MIG_INVALID_REQUEST, message, variant="too_large")

    def reject(self, exchange: Exchange, fault: MigFault) -> Reply:
        """The reply to a request whose body could not be had, unless its route or header fields already
        fail.
        """
        try:
            self.enter(exchange)
        except MigFault as earlier:
            fault = earlier
        return self.refuse(exchange, fault)

    def refuse(self, exchange: Exchange, fault: MigFault) -> Reply:
        """The reply for a fault: the service's envelope under the status that the error table gives."""
        body = codec.encode(self.service.failed(exchange, fault))
        return Reply(fault.http_status, [_JSON, _length(body), *_fault_headers(fault)], body)

    def broke(self, exchange: Exchange, error: Exception) -> Reply:
        """The reply for an exception that is no MigFault. Its text stays out of the answer."""
        return self.refuse(exchange, fault_of(error))

    def _handle(self, exchange: Exchange, body: bytes) -> Reply | Awaitable[Reply]:
        try:
            route, parameter = self.route(exchange)
            exchange.wire_bytes = len(body)
            if len(body) > self.max_body_bytes:
                raise self.too_large()
            if not route.public and (exchange.repeated or not CARRIED.isdisjoint(exchange.fields)):
                read_carried(exchange)
            served = self._served[route]
            answer = served.ask(exchange, body, parameter)
            if type(answer) is not served.response and hasattr(answer, "__await__"):
                return self._later(exchange, served, answer)
            return served.reply(answer)
        except Exception as error:
            return self.refuse(exchange, fault_of(error))

    async def _later(self, exchange: Exchange, served: _Served, answer: Awaitable[Any]) -> Reply:
        try:
            return served.reply(await answer)
        except Exception as error:
            return self.refuse(exchange, fault_of(error))

    def _without_body(self, exchange: Exchange, body: bytes) -> Reply | Awaitable[Reply]:
        reply = self._handle(exchange, body)
        if isinstance(reply, Reply):
            return _headers_only(reply)

        async def later() -> Reply:
            return _headers_only(await reply)

        return later()


class _Served:
    """One route with the service's method behind it."""

    __slots__ = ("ask", "reply", "response")

    def __init__(self, route: Route, service: HttpService) -> None:
        self.response = route.response
        self.ask = _asker(route, service)
        self.reply = _replier(route)


def _asker(route: Route, service: HttpService) -> Callable[[Exchange, bytes, str], Any]:
    if route.form == "websocket":
        return _no_upgrade
    call = getattr(service, route.handler)
    read = request_reader(route)
    if read is None:
        return lambda exchange, _body, _parameter: call(exchange)
    return lambda exchange, body, parameter: call(exchange, read(exchange, body, parameter))


def _no_upgrade(exchange: Exchange, _body: bytes, _parameter: str) -> Any:
    message = f"{exchange.path} is a WebSocket and this request is not a handshake (RFC 6455)"
    raise MigFault(MigErrorCode.MIG_INVALID_REQUEST, message)


def _replier(route: Route) -> Callable[[Any], Reply]:
    status, encode = route.status, codec.encode
    if route.form == "events":
        return lambda chunks: Reply(status, list(_EVENT_STREAM), chunks)
    if route.form == "text":
        kind = (b"content-type", f"{route.media_type}; charset=utf-8".encode())
        return _either(status, kind, str.encode)
    if route.varies:
        return _either(status, _JSON, encode)

    def reply(message: Any) -> Reply:
        # As `_whole`, in one call: this is the way of nearly every answer.
        body = encode(message)
        return Reply(status, [_JSON, (b"content-length", b"%d" % len(body))], body)

    return reply


def _either(status: int, kind: tuple[bytes, bytes], encode: Callable[[Any], bytes]) -> Callable[[Any], Reply]:
    """For answers that may come as an Answer, which names a status or media type of its own."""

    def reply(given: Any) -> Reply:
        if not isinstance(given, Answer):
            return _whole(status, kind, encode(given))
        own = kind if given.media_type is None else (b"content-type", given.media_type.encode("latin-1"))
        return _whole(given.status or status, own, encode(given.value))

    return reply


def _whole(status: int, kind: tuple[bytes, bytes], body: bytes) -> Reply:
    return Reply(status, [kind, (b"content-length", b"%d" % len(body))], body)


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", b"%d" % len(body)


def _headers_only(reply: Reply) -> Reply:
    return Reply(reply.status, reply.headers, b"")


def _fault_headers(fault: MigFault) -> list[tuple[bytes, bytes]]:
    headers: list[tuple[bytes, bytes]] = []
    if ERRORS[fault.code].retry_after:
        headers.append((b"retry-after", b"%d" % max(1, math.ceil(fault.retry_after_s or 1))))
    if fault.code is MigErrorCode.MIG_UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))  # RFC 9110, 11.6.1
    if fault.variant == "method_not_allowed" and fault.details is not None:
        headers.append((b"allow", ", ".join(fault.details["allow"]).encode()))
    return headers
