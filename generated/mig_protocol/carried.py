# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""Fields of the message header that a transport carries outside the body: checked, and put into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET

from mig_protocol import codec
from mig_protocol.messages import RequestHeader
from mig_protocol.text_fields import text_reader

_FIELDS: Final = (
    "mig_version",
    "message_id",
    "tenant_id",
    "session_id",
    "traceparent",
    "idempotency_key",
    "deadline_ms",
)


class Carrier(NamedTuple):
    """A place outside the body: how it is usually spelled, and the header's field that it stands for."""

    spelling: str
    field: str
    read: Callable[[str], Any]


def carrier(spelling: str, field: str) -> Carrier:
    """The carrier of this field of RequestHeader."""
    return Carrier(spelling, field, text_reader(RequestHeader, field))


def carried_value(place: Carrier, text: str) -> Any:
    """The field's value. Raises MigFault MIG_INVALID_REQUEST for one out of the field's bounds."""
    try:
        return place.read(text)
    except msgspec.ValidationError as error:
        reason = codec.reason(error)
        message = f"{place.spelling} is not valid: {reason}"
        raise codec.refusal(message, f"/header/{place.field}", reason) from None


def fill_header(message: Any, carried: RequestHeader) -> None:
    """Put what was carried into the header of a request or frame; the body's own values win."""
    header = message.header
    if header is UNSET:
        message.header = carried
        return
    for field in _FIELDS:
        if getattr(header, field) is UNSET:
            setattr(header, field, getattr(carried, field))
