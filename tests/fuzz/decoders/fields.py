"""Single fields that come as text, and events that other gateways mirror."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

from fuzz.decoders.messages import all_vectors
from fuzz.decoders.target import FindingError, Target
from mig_protocol.errors import MigFault
from mig_protocol.http_server import Exchange
from mig_protocol.messages import MigErrorCode, RequestHeader, SubscribeRequest
from mig_protocol.text_fields import text_reader
from migd.bindings.nats.mirror_event import read_mirrored

_TEXTS = {
    "traceparent": text_reader(RequestHeader, "traceparent"),
    "cursor": text_reader(SubscribeRequest, "resume_cursor"),
    "tenant": text_reader(RequestHeader, "tenant_id"),
    "message_id": text_reader(RequestHeader, "message_id"),
    "deadline": text_reader(RequestHeader, "deadline_ms"),
}
_HEADERS = b"mig-origin: other\nNats-Msg-Id: e-1\nmig-log: log\nmig-previous: 1\n\n"


def _text(data: bytes) -> None:
    """Every one of them; what is accepted as text is the value itself."""
    text = data.decode(errors="replace")
    for name, read in _TEXTS.items():
        try:
            value = read(text)
        except msgspec.ValidationError:
            continue
        if str(value) != text:
            raise FindingError(f"{name}: {text!r} is read as {value!r}")


def _mirrored(data: bytes) -> None:
    """The first line is the subject, then NATS headers, an empty line and the body."""
    head, _, body = data.partition(b"\n\n")
    subject, *lines = head.decode(errors="replace").split("\n")
    headers = {"mig-origin": "other"} | dict(line.partition(": ")[::2] for line in lines)
    message = Msg(_client=_CLIENT, subject=subject, data=body, headers=headers)
    try:
        read_mirrored(message, headers)
    except MigFault as fault:
        if fault.code is not MigErrorCode.MIG_INVALID_REQUEST:
            raise FindingError(f"a mirrored event was refused with {fault}") from fault


def _peer(data: bytes) -> None:
    """Header fields that are looked at first: there twice, in any bytes."""
    lines = [line.partition(b":") for line in data.split(b"\n")]
    exchange = Exchange("GET", "/", b"", [(name.lower(), value) for name, _, value in lines])
    _ = exchange.authorization, exchange.peer, exchange.repeated


def _text_seeds() -> Iterator[bytes]:
    yield b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    yield from (b"0", b"7", b"9007199254740991", b"9007199254740992", b"-1", b"1e3", b"007", b" 7", b"acme")
    yield b"\xd9\xa7"  # a digit, and not one of ours


def _mirrored_seeds() -> Iterator[bytes]:
    events = next(vectors for vectors in all_vectors() if vectors.message == "EventMessage")
    for row in events.to_send:
        topic = row.json.get("topic", "a.b") if isinstance(row.json, dict) else "a.b"
        yield f"mig.v0_1.acme.events.{topic}\n".encode() + _HEADERS + row.body


def _peer_seeds() -> Iterator[bytes]:
    yield b"authorization: Bearer x\nhost: localhost\norigin: http://localhost"
    yield b"X-Tenant-ID: acme\nx-tenant-id: other"


_CLIENT = Client()
TEXT = Target(name="text", decode=_text, seeds=_text_seeds)
MIRRORED = Target(name="mirrored", decode=_mirrored, seeds=_mirrored_seeds)
PEER = Target(name="peer", decode=_peer, seeds=_peer_seeds)
