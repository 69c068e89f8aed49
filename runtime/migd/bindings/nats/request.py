"""One request over NATS as the binding's own parts see it."""

from __future__ import annotations

from collections.abc import Callable

from nats.aio.msg import Msg

from mig_protocol.nats_service import NatsExchange

_ORIGIN = "mig-origin"


class NatsRequest(NatsExchange):
    """`answered` is called when the answer has been handed to NATS, so that what must follow it can."""

    __slots__ = ("answered",)

    def __init__(self, operation: str, message: Msg) -> None:
        super().__init__(operation, message.subject, message.headers, len(message.data))
        self.answered: Callable[[], None] | None = None


def is_mirrored_event(message: Msg) -> bool:
    """Whether it is an event and no request, on the subject that they share (protocol section 6)."""
    return message.headers is not None and _ORIGIN in message.headers
