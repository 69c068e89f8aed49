"""Protobuf messages, enums and services, each linked to its JSON form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mig_codegen.model.schemas import Property
from mig_codegen.model.source import Source

FieldKind = Literal["scalar", "enum", "message", "timestamp", "struct"]


@dataclass(frozen=True, kw_only=True)
class Field:
    """A protobuf field and the JSON property (per direction) that it links to.

    `proto_type` is the short name: "string", "uint32", "InvocationMode", "MessageHeader",
    "google.protobuf.Timestamp", "google.protobuf.Struct"; `kind` says which of these it is.
    `request` and `response` are the same property unless the message has a schema per direction.
    """

    name: str
    number: int
    proto_type: str
    kind: FieldKind
    repeated: bool
    description: str
    request: Property
    response: Property
    source: Source


@dataclass(frozen=True, kw_only=True)
class Message:
    """A protobuf message and the titles of its JSON form in each direction (usually the same)."""

    name: str
    description: str
    fields: tuple[Field, ...]
    request_schema: str
    response_schema: str
    source: Source

    @property
    def schemas(self) -> tuple[str, ...]:
        """The titles of its JSON forms, response first, each once."""
        return tuple(dict.fromkeys((self.response_schema, self.request_schema)))


@dataclass(frozen=True, kw_only=True)
class EnumValue:
    """One value. `json` is None for number 0, which no JSON message ever carries."""

    name: str
    number: int
    json: str | None
    description: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class Enum:
    """A protobuf enum, linked to the schema of the same title. `values` are by number, 0 included."""

    name: str
    description: str
    values: tuple[EnumValue, ...]
    source: Source


@dataclass(frozen=True, kw_only=True)
class Rpc:
    """One gRPC method. `request` and `response` are names of protobuf messages."""

    service: str
    name: str
    path: str  # "/mig.v0_1.Discovery/Hello"
    request: str
    response: str
    client_streaming: bool
    server_streaming: bool
    description: str
    source: Source

    @property
    def key(self) -> str:
        """How registry/operations.yaml names it: "Discovery/Hello"."""
        return f"{self.service}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class Service:
    """One gRPC service with its methods in the order of the proto file."""

    name: str
    description: str
    rpcs: tuple[Rpc, ...]
    source: Source
