"""The whole spec as one value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mig_codegen.model.operations import Channel, Operation
from mig_codegen.model.protobuf import Enum, Message, Service
from mig_codegen.model.schemas import JsonObject, Schema
from mig_codegen.model.tables import (
    ErrorRow,
    Feature,
    HeaderCarrier,
    JsonMapping,
    Profile,
    Requirement,
)


@dataclass(frozen=True, kw_only=True)
class Document:
    """An OpenAPI or AsyncAPI document as written. `name` is "mig", "admin", ...; `file` starts "spec/"."""

    name: str
    file: str
    value: JsonObject


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """One file of spec/vectors: the golden messages of one type, as written."""

    message: str
    file: str
    value: JsonObject


@dataclass(frozen=True, kw_only=True)
class Model:
    """The whole spec, linked. `schemas` is sorted by title, the rest is in the order of the files.

    `spec_hash` is the sha256 (hex) over every spec file's relative path and content, newlines normalised,
    SURFACE.txt, READMEs and what covers a requirement left out. `proto_files` are relative to `proto_root`,
    which protoc's -I takes.
    """

    spec_dir: Path
    spec_hash: str
    proto_package: str
    proto_root: Path
    proto_files: tuple[str, ...]
    messages: tuple[Message, ...]
    enums: tuple[Enum, ...]
    services: tuple[Service, ...]
    schemas: tuple[Schema, ...]
    operations: tuple[Operation, ...]
    channels: tuple[Channel, ...]
    errors: tuple[ErrorRow, ...]
    features: tuple[Feature, ...]
    profiles: tuple[Profile, ...]
    header_carriers: tuple[HeaderCarrier, ...]
    json_mapping: JsonMapping
    requirements: tuple[Requirement, ...]
    openapi: tuple[Document, ...]
    asyncapi: Document
    vectors: tuple[Vectors, ...]

    def message(self, name: str) -> Message:
        """The protobuf message of this name. Raises KeyError."""
        return _named(self.messages, name)

    def enum(self, name: str) -> Enum:
        """The protobuf enum of this name. Raises KeyError."""
        return _named(self.enums, name)

    def schema(self, title: str) -> Schema:
        """The schema document of this title. Raises KeyError."""
        for schema in self.schemas:
            if schema.title == title:
                return schema
        raise KeyError(title)

    def operation(self, operation_id: str) -> Operation:
        """The operation of this id. Raises KeyError."""
        for operation in self.operations:
            if operation.id == operation_id:
                return operation
        raise KeyError(operation_id)


_Named = TypeVar("_Named", Message, Enum)


def _named(items: tuple[_Named, ...], name: str) -> _Named:
    for item in items:
        if item.name == name:
            return item
    raise KeyError(name)
