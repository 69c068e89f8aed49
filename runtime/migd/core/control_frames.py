"""What the control frame of a client asks for (protocol section 4)."""

from __future__ import annotations

import msgspec

from mig_protocol import codec
from mig_protocol.errors import MigFault
from mig_protocol.messages import CancelRequest, MigErrorCode, RequestFrame
from migd.core.admission import payload_of


class ControlFrame(msgspec.Struct):
    """A frame that cancels. Its name is in what its sender is told of it."""

    payload: CancelRequest


def cancellation_in(frame: RequestFrame) -> CancelRequest:
    """What the frame says in its payload, under the bounds of CancelRequest; its header is not looked at.

    Raises MigFault MIG_INVALID_REQUEST for any other action, and for what is out of bounds.
    """
    payload = payload_of(frame.payload)
    if payload.get("action") != "cancel":
        raise MigFault(MigErrorCode.MIG_INVALID_REQUEST, 'payload.action must be "cancel"')
    said = {name: payload[name] for name in ("target_message_id", "reason") if name in payload}
    return codec.from_builtins(ControlFrame, {"payload": said}).payload
