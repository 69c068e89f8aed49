"""What a binding does not have."""

from __future__ import annotations

from collections.abc import Mapping

from mig_conformance.drivers.port import (
    Answer,
    Ask,
    BindingName,
    Caller,
    Frames,
    NotOnBindingError,
    Stream,
    Subscription,
)

_NOTHING: Mapping[str, str] = {}


class Absent:
    """A driver of a binding without anything: each driver overrides what its binding has."""

    binding: BindingName

    async def call(self, ask: Ask) -> Answer:
        raise NotOnBindingError(f"{self.binding} has no {ask.operation}")

    async def stream(self, ask: Ask, stream_id: str = "") -> Stream:
        raise NotOnBindingError(f"{self.binding} has no stream {stream_id} of {ask.operation}")

    async def connect(self, caller: Caller, carried: Mapping[str, str] = _NOTHING) -> Frames:
        raise NotOnBindingError(f"{self.binding} has no frames for {caller.tenant} ({len(carried)} fields)")

    async def subscribe(self, ask: Ask) -> Subscription:
        raise NotOnBindingError(f"{self.binding} has no {ask.operation}")
