"""Messages between JSON and the second protobuf stack."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mig_conformance import reference
from mig_conformance.codecs import message_type
from mig_conformance.drivers.port import NotOnBindingError
from mig_conformance.drivers.protobuf_json import decoded, encoded
from mig_conformance.flaws import FlawError
from mig_conformance.vectors import load_vectors, packaged_vectors
from mig_protocol import codec
from mig_protocol.pb import mig_pb2 as pb

_ANSWERS = (
    "HelloResponse",
    "DiscoverResponse",
    "InvokeResponse",
    "StreamFrame",
    "PublishAck",
    "EventMessage",
)


@pytest.mark.parametrize("message", [*_ANSWERS, "CancelAck", "HeartbeatAck", "MigError", "MessageHeader"])
def test_golden_bytes_are_read_as_the_json_that_belongs_to_them(message: str) -> None:
    (vectors,) = [found for found in load_vectors(packaged_vectors()) if found.message == message]
    rows = [row for row in vectors.valid if row.protobuf is not None]
    assert rows
    for row in rows:
        read = decoded(message, row.protobuf or b"")
        assert reference.accepts(message, read)
        kind = message_type(message)
        assert codec.decode(kind, json.dumps(read).encode()) == codec.decode(kind, row.body)


@pytest.mark.parametrize(
    "message", ["HelloRequest", "DiscoverRequest", "InvokeRequest", "PublishRequest", "SubscribeRequest"]
)
def test_the_json_of_a_golden_request_is_written_as_its_bytes(message: str) -> None:
    (vectors,) = [found for found in load_vectors(packaged_vectors()) if found.message == message]
    rows = [row for row in vectors.valid if row.protobuf is not None]
    assert rows
    for row in rows:
        kind: Any = getattr(pb, message)
        written = kind.FromString(encoded(message, json.loads(row.body)))
        written.DiscardUnknownFields()
        golden = kind.FromString(row.protobuf or b"")
        golden.DiscardUnknownFields()
        assert written == golden


def test_an_absent_field_has_the_default_of_its_schema_and_false_stays_false() -> None:
    written = pb.DiscoverRequest.FromString(encoded("DiscoverRequest", {"include_qos": False}))
    assert (written.include_schema_refs, written.include_qos) == (True, False)


def test_a_request_may_be_wrong() -> None:
    request = {"requested_bindings": ["pigeon", 7], "header": {"message_id": "m" * 999, "deadline_ms": 0}}
    written = pb.HelloRequest.FromString(encoded("HelloRequest", request))
    assert list(written.requested_bindings) == [99, 7]
    assert len(written.header.message_id) == 999


def test_a_field_that_the_message_has_not_is_an_unknown_field_at_its_place() -> None:
    plain = encoded("HelloRequest", {"header": {}})
    for request in ({"header": {"colour": "red"}}, {"header": {}, "colour": "red"}):
        written = pb.HelloRequest.FromString(encoded("HelloRequest", request))
        assert written.SerializeToString() != plain
        written.DiscardUnknownFields()
        assert written.SerializeToString() == plain


@pytest.mark.parametrize(
    "request_",
    [
        {"header": None},
        {"header": {"deadline_ms": -1}},
        {"header": {"deadline_ms": 2**32}},
        {"header": {"deadline_ms": True}},
        {"header": {"timestamp": "yesterday"}},
        {"header": {"meta": [1]}},
        {"capability": 7},
        {"capability": "\ud800"},
        {"stream_preference": None},
        {"payload": {"n": 10**400}},
    ],
)
def test_what_protobuf_can_not_say_is_a_fault_of_the_case(request_: dict[str, Any]) -> None:
    with pytest.raises(NotOnBindingError, match="protobuf has no form of this InvokeRequest"):
        encoded("InvokeRequest", request_)


def test_what_is_required_is_written_out_and_what_is_not_is_absent_where_it_is_zero() -> None:
    assert decoded("PublishAck", b"") == {"topic": "", "event_id": "", "sequence": 0, "accepted": False}
    frame = decoded("StreamFrame", pb.StreamFrame(kind=pb.FRAME_KIND_REQUEST, payload={}).SerializeToString())
    assert frame == {"stream_id": "", "kind": "request", "payload": {}, "end_stream": False}


def test_an_enum_number_that_is_not_known_stays_one() -> None:
    frame = decoded("StreamFrame", b"\x20\x63")
    assert frame["kind"] == 99
    assert any("/kind" in flaw for flaw in reference.violations("StreamFrame", frame))


def test_integral_doubles_of_a_struct_are_integers_and_only_those_that_are_exact() -> None:
    payload = {"n": 3.0, "half": 0.5, "list": [1.0, None, True], "large": 2.0**60}
    read = decoded("InvokeResponse", pb.InvokeResponse(payload=payload).SerializeToString())["payload"]
    assert json.dumps(read, sort_keys=True) == json.dumps(
        {"half": 0.5, "large": 2.0**60, "list": [1, None, True], "n": 3}
    )


@pytest.mark.parametrize(
    "data",
    [b"\x0a\xff", b"\x12\x02\xff\xff", pb.InvokeResponse(payload={"n": float("nan")}).SerializeToString()],
)
def test_bytes_that_are_no_such_message_are_a_flaw_of_the_server(data: bytes) -> None:
    with pytest.raises(FlawError, match="is no InvokeResponse"):
        decoded("InvokeResponse", data)
