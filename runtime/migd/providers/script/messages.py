"""What a script says and what its run answers; the capability's JSON Schemas are made of these types."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from mig_protocol.messages import MigErrorCode
from migd.core.provider import JsonObject

MAX_PAYLOAD_BYTES = 65_536

Key = Annotated[str, Meta(min_length=1, max_length=128)]
Times = Annotated[int, Meta(ge=1, le=10_000, description="How many frames.")]
Text = Annotated[str, Meta(min_length=1, max_length=1_000)]
Inputs = Annotated[int, Meta(ge=1, le=10_000, description="So many.")] | Literal["rest"]
Object = Annotated[dict[str, Any], Meta(max_length=100)]


class Emit(Struct, kw_only=True, forbid_unknown_fields=True):
    """Frames that are not terminal: the payload, and `index`, which counts from 0."""

    payload: Object = {}
    times: Times = 1


class Pieces(Struct, kw_only=True, forbid_unknown_fields=True):
    """Frames that are not terminal, each with `filler` of so many bytes, and `index`, which counts from 0."""

    bytes: Annotated[int, Meta(ge=1, le=262_144, description="The length of the filler text.")]
    times: Times = 1


class Failure(Struct, kw_only=True, forbid_unknown_fields=True):
    """Fails with this MigError."""

    code: MigErrorCode
    message: Text
    details: Object | UnsetType = UNSET


class Awaited(Struct, kw_only=True, forbid_unknown_fields=True):
    """Goes on when the counter is so far."""

    key: Key
    count: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


class Step(Struct, kw_only=True, forbid_unknown_fields=True):
    """One thing to do: the property says which."""

    emit: Emit | UnsetType = UNSET
    pieces: Pieces | UnsetType = UNSET
    take: Inputs | UnsetType = UNSET
    wait_ms: Annotated[int, Meta(ge=0, le=60_000, description="Goes on after so long.")] | UnsetType = UNSET
    fail: Failure | UnsetType = UNSET
    crash: Annotated[Text, Meta(description="Fails with this, which no caller may see.")] | UnsetType = UNSET
    mark: Annotated[Key, Meta(description="Adds one to this counter.")] | UnsetType = UNSET
    mark_on_stop: Annotated[Key, Meta(description="Adds one if the run is stopped.")] | UnsetType = UNSET
    await_mark: Awaited | UnsetType = UNSET
    read: Annotated[Key, Meta(description="Has the answer tell this counter.")] | UnsetType = UNSET

    def names(self) -> list[str]:
        """The counters that it names."""
        awaited = UNSET if self.await_mark is UNSET else self.await_mark.key
        return [key for key in (self.mark, self.mark_on_stop, awaited, self.read) if key is not UNSET]


ONE_PROPERTY: JsonObject = {"minProperties": 1, "maxProperties": 1}
"""What makes a Step one thing to do, which no type can say."""


class Script(Struct, kw_only=True, forbid_unknown_fields=True):
    """What to do, in this order, and what to give back."""

    steps: Annotated[list[Step], Meta(max_length=100)] = []
    result: Object = {}


class SeenHeader(Struct, kw_only=True):
    """The request's header as it reached what runs the capability; without what it does not have."""

    message_id: str
    tenant_id: str
    deadline_ms: int
    meta: dict[str, Any]
    session_id: str | UnsetType = UNSET
    traceparent: str | UnsetType = UNSET
    idempotency_key: str | UnsetType = UNSET


class Answer(Struct, kw_only=True):
    """How a script ended that was neither failed nor stopped."""

    result: dict[str, Any]
    counters: dict[str, int]
    header: SeenHeader
    runs: int
    emitted: int
    taken: int
