"""The rows of spec/vectors that are sent to a server that has seen them before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from mig_conformance.vectors import Malformed, Valid, Vectors, load_vectors, packaged_vectors
from mig_protocol.messages import MigErrorCode
from mig_protocol.pb import mig_pb2 as pb

_VERSION = "0.1"


def vectors_of(message: str, fresh: Mapping[str, str]) -> Vectors:
    """Those of one message type; RequestHeader's as the header of HELLO. `fresh` has what is said in place
    of names that can be used only once.
    """
    found = _all()[message]
    if message == "RequestHeader":
        found = _as_hello(found)
    return replace(
        found,
        valid=tuple(_renamed_valid(row, fresh) for row in found.valid),
        malformed=tuple(_renamed_malformed(row, fresh) for row in found.malformed),
    )


@cache
def _all() -> Mapping[str, Vectors]:
    return {vectors.message: vectors for vectors in load_vectors(packaged_vectors())}


def _renamed_valid(row: Valid, fresh: Mapping[str, str]) -> Valid:
    return replace(row, json=_renamed(row.json, fresh)) if fresh else row


def _renamed_malformed(row: Malformed, fresh: Mapping[str, str]) -> Malformed:
    if not fresh or not row.is_json:
        return row
    said = _renamed(row.json, fresh)
    return replace(row, json=said, body=json.dumps(said).encode())


def _renamed(value: Any, fresh: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _renamed(each, fresh) for name, each in value.items()}
    return fresh.get(value, value) if isinstance(value, str) else value


def _as_hello(headers: Vectors) -> Vectors:
    rows = list(_hellos(headers))
    return Vectors(
        message=headers.message,
        operation="HELLO",
        valid=tuple(row for row in rows if isinstance(row, Valid)),
        malformed=tuple(row for row in rows if isinstance(row, Malformed)),
    )


def _hellos(headers: Vectors) -> Iterable[Valid | Malformed]:
    for row in headers.valid:
        protobuf = None
        if row.protobuf is not None:
            header = pb.MessageHeader.FromString(row.protobuf)
            protobuf = pb.HelloRequest(header=header).SerializeToString()
        hello = Valid(name=row.name, json={"header": row.json}, protobuf=protobuf)
        well_spoken = row.json.get("mig_version", _VERSION) == _VERSION
        yield hello if well_spoken else _mismatched(hello)
    for bad in headers.malformed:
        if bad.is_json:
            said = {"header": bad.json}
            at = None if bad.pointer is None else f"/header{bad.pointer}"
            yield replace(bad, json=said, body=json.dumps(said).encode(), pointer=at)


def _mismatched(hello: Valid) -> Malformed:
    """Well formed, and of no version that HELLO is spoken in."""
    return Malformed(
        name=hello.name,
        json=hello.json,
        body=hello.body,
        is_json=True,
        code=MigErrorCode.MIG_VERSION_MISMATCH.value,
        pointer=None,
        by_operation=True,
    )
