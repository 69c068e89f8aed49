"""A message on a NATS subject as one of its operation, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from mig_conformance.selfproof.mutant import At
from mig_conformance.selfproof.passage import Passage, read_json
from mig_conformance.selfproof.proxies.nats_protocol import Delivery
from mig_protocol.operations import OPERATIONS, Operation


@dataclass(frozen=True, slots=True)
class Place:
    """Which operation a subject is of, if any, and what it names."""

    operation: Operation | None
    subject: str
    tenant: str | None
    named: Mapping[str, str]


def place_of(subject: str) -> Place:
    """The place of a subject, be it a valid one or not."""
    for operation in OPERATIONS:
        if operation.nats is not None and (match := _pattern(operation.nats).fullmatch(subject)):
            named = {field: match[parameter] for parameter, field in operation.path_fields.items()}
            return Place(operation, subject, match["tenant"], named)
    return Place(None, subject, None, {})


def passage_of(at: frozenset[At], place: Place, delivery: Delivery, *, scope: str) -> Passage:
    """The message, with what its subject names as members of it where it is a request."""
    message = read_json(delivery.payload)
    if "request" in at and (isinstance(message, dict) or not delivery.payload):
        message = {**place.named, **(message or {})}
    return Passage(
        at=at,
        binding="nats",
        operations=frozenset({place.subject, *({place.operation.id} if place.operation else ())}),
        message=message,
        raw=delivery.payload,
        fields=delivery.fields,
        tenant=place.tenant,
        scope=scope,
    )


def subject_after(place: Place, passage: Passage) -> str:
    """The subject for the message as it is now."""
    if place.operation is None or not (passage.changed or passage.new_tenant):
        return place.subject
    message: Any = passage.message if isinstance(passage.message, dict) else {}
    subject = str(place.operation.nats).replace("{tenant}", passage.new_tenant or str(place.tenant))
    for parameter, field in place.operation.path_fields.items():
        subject = subject.replace(f"{{{parameter}}}", str(message.get(field, place.named[field])))
    return subject


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.sub(r"\\\{([a-z_]+)\\\}", r"(?P<\1>.+)", re.escape(template))
    return re.compile(parts.replace("(?P<tenant>.+)", "(?P<tenant>[^.]+)"))
