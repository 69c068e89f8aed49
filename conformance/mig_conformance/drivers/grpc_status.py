"""How a gRPC call ended: its status, and the MigError in its details (MIG-ERR-008, MIG-ERR-012)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from grpc import ChannelConnectivity, StatusCode
from grpc.aio import AioRpcError

from mig_conformance.drivers.port import Answer, JsonObject
from mig_conformance.drivers.protobuf_json import decoded
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.flaws import FlawError, UnreachableError

_DETAILS = "grpc-status-details-bin"
_LOST = (ChannelConnectivity.CONNECTING, ChannelConnectivity.TRANSIENT_FAILURE)
_TYPES = "type.googleapis.com/mig.v0_1."

Metadata = Iterable[tuple[str, str | bytes]]


class Ending(NamedTuple):
    """The status of a call, with its message, and initial and trailing metadata."""

    code: StatusCode
    message: str
    metadata: Mapping[str, str | bytes]

    @property
    def has_details(self) -> bool:
        return _DETAILS in self.metadata

    def fields(self) -> dict[str, str]:
        """The metadata that is text, and the status message as grpc-message."""
        text = {name: value for name, value in self.metadata.items() if isinstance(value, str)}
        return {**text, "grpc-message": self.message}

    def __str__(self) -> str:
        return f"{self.code.name} ({self.message})"


def ending_of(error: AioRpcError) -> Ending:
    """From what the library raises."""
    metadata = joined(error.initial_metadata(), error.trailing_metadata())
    return Ending(error.code(), error.details() or "", metadata)


def joined(*parts: Any) -> dict[str, str | bytes]:
    """Metadata as one mapping, the names in lower case."""
    pairs: Metadata = [pair for part in parts for pair in part or ()]
    return {name.lower(): value for name, value in pairs}


def refused(ending: Ending, channel: Any, transcript: Transcript) -> Answer:
    """A status other than OK as the answer. What of it does not agree with its details is told to the
    transcript. Raises UnreachableError where the channel finds no server, FlawError where the status has no
    MigError.
    """
    if (gone := unreachable(ending, channel)) is not None:
        raise gone
    rich = _rich_status(ending)
    error = _packed(rich, "MigError")
    header = _packed(rich, "MessageHeader")
    if error is None or not rich.details[0].type_url.endswith("MigError"):
        raise FlawError(f"{ending} has no MigError as the first of its status details")
    transcript.received(f"gRPC {ending.code.name}", error, "MigError")
    if header is not None:
        transcript.received("with the header", header, "MessageHeader")
    transcript.violations += _disagreements(ending, rich, error)
    return Answer(error=error, header=header, status=ending.code.name, fields=ending.fields())


def unreachable(ending: Ending, channel: Any) -> UnreachableError | None:
    """What the library says of a server that it can not connect to."""
    if ending.code is StatusCode.UNAVAILABLE and not ending.has_details and channel.get_state() in _LOST:
        return UnreachableError(f"nobody answers over gRPC: {ending.message}")
    return None


def _rich_status(ending: Ending) -> Status:
    try:
        return Status.FromString(ending.metadata.get(_DETAILS, b""))
    except (DecodeError, TypeError):
        raise FlawError(f"{ending} has status details that are no google.rpc.Status") from None


def _packed(rich: Status, message: str) -> JsonObject | None:
    found = [detail.value for detail in rich.details if detail.type_url == f"{_TYPES}{message}"]
    return decoded(message, found[0]) if found else None


def _disagreements(ending: Ending, rich: Status, error: JsonObject) -> list[str]:
    said = (ending.code.value[0], ending.message)
    wanted = f"{error.get('code')}: {error.get('message')}"
    flaws = []
    if (rich.code, rich.message) != said:
        flaws.append(f"the status is {said}, its details say {(rich.code, rich.message)}")
    if ending.message != wanted:
        flaws.append(f"the status message is {ending.message!r}, expected {wanted!r}")
    return flaws
