"""The rows of the registries and of the requirements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mig_codegen.model.source import Source


@dataclass(frozen=True, kw_only=True)
class ErrorRow:
    """One error code on every binding. `number` is protobuf's, `grpc_status` the numeric gRPC code."""

    code: str
    number: int
    retryable: bool
    http_status: int
    http_variants: Mapping[str, int]
    grpc_status: int
    grpc_name: str
    jsonrpc: int
    retry_after: bool
    description: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class Feature:
    """What HELLO can negotiate."""

    id: str
    description: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A conformance profile and the features that it requires."""

    id: str
    requires: tuple[str, ...]
    description: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class HeaderCarrier:
    """Where a MessageHeader field may travel outside the body; None where a binding has no such place."""

    field: str
    http: str | None
    grpc: str | None
    nats: str | None
    source: Source


@dataclass(frozen=True, kw_only=True)
class Direction:
    """The two JSON forms of one protobuf message."""

    message: str
    request: str
    response: str


@dataclass(frozen=True, kw_only=True)
class JsonMapping:
    """registry/json-mapping.yaml. `types` maps a protobuf type to "string", "boolean", "integer",
    "number", "date-time" or "object"; `json_defaults` is keyed "Message.field"; `json_only` maps a title to
    its reason."""

    types: Mapping[str, str]
    enum_exceptions: Mapping[str, str]
    directions: tuple[Direction, ...]
    json_defaults: Mapping[str, Any]
    json_only: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One MUST, SHOULD or MAY. `section` is the row's own `source`: where in the protocol it comes from.

    `checks` are ids of the conformance suite, "area/name"; `excluded` says why there are none, and
    `unchecked` why there is none on one of the bindings.
    """

    id: str
    level: str
    text: str
    section: str
    profile: str
    bindings: tuple[str, ...]
    checks: tuple[str, ...]
    excluded: str | None
    unchecked: Mapping[str, str]
    source: Source
