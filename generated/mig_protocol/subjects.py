# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""NATS subjects: built from their parts, and taken apart again.

A part that would change what the subject means is refused: wildcards, spaces, empty tokens, and whatever
the schema of the part does not allow. A tenant is exactly one token; the last part may be several, joined
by dots.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from mig_protocol import codec
from mig_protocol.messages import (
    CancelRequest,
    InvokeRequest,
    PublishRequest,
    RequestFrame,
    RequestHeader,
)
from mig_protocol.text_fields import text_reader

_ROOT: Final = "mig.v0_1"


class ParsedSubject(NamedTuple):
    """What a subject says. `operation` is the one whose requests come in on it; `params` has no tenant in
    it.
    """

    operation: str
    tenant: str
    params: Mapping[str, str]


class _Part(NamedTuple):
    name: str
    read: Callable[[str], str]

    def checked(self, text: str) -> str:
        try:
            value = self.read(text)
        except msgspec.ValidationError as error:
            why = codec.reason(error)
            raise codec.refusal(
                f"{self.name} is not valid in a subject: {why}", f"/{self.name}", why
            ) from None
        if _breaks_a_subject(value):
            why = "wildcards, white space and empty tokens are not allowed"
            raise codec.refusal(f"{self.name} is not valid in a subject: {why}", f"/{self.name}", why)
        return value


class _Form(NamedTuple):
    """{_ROOT}.{tenant}.{literals}[.{part}]"""

    operation: str
    literals: str
    part: _Part | None


_TENANT: Final = _Part("tenant", text_reader(RequestHeader, "tenant_id"))
_CAPABILITY: Final = _Part("capability", text_reader(InvokeRequest, "capability"))
_STREAM_ID: Final = _Part("stream_id", text_reader(RequestFrame, "stream_id"))
_TOPIC: Final = _Part("topic", text_reader(PublishRequest, "topic"))
_MESSAGE_ID: Final = _Part("message_id", text_reader(CancelRequest, "target_message_id"))

_FORMS: Final = (
    _Form("HELLO", "hello", None),
    _Form("DISCOVER", "discover", None),
    _Form("INVOKE", "invoke", _CAPABILITY),
    _Form("STREAM", "stream", _STREAM_ID),
    _Form("PUBLISH", "events", _TOPIC),
    _Form("CANCEL", "control.cancel", _MESSAGE_ID),
    _Form("HEARTBEAT", "control.heartbeat", None),
)

SUBSCRIPTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "HELLO": "mig.v0_1.*.hello",
        "DISCOVER": "mig.v0_1.*.discover",
        "INVOKE": "mig.v0_1.*.invoke.>",
        "PUBLISH": "mig.v0_1.*.events.>",
        "CANCEL": "mig.v0_1.*.control.cancel.>",
        "HEARTBEAT": "mig.v0_1.*.control.heartbeat",
    }
)
"""What a server subscribes to for each operation, over all tenants."""


def hello(tenant: str) -> str:
    """The subject to ask for HELLO: mig.v0_1.{tenant}.hello. Raises MigFault MIG_INVALID_REQUEST for what
    does not fit."""
    return f"{_ROOT}.{_TENANT.checked(tenant)}.hello"


def discover(tenant: str) -> str:
    """The subject to ask for DISCOVER: mig.v0_1.{tenant}.discover. Raises MigFault MIG_INVALID_REQUEST
    for what does not fit."""
    return f"{_ROOT}.{_TENANT.checked(tenant)}.discover"


def invoke(tenant: str, capability: str) -> str:
    """The subject to ask for INVOKE: mig.v0_1.{tenant}.invoke.{capability}. Raises MigFault
    MIG_INVALID_REQUEST for what does not fit."""
    return f"{_ROOT}.{_TENANT.checked(tenant)}.invoke.{_CAPABILITY.checked(capability)}"


def stream(tenant: str, stream_id: str) -> str:
    """The subject to follow STREAM: mig.v0_1.{tenant}.stream.{stream_id}. Raises MigFault
    MIG_INVALID_REQUEST for what does not fit."""
    return f"{_ROOT}.{_TENANT.checked(tenant)}.stream.{_STREAM_ID.checked(stream_id)}"


def events(tenant: str, topic: str) -> str:
    """The subject to ask for PUBLISH: mig.v0_1.{tenant}.events.{topic}. Raises MigFault
    MIG_INVALID_REQUEST for what does not fit."""
    return f"{_ROOT}.{_TENANT.checked(tenant)}.events.{_TOPIC.checked(topic)}"


def cancel(tenant: str, message_id: str) -> str:
    """The subject to ask for CANCEL: mig.v0_1.{tenant}.control.cancel.{message_id}. Raises MigFault
    MIG_INVALID_REQUEST for what does not fit."""
    return f"{_ROOT}.{_TENANT.checked(tenant)}.control.cancel.{_MESSAGE_ID.checked(message_id)}"


def heartbeat(tenant: str) -> str:
    """The subject to ask for HEARTBEAT: mig.v0_1.{tenant}.control.heartbeat. Raises MigFault
    MIG_INVALID_REQUEST for what does not fit."""
    return f"{_ROOT}.{_TENANT.checked(tenant)}.control.heartbeat"


def parse(subject: str) -> ParsedSubject:
    """The operation, tenant and parameter of a subject. Raises MigFault MIG_INVALID_REQUEST for any other
    subject.
    """
    tenant, dot, rest = subject.removeprefix(f"{_ROOT}.").partition(".")
    if not dot or not subject.startswith(f"{_ROOT}."):
        raise _unknown(subject)
    for operation, literals, part in _FORMS:
        if part is None:
            if rest == literals:
                return ParsedSubject(operation, _TENANT.checked(tenant), {})
        elif rest.startswith(f"{literals}."):
            value = part.checked(rest[len(literals) + 1 :])
            return ParsedSubject(operation, _TENANT.checked(tenant), {part.name: value})
    raise _unknown(subject)


def _unknown(subject: str) -> Exception:
    return codec.refusal(f"{subject} is not a MIG subject", "", "not a MIG subject")


def _breaks_a_subject(value: str) -> bool:
    return not all(value.split(".")) or any(mark in value for mark in "*> \t\r\n\0")
