# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""From an HTTP request to the message that an operation takes.

The message comes from the body or the query; the message header's fields may come from HTTP header fields
(the body's value wins) and one field from the path (it must agree with the body's). Everything is checked
against the schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote, unquote_plus

import msgspec
from msgspec import UNSET

from mig_protocol import codec
from mig_protocol.carried import carried_value, carrier, fill_header
from mig_protocol.http_exchange import Exchange
from mig_protocol.http_routes import Route
from mig_protocol.messages import RequestHeader
from mig_protocol.text_fields import as_integer, text_reader

ReadRequest = Callable[[Exchange, bytes, str], Any]

_CARRIERS: Final = {
    b"mig-message-id": carrier("MIG-Message-ID", "message_id"),
    b"x-tenant-id": carrier("X-Tenant-ID", "tenant_id"),
    b"mig-session-id": carrier("MIG-Session-ID", "session_id"),
    b"traceparent": carrier("traceparent", "traceparent"),
    b"idempotency-key": carrier("Idempotency-Key", "idempotency_key"),
    b"mig-deadline-ms": carrier("MIG-Deadline-Ms", "deadline_ms"),
}
CARRIED: Final = frozenset(_CARRIERS)
"""The HTTP header fields that `read_carried` reads."""

_RESUME: Final = "resume_cursor"  # what Last-Event-ID means, by the rules of Server-Sent Events


def read_carried(exchange: Exchange) -> None:
    """Set `exchange.carried` and `exchange.tenant` from the HTTP header fields.

    Raises MigFault MIG_INVALID_REQUEST for a value out of bounds and for a field given twice with different
    values.
    """
    if exchange.repeated is not None:
        twice = exchange.repeated.decode("latin-1")
        raise codec.refusal(f"the header field {twice} is given more than once", "", "given more than once")
    header: RequestHeader | None = None
    for name, raw in exchange.fields.items():
        place = _CARRIERS.get(name)
        if place is None:
            continue
        if header is None:
            header = exchange.carried = RequestHeader()
        value = carried_value(place, _text(raw))
        setattr(header, place.field, value)
        if place.field == "tenant_id":
            exchange.tenant = value


def request_reader(route: Route) -> ReadRequest | None:
    """How this route's request is read, or None where it takes none. The reader raises MigFault
    MIG_INVALID_REQUEST.
    """
    if route.request is None:
        return None
    return _query_reader(route, route.request) if route.from_query else _body_reader(route, route.request)


def _body_reader(route: Route, message: type[msgspec.Struct]) -> ReadRequest:
    decode = codec.decoder(message)
    has_header, bind = route.has_header, _binder(route, message)

    def read(exchange: Exchange, body: bytes, parameter: str) -> Any:
        request: Any = decode(body or b"{}")
        if has_header:
            if exchange.carried is not None:
                fill_header(request, exchange.carried)
            # So that a refusal from here on answers with the header that was sent.
            exchange.carried = request.header or None
        if bind is not None:
            bind(request, parameter)
        return request

    return read


def _binder(route: Route, message: type[msgspec.Struct]) -> Callable[[Any, str], None] | None:
    if not route.parameter:
        return None
    name, field, check = route.parameter, route.bound_field, _parameter_reader(route, message)

    def bind(request: Any, parameter: str) -> None:
        given = getattr(request, field)
        if given == parameter and "%" not in parameter:
            return
        value = check(parameter)
        if given is UNSET:
            setattr(request, field, value)
        elif given != value:
            reason = f"the path says {value}, the body says {given}"
            raise codec.refusal(f"{name} disagrees: {reason}", f"/{field}", reason)

    return bind


def _parameter_reader(route: Route, message: type[msgspec.Struct]) -> Callable[[str], str]:
    name, field, read = route.parameter, route.bound_field, text_reader(message, route.bound_field)

    # Most requests name one of few capabilities or topics. What is refused is not kept.
    @lru_cache(maxsize=1024)
    def check(parameter: str) -> str:
        try:
            text: str = read(_unquoted(parameter, unquote))
        except msgspec.ValidationError as error:
            reason = codec.reason(error)
            raise codec.refusal(f"{name} in the path is not valid: {reason}", f"/{field}", reason) from None
        return text

    return check


def _query_reader(route: Route, message: type[msgspec.Struct]) -> ReadRequest:
    fields, has_header = route.query_fields, route.has_header
    check = _parameter_reader(route, message) if route.parameter else None
    read_cursor = _last_event_reader(message) if _RESUME in fields else None

    def read(exchange: Exchange, _body: bytes, parameter: str) -> Any:
        values: dict[str, Any] = _query_values(exchange.query, fields) if exchange.query else {}
        last_event = exchange.fields.get(b"last-event-id")
        if last_event is not None and read_cursor is not None:
            values.setdefault(_RESUME, read_cursor(last_event))
        if check is not None:
            values[route.bound_field] = check(parameter)
        request: Any = codec.from_builtins(message, values)
        if has_header and exchange.carried is not None:
            request.header = exchange.carried
        return request

    return read


def _last_event_reader(message: type[msgspec.Struct]) -> Callable[[bytes], str]:
    read = text_reader(message, _RESUME)

    def check(raw: bytes) -> str:
        try:
            text: str = read(_text(raw))
        except msgspec.ValidationError as error:
            reason = codec.reason(error)
            raise codec.refusal(f"Last-Event-ID is not valid: {reason}", f"/{_RESUME}", reason) from None
        return text

    return check


def _query_values(query: bytes, fields: Mapping[str, bool]) -> dict[str, Any]:
    """The known parameters of a query string; unknown ones are ignored, as unknown fields of a body are."""
    values: dict[str, Any] = {}
    for pair in query.decode("latin-1").split("&"):
        raw_name, _, raw_value = pair.partition("=")
        name = _unquoted(raw_name, unquote_plus)
        if name not in fields:
            continue
        if name in values:
            why = "given more than once"
            raise codec.refusal(f"the query parameter {name} is {why}", f"/{name}", why)
        value = _unquoted(raw_value, unquote_plus)
        values[name] = as_integer(value) if fields[name] else value
    return values


def _unquoted(text: str, unquoting: Callable[..., str]) -> str:
    if "%" not in text and "+" not in text:
        return text
    try:
        return unquoting(text, errors="strict")
    except UnicodeDecodeError:
        raise codec.refusal(f"{text} is not percent-encoded UTF-8", "", "not percent-encoded UTF-8") from None


def _text(raw: bytes) -> str:
    """A header field's value: UTF-8 where it is, else what HTTP has always taken it for."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
