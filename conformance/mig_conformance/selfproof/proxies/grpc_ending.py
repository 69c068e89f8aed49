"""How a call over gRPC ended, and how a mutant lets it end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import any_pb2
from google.rpc import status_pb2
from grpc import StatusCode, aio

from mig_conformance.drivers.port import JsonObject
from mig_conformance.drivers.protobuf_json import decoded, encoded
from mig_conformance.selfproof.passage import Passage
from mig_protocol.errors import ERRORS
from mig_protocol.grpc_status import DETAILS_KEY
from mig_protocol.messages import MigErrorCode

_PREFIX = "type.googleapis.com/mig.v0_1."
_PARTS = {"error": "MigError", "header": "MessageHeader"}
_TRANSPORTS_OWN = ("user-agent", "grpc-", "te", "content-type")

Metadata = tuple[tuple[str, str | bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Status, its message, and trailing metadata."""

    code: StatusCode = StatusCode.OK
    text: str = ""
    metadata: Metadata = ()

    @property
    def envelope(self) -> JsonObject | None:
        """The error and the header of the status details, as an ErrorEnvelope has them."""
        packed = {each.type_url: each.value for each in _details(self.metadata).details}
        found = {
            part: decoded(message, packed[f"{_PREFIX}{message}"])
            for part, message in _PARTS.items()
            if f"{_PREFIX}{message}" in packed
        }
        return found or None


def failed(error: aio.AioRpcError) -> Ending:
    """From what the library raises."""
    return Ending(
        code=error.code(), text=error.details() or "", metadata=forwarded(error.trailing_metadata())
    )


def forwarded(metadata: Any) -> Metadata:
    """Metadata without what each transport says for itself."""
    return tuple(
        (name, value)
        for name, value in metadata or ()
        if name.endswith("-bin") or not name.startswith(_TRANSPORTS_OWN)
    )


def with_fields(metadata: Metadata, new: Mapping[str, str | None]) -> Metadata:
    """Metadata with some fields set, or removed where they are None."""
    kept = [(name, value) for name, value in metadata if name not in new]
    return (*kept, *((name, value) for name, value in new.items() if value is not None))


def texts(metadata: Metadata) -> dict[str, str]:
    """The metadata that is text."""
    return {name: value for name, value in metadata if isinstance(value, str)}


def ending_after(ending: Ending, passage: Passage) -> Ending:
    """The end of a call as it goes on. A mutant's error is the same in all places that tell it."""
    code = StatusCode[str(passage.new_status)] if passage.new_status is not None else ending.code
    text, metadata = ending.text, ending.metadata
    if passage.changed and ending.code is not StatusCode.OK:
        text = _text(passage.message)
        metadata = with_fields(metadata, {DETAILS_KEY: None})
        metadata = (*metadata, (DETAILS_KEY, _packed(code, text, passage.message)))
    return Ending(code=code, text=text, metadata=with_fields(metadata, passage.new_fields))


def refusal(envelope: Mapping[str, Any], status: int | str | None) -> Ending:
    """The end of a call that a mutant refuses; the status is the code's, unless it says another."""
    code = StatusCode[str(status or ERRORS[MigErrorCode(envelope["error"]["code"])].grpc_name)]
    text = _text(envelope)
    return Ending(code=code, text=text, metadata=((DETAILS_KEY, _packed(code, text, envelope)),))


def _text(envelope: Mapping[str, Any]) -> str:
    error = envelope.get("error", {})
    return f"{error.get('code')}: {error.get('message', '')}"


def _details(metadata: Metadata) -> Any:
    value = dict(metadata).get(DETAILS_KEY, b"")
    return status_pb2.Status.FromString(value if isinstance(value, bytes) else b"")


def _packed(code: StatusCode, text: str, envelope: Mapping[str, Any]) -> bytes:
    status = status_pb2.Status(code=code.value[0], message=text)
    for part, message in _PARTS.items():
        if part in envelope:
            value = encoded(message, envelope[part])
            status.details.append(any_pb2.Any(type_url=f"{_PREFIX}{message}", value=value))
    data: bytes = status.SerializeToString()
    return data
