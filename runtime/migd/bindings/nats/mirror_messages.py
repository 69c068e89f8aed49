"""What gateways say to each other beside the protocol: subjects outside `mig.v0_1`, and their JSON.

The version in the subjects is of these messages: gateways of another one do not hear each other at all,
rather than misunderstand.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from mig_protocol.messages import CancelStatus
from migd.core.mirroring import Head, Stopping

ROOT = "_migd.v1"
ANNOUNCE = f"{ROOT}.announce"
STOP = f"{ROOT}.stop"

LOG_HEADER = "mig-log"
PREVIOUS_HEADER = "mig-previous"
ORIGIN_HEADER = "mig-origin"
EVENT_ID_HEADER = "Nats-Msg-Id"

Name = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]
Sequence = Annotated[int, Meta(ge=0, le=(1 << 53) - 1)]
State = Literal["here", "asking", "leaving"]
Text = Annotated[str, Meta(max_length=4096)]


class Announcement(Struct, frozen=True, kw_only=True):
    """A gateway says that it is there, and how far the topics that have changed are mirrored.

    Whoever is `asking` would like to hear from all others at once. One that `serves` takes requests over
    NATS.
    """

    server_id: Name
    log: Name
    started_at: datetime
    state: State = "here"
    heads: Annotated[list[Head], Meta(max_length=1024)] = []
    serves: bool = True


class HeadsRequest(Struct, frozen=True, kw_only=True):
    """For the heads of a log's topics, those after the place `after`."""

    after: Sequence = 0


class HeadsPage(Struct, frozen=True, kw_only=True):
    """`next` is the `after` of the next page; None: this was the last one."""

    heads: list[Head]
    next: Sequence | None = None


class ReplayRequest(Struct, frozen=True, kw_only=True):
    """For the events that were published on one gateway, those after its sequence `after`."""

    tenant_id: Name
    topic: Text
    after: Sequence


class ReplayPage(Struct, frozen=True, kw_only=True):
    """Every retained one with a sequence up to `upto`, as EventMessage.

    `torn`: there was more, which retention has passed.
    """

    upto: Sequence
    torn: bool
    events: list[msgspec.Raw]


class StopRequest(Struct, frozen=True, kw_only=True):
    """CANCEL, to every other gateway."""

    log: Name
    tenant_id: Name
    target: Text
    reason: Text
    how: Stopping


class StopAnswer(Struct, frozen=True, kw_only=True):
    """What became of the target on one gateway, which has got the request itself where it `serves`."""

    log: Name
    status: CancelStatus
    serves: bool = True


M = TypeVar("M", bound=Struct)


def decode(kind: type[M], data: bytes) -> M | None:
    """None for what is not such a message: it came from somebody else."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError):
        return None


def subject_of(log: str, purpose: Literal["fence", "heads", "replay", "answers"]) -> str:
    """What the gateway with this log listens on."""
    return f"{ROOT}.log.{log}.{purpose}"
