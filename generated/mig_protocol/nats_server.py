# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""The NATS server stub: an exchange and its body in, a reply out. It knows no NATS library.

Where the service answers with a plain value nothing here awaits, so the whole of a request is one call.
Where it gives an awaitable, `handle` gives one too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import UNSET

from mig_protocol import codec, subjects
from mig_protocol.carried import fill_header
from mig_protocol.errors import MigFault
from mig_protocol.messages import MessageHeader, MigErrorCode, RequestHeader
from mig_protocol.nats_service import SERVED, NatsExchange, NatsService, Served
from mig_protocol.text_fields import text_reader

# NATS header -> (the message header's field, a check of the value)
_CARRIERS: Final = {
    "mig_version": ("mig_version", text_reader(RequestHeader, "mig_version")),
    "message_id": ("message_id", text_reader(RequestHeader, "message_id")),
    "tenant_id": ("tenant_id", text_reader(RequestHeader, "tenant_id")),
    "session_id": ("session_id", text_reader(RequestHeader, "session_id")),
    "traceparent": ("traceparent", text_reader(RequestHeader, "traceparent")),
    "idempotency_key": ("idempotency_key", text_reader(RequestHeader, "idempotency_key")),
}

# Most requests name one of few tenants, capabilities and topics. What is refused is not kept.
_parse: Final = lru_cache(maxsize=4096)(subjects.parse)


class NatsReply:
    """The answer: `body`, and `fields` for its NATS headers. `fault` is what went wrong, if anything did."""

    __slots__ = ("body", "fault", "fields")

    def __init__(self, fields: dict[str, str], body: bytes, fault: MigFault | None = None) -> None:
        self.fields = fields
        self.body = body
        self.fault = fault


class NatsStub:
    """Reads the subject and the headers, decodes, calls the service, encodes. Bodies over `max_body_bytes`
    are refused.
    """

    def __init__(self, service: NatsService, *, max_body_bytes: int) -> None:
        self.service = service
        self.max_body_bytes = max_body_bytes
        self._served = {row.operation: _Served(row, service) for row in SERVED}

    def handle(self, exchange: NatsExchange, body: bytes) -> NatsReply | Awaitable[NatsReply | None]:
        """The reply to one request, errors included: this raises nothing but what `service.failed` raises.

        The awaitable gives None where another server answers.
        """
        try:
            served = self._served[exchange.operation]
            self._enter(exchange, len(body))
            answer = served.ask(exchange, body)
            if isinstance(answer, served.answers):
                return _reply(answer)
            return self._later(exchange, answer)
        except Exception as error:
            return self.refuse(exchange, _fault_of(error))

    def refuse(self, exchange: NatsExchange, fault: MigFault) -> NatsReply:
        """The reply for a fault: the service's envelope."""
        envelope = self.service.failed(exchange, fault)
        return NatsReply(header_fields(envelope.header), codec.encode(envelope), fault)

    def _enter(self, exchange: NatsExchange, size: int) -> None:
        parsed = _parse(exchange.subject)
        exchange.tenant = parsed.tenant
        exchange.parameter = next(iter(parsed.params.values()), "")
        if size > self.max_body_bytes:
            message = f"the body is larger than {self.max_body_bytes} bytes"
            raise MigFault(MigErrorCode.MIG_INVALID_REQUEST, message, variant="too_large")
        if exchange.fields:
            _read_carried(exchange)

    async def _later(self, exchange: NatsExchange, answer: Awaitable[Any]) -> NatsReply | None:
        try:
            message = await answer
            return None if message is None else _reply(message)
        except Exception as error:
            return self.refuse(exchange, _fault_of(error))


def header_fields(header: MessageHeader) -> dict[str, str]:
    """The NATS headers of an answer, a frame or an event with this header."""
    fields = {
        "mig_version": header.mig_version,
        "message_id": header.message_id,
        "tenant_id": header.tenant_id,
    }
    if header.session_id:
        fields["session_id"] = header.session_id
    if header.traceparent:
        fields["traceparent"] = header.traceparent
    if header.idempotency_key:
        fields["idempotency_key"] = header.idempotency_key
    return fields


class _Served:
    """One operation with the service's method behind it."""

    __slots__ = ("answers", "ask")

    def __init__(self, row: Served, service: NatsService) -> None:
        self.answers = row.answers
        self.ask = _asker(row, service)


def _asker(row: Served, service: NatsService) -> Callable[[NatsExchange, bytes], Any]:
    call, decode = getattr(service, row.method), codec.decoder(row.request)
    parameter, field = row.parameter, row.bound_field

    def ask(exchange: NatsExchange, body: bytes) -> Any:
        request: Any = decode(body or b"{}")
        if exchange.carried is not None:
            fill_header(request, exchange.carried)
        # So that a refusal from here on answers with the header that was sent.
        exchange.carried = request.header or None
        if field:
            given, named = getattr(request, field), exchange.parameter
            if given is UNSET:
                setattr(request, field, named)
            elif given != named:
                reason = f"the subject says {named}, the body says {given}"
                raise codec.refusal(f"{parameter} disagrees: {reason}", f"/{field}", reason)
        return call(exchange, request)

    return ask


def _read_carried(exchange: NatsExchange) -> None:
    """Set `exchange.carried`. Raises MigFault MIG_INVALID_REQUEST for a value out of bounds, MIG_FORBIDDEN for
    a tenant that is not the subject's.
    """
    header = RequestHeader()
    for name, (field, read) in _CARRIERS.items():
        text = exchange.fields.get(name)
        if text is None:
            continue
        try:
            setattr(header, field, read(text))
        except msgspec.ValidationError as error:
            reason = codec.reason(error)
            message = f"the NATS header {name} is not valid: {reason}"
            raise codec.refusal(message, f"/header/{field}", reason) from None
        exchange.carried = header
    if header.tenant_id is not UNSET and header.tenant_id != exchange.tenant:
        message = "the tenant in the NATS headers is not the tenant of the subject"
        raise MigFault(MigErrorCode.MIG_FORBIDDEN, message)


def _reply(message: Any) -> NatsReply:
    return NatsReply(header_fields(message.header), codec.encode(message))


def _fault_of(error: Exception) -> MigFault:
    if isinstance(error, MigFault):
        return error
    fault = MigFault(MigErrorCode.MIG_INTERNAL, "internal error")
    fault.__cause__ = error
    return fault
