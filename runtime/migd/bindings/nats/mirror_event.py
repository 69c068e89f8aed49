"""A published event as a message on NATS, and back (protocol section 6, mirroring)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from nats.aio.msg import Msg

from mig_protocol import codec, subjects
from mig_protocol.errors import MigFault
from mig_protocol.messages import EventMessage, MessageHeader, MigErrorCode
from migd.bindings.nats.mirror_messages import (
    EVENT_ID_HEADER,
    LOG_HEADER,
    ORIGIN_HEADER,
    PREVIOUS_HEADER,
)
from migd.core.mirroring import Origin
from migd.core.ports import StoredEvent

_COPIED = ("mig_version", "message_id", "tenant_id", "session_id", "traceparent", "idempotency_key")
_event = codec.decoder(EventMessage)


class _Headed(msgspec.Struct):
    """An EventMessage of which the rest is not looked at."""

    header: MessageHeader


_header = msgspec.json.Decoder(_Headed).decode


def mirrored_headers(event: StoredEvent, server_id: str, log: str, previous: int) -> dict[str, str]:
    """The NATS headers of an event of this gateway's own; `previous` is the one that went out before it."""
    header = _header(event.body).header
    headers = {name: value for name in _COPIED if (value := getattr(header, name))}
    headers[ORIGIN_HEADER] = server_id
    headers[EVENT_ID_HEADER] = event.event_id
    headers[LOG_HEADER] = log
    headers[PREVIOUS_HEADER] = str(previous)
    return headers


class Mirrored(NamedTuple):
    """An event that another gateway has sent."""

    event: EventMessage
    origin: Origin


def read_mirrored(message: Msg, headers: Mapping[str, str]) -> Mirrored:
    """Raises MigFault MIG_INVALID_REQUEST for what is not an event, or not one of its subject's."""
    parsed = subjects.parse(message.subject)
    event: EventMessage = _event(message.data)
    if (parsed.tenant, parsed.params.get("topic")) != (event.header.tenant_id, event.topic):
        raise _malformed("its tenant and topic are not those of its subject")
    if headers.get(EVENT_ID_HEADER) != event.event_id:
        raise _malformed(f"{EVENT_ID_HEADER} is not its event_id")
    log = headers.get(LOG_HEADER)
    if log is None:
        # Of a gateway that does not say where the event lies: there is nothing to compare it with.
        return Mirrored(event, Origin(headers[ORIGIN_HEADER], 0, 0))
    return Mirrored(event, Origin(log, event.sequence, _previous(headers, event.sequence)))


def _previous(headers: Mapping[str, str], sequence: int) -> int:
    text = headers.get(PREVIOUS_HEADER, "")
    # Sixteen digits hold every sequence there is (2^53).
    if not (text.isascii() and text.isdigit() and len(text) <= 16) or int(text) >= sequence:
        raise _malformed(f"{PREVIOUS_HEADER} is not a sequence before its own")
    return int(text)


def _malformed(why: str) -> MigFault:
    return MigFault(MigErrorCode.MIG_INVALID_REQUEST, f"not a mirrored event: {why}")
