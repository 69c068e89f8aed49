# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""Fields of the message header that a transport carries beside the message."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET

from mig_protocol.messages import RequestHeader


def fill_header(request: Any, carried: RequestHeader, fields: Iterable[str]) -> None:
    """Give the request's header what it does not say itself of these fields."""
    header = request.header
    if header is UNSET:
        request.header = carried
        return
    for field in fields:
        if getattr(header, field) is UNSET:
            setattr(header, field, getattr(carried, field))
