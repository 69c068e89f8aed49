"""One request over NATS as the binding's own parts see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mig_protocol.nats_service import NatsExchange

_ORIGIN = "mig-origin"


class NatsRequest(NatsExchange):
    """`answered` is called when the answer has been handed to NATS, so that what must follow it can."""

    __slots__ = ("answered",)

    def __init__(
        self, operation: str, subject: str, fields: Mapping[str, str] | None, wire_bytes: int
    ) -> None:
        super().__init__(operation, subject, fields, wire_bytes)
        self.answered: Callable[[], None] | None = None


def is_mirrored_event(fields: Mapping[str, str] | None) -> bool:
    """Whether it is an event and no request, on the subject that they share (protocol section 6)."""
    return fields is not None and _ORIGIN in fields
