"""Every decoder that bytes from outside reach first."""

from __future__ import annotations

from collections.abc import Mapping

from fuzz.decoders.calls import GRPC, GRPC_PEER
from fuzz.decoders.credentials import CLAIMS, TOKEN
from fuzz.decoders.fields import MIRRORED, PEER, TEXT
from fuzz.decoders.frames import FRAMES
from fuzz.decoders.identities import CERTIFICATE, KEY_SET
from fuzz.decoders.listener import LISTENER
from fuzz.decoders.messages import JSON, PROTOBUF
from fuzz.decoders.requests import HTTP, NATS, SUBJECT
from fuzz.decoders.target import Target

TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        *(JSON, PROTOBUF, HTTP, NATS, SUBJECT, TEXT, MIRRORED, PEER, GRPC, GRPC_PEER),
        *(TOKEN, CLAIMS, KEY_SET, CERTIFICATE, LISTENER, FRAMES),
    )
}
