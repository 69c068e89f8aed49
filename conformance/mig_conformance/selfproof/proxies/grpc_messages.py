"""The messages of an RPC as JSON in the protocol's spelling, and back, right or wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mig_conformance.drivers.port import NotOnBindingError
from mig_conformance.drivers.protobuf_json import decoded, encoded
from mig_conformance.flaws import FlawError
from mig_conformance.selfproof.passage import Passage
from mig_protocol.operations import OPERATIONS, Shape

# Requests have a JSON schema of their own where their protobuf message serves both ways.
_IN_PROTOBUF = {"RequestFrame": "StreamFrame"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """An RPC by its full name. `request` and `response` are names of messages, empty where it is none of
    MIG's; it may have any shape then, and duplex does for all.
    """

    name: str
    operations: frozenset[str]
    shape: Shape = "duplex"
    request: str = ""
    response: str = ""


def method_of(name: str) -> Method:
    """The method of that full name."""
    for operation in OPERATIONS:
        if operation.rpc == name and operation.request is not None and operation.response is not None:
            request = operation.request.__name__
            return Method(
                name=name,
                operations=frozenset({name, operation.id}),
                shape=operation.shape,
                request=_IN_PROTOBUF.get(request, request),
                response=operation.response.__name__,
            )
    return Method(name=name, operations=frozenset({name}))


def read(message: str, raw: bytes) -> Any:
    """The JSON of a message; None for bytes that are none."""
    try:
        return decoded(message, raw) if message else None
    except FlawError:
        return None


def written(message: str, passage: Passage, fault: Callable[[str], object]) -> bytes:
    """The bytes of the message as it is now. `fault` is told when protobuf has no form for it."""
    if not passage.changed:
        return passage.raw
    try:
        return encoded(message, passage.message)
    except NotOnBindingError as error:
        fault(str(error))
        return passage.raw
