"""Descriptors of capabilities that are declared here, in Python or in migd.yaml."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import Any

import msgspec

from mig_protocol.messages import (
    CapabilityDescriptor,
    CapabilityId,
    DeliverySemantics,
    InvocationMode,
    QoSProfile,
    SchemaUri,
    TenantId,
    Topic,
)

DEFAULT_MAX_PAYLOAD_BYTES = 1_048_576
_FIELDS = typing.get_type_hints(CapabilityDescriptor, include_extras=True)
# auth_scopes is Annotated[list[scope], ...].
_SCOPE = typing.get_args(typing.get_args(_FIELDS["auth_scopes"])[0])[0]


def qos_profile(max_payload_bytes: int = DEFAULT_MAX_PAYLOAD_BYTES) -> QoSProfile:
    """What this gateway gives every capability: its events are kept, in order, at least once."""
    return QoSProfile(
        max_payload_bytes=max_payload_bytes,
        supports_replay=True,
        delivery_semantics=DeliverySemantics.at_least_once,
        supports_ordering=True,
    )


def describe(
    *,
    id: str,
    version: str,
    modes: Sequence[InvocationMode],
    scopes: Sequence[str] = (),
    event_topics: Sequence[str] = (),
    qos: QoSProfile | None = None,
    input_schema_uri: str | None = None,
    output_schema_uri: str | None = None,
) -> CapabilityDescriptor:
    """A descriptor that the protocol's own schema accepts.

    Without URIs the schemas are named after id and version, as `schema_uri` does. Raises ValueError for
    a value that the protocol refuses.
    """
    fields = CapabilityDescriptor(
        id=check_id(id),
        version=check_version(version),
        modes=list(modes),
        input_schema_uri=check_uri(input_schema_uri or schema_uri(id, version, "input")),
        output_schema_uri=check_uri(output_schema_uri or schema_uri(id, version, "output")),
        event_topics=[check_topic(topic) for topic in event_topics],
        auth_scopes=[check_scope(scope) for scope in scopes],
        qos=qos or qos_profile(),
    )
    try:
        return msgspec.convert(msgspec.to_builtins(fields), CapabilityDescriptor)
    except msgspec.ValidationError as error:
        raise ValueError(f"the descriptor of {id}: {error}") from error


def schema_uri(id: str, version: str, side: str) -> str:
    """`schema://text/language/identify-input/v1` for the input of text.language.identify 1.x."""
    return f"schema://{id.replace('.', '/')}-{side}/v{version.partition('.')[0]}"


def check_id(text: str) -> str:
    """Raises ValueError unless it is a capability id. The rules of this and the next are the spec's."""
    return _checked(text, CapabilityId, "a capability id: letters, digits, _ and - in tokens joined by dots")


def check_version(text: str) -> str:
    return _checked(text, _FIELDS["version"], "a version such as 1.0.0")


def check_topic(text: str) -> str:
    return _checked(text, Topic, "a topic: two or more tokens of letters, digits, _ and -, joined by dots")


def check_tenant(text: str) -> str:
    return _checked(text, TenantId, "a tenant id: 1 to 64 letters, digits, _ and -")


def check_uri(text: str) -> str:
    return _checked(text, SchemaUri, "a URI such as schema://text/words-input/v1")


def check_scope(text: str) -> str:
    return _checked(text, _SCOPE, "a scope: 1 to 128 visible ASCII characters")


def _checked(text: str, kind: Any, expected: str) -> str:
    try:
        msgspec.convert(text, kind)
    except msgspec.ValidationError as error:
        raise ValueError(f'"{text}" is not {expected}') from error
    return text
