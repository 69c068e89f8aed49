"""Messages go through protobuf bytes and come back the same, in both directions and both stacks."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec import UNSET, Struct

from mig_protocol import codec, convert, messages
from mig_protocol.betterproto.mig import v0_1 as other
from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    BindingType,
    CancelAck,
    CancelStatus,
    DiscoverRequest,
    EventMessage,
    HelloRequest,
    InvokeRequest,
    MigErrorCode,
    RequestFrame,
    RequestHeader,
)
from mig_protocol.pb import mig_pb2 as pb
from support.message_strategies import message_types
from support.message_strategies import messages as valid


def snake(message: type[Struct]) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", message.__name__.replace("QoS", "Qos")).lower()


PAIRS = [
    (message, getattr(convert, f"{snake(message)}_to_pb"), getattr(convert, f"{snake(message)}_from_pb"))
    for message in message_types(messages)
    if hasattr(convert, f"{snake(message)}_to_pb")
]


def test_every_protobuf_message_is_converted_in_each_of_its_directions() -> None:
    names = {message.__name__ for message, _, _ in PAIRS}
    assert set(pb.DESCRIPTOR.message_types_by_name) <= names
    assert names - set(pb.DESCRIPTOR.message_types_by_name) == {"RequestHeader", "RequestFrame"}


@pytest.mark.parametrize(("message", "to_pb", "from_pb"), PAIRS, ids=[one[0].__name__ for one in PAIRS])
def test_a_message_comes_back_the_same(message: type[Struct], to_pb: Any, from_pb: Any) -> None:
    @given(valid(message))
    @settings(max_examples=15, deadline=None)
    def holds(value: Struct) -> None:
        wire = to_pb(value)
        again = type(wire).FromString(wire.SerializeToString())
        assert from_pb(again) == value

    holds()


@pytest.mark.parametrize(("message", "to_pb", "from_pb"), PAIRS, ids=[one[0].__name__ for one in PAIRS])
def test_the_second_stack_reads_the_same_bytes_as_the_first(
    message: type[Struct], to_pb: Any, from_pb: Any
) -> None:
    @given(valid(message))
    @settings(max_examples=5, deadline=None)
    def holds(value: Struct) -> None:
        wire = to_pb(value)
        name = type(wire).DESCRIPTOR.name
        stranger = getattr(other, name).parse(wire.SerializeToString())
        assert from_pb(type(wire).FromString(bytes(stranger))) == value

    holds()


def refused(from_pb: Any, message: Any, pointer: str) -> str:
    with pytest.raises(MigFault) as raised:
        from_pb(message)
    fault = raised.value
    assert fault.code is MigErrorCode.MIG_INVALID_REQUEST
    assert fault.details is not None
    assert fault.details["violations"][0]["pointer"] == pointer
    return fault.message


def test_empty_fields_of_a_request_header_are_absent() -> None:
    assert convert.request_header_from_pb(pb.MessageHeader()) == RequestHeader()
    assert convert.invoke_request_from_pb(pb.InvokeRequest(capability="a")).header is UNSET


def test_an_absent_field_is_zero_on_the_wire() -> None:
    assert convert.request_frame_to_pb(RequestFrame(kind=messages.FrameKind.request)) == pb.StreamFrame(
        kind=pb.FRAME_KIND_REQUEST
    )


def test_false_means_false_where_json_has_another_default() -> None:
    assert DiscoverRequest().include_qos is True
    assert convert.discover_request_from_pb(pb.DiscoverRequest()).include_qos is False


def test_an_empty_payload_is_there_and_an_absent_one_is_not() -> None:
    frame = pb.StreamFrame(kind=pb.FRAME_KIND_REQUEST)
    assert convert.request_frame_from_pb(frame).payload is UNSET
    frame.payload.SetInParent()
    assert convert.request_frame_from_pb(frame).payload == {}
    assert convert.request_frame_to_pb(convert.request_frame_from_pb(frame)).HasField("payload")


def test_numbers_of_a_payload_are_integers_where_they_are_exact() -> None:
    request = pb.InvokeRequest(capability="a")
    request.payload.update({"whole": 3.0, "half": 0.5, "edge": 2.0**53, "list": [1.0, [2.0]]})
    payload = convert.invoke_request_from_pb(request).payload
    assert payload == {"whole": 3, "half": 0.5, "edge": 2.0**53, "list": [1, [2]]}
    assert [type(payload[key]) for key in ("whole", "edge")] == [int, float]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_has_not_are_refused(number: float) -> None:
    request = pb.InvokeRequest(capability="a")
    request.payload.update({"x": {"y": [number]}})
    assert "no NaN and no infinity" in refused(convert.invoke_request_from_pb, request, "/payload")


def test_an_unknown_enum_number_is_refused() -> None:
    hello = pb.HelloRequest(requested_bindings=[pb.BINDING_TYPE_HTTP, 99])  # type: ignore[list-item]
    refused(convert.hello_request_from_pb, hello, "/requested_bindings/1")
    refused(convert.hello_request_from_pb, pb.HelloRequest(requested_bindings=[0]), "/requested_bindings/0")  # type: ignore[list-item]


def test_a_required_enum_that_is_unspecified_is_missing() -> None:
    assert "missing required field `kind`" in refused(convert.request_frame_from_pb, pb.StreamFrame(), "")


def test_bounds_hold_as_in_json() -> None:
    header = pb.MessageHeader(tenant_id="a b")
    refused(convert.invoke_request_from_pb, pb.InvokeRequest(header=header), "/header/tenant_id")
    refused(convert.subscribe_request_from_pb, pb.SubscribeRequest(topic="one"), "/topic")


def test_a_time_out_of_range_is_refused_and_finer_ones_are_cut() -> None:
    header = pb.MessageHeader()
    header.timestamp.seconds = 10**15
    refused(convert.request_header_from_pb, header, "/timestamp")
    header.timestamp.seconds, header.timestamp.nanos = -1, 999_999_999
    expected = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert convert.request_header_from_pb(header).timestamp == expected


def test_an_enum_that_protobuf_has_as_a_string_is_checked() -> None:
    header = convert.message_header_to_pb(codec.decode(messages.MessageHeader, HEADER))
    ack = pb.CancelAck(header=header, target_message_id="m", accepted=True, status="cancelled")
    assert convert.cancel_ack_from_pb(ack).status is CancelStatus.cancelled
    ack.status = "perhaps"
    refused(convert.cancel_ack_from_pb, ack, "/status")


HEADER = b'{"mig_version":"0.1","message_id":"m","timestamp":"2026-01-15T09:30:00Z","tenant_id":"acme"}'


def test_json_and_protobuf_agree_on_a_whole_message() -> None:
    text = (
        b'{"header":%s,"topic":"a.b","event_id":"e","sequence":9007199254740991,"payload":{"n":null},'
        b'"published_at":"2026-01-15T09:30:00.25Z","replay":false}' % HEADER
    )
    event = codec.decode(EventMessage, text)
    wire = convert.event_message_to_pb(event)
    assert (wire.sequence, wire.published_at.nanos, wire.replay) == (2**53 - 1, 250_000_000, False)
    assert codec.encode(convert.event_message_from_pb(wire)) == codec.encode(event)


def test_what_no_json_value_can_be_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="object is no JSON value"):
        convert.invoke_request_to_pb(InvokeRequest(payload={"x": object()}))


def test_lists_of_enums_keep_their_order() -> None:
    request = HelloRequest(requested_bindings=[BindingType.nats, BindingType.grpc])
    assert convert.hello_request_from_pb(convert.hello_request_to_pb(request)) == request


def test_an_ack_that_was_not_accepted_says_so() -> None:
    header = codec.decode(messages.MessageHeader, HEADER)
    ack = CancelAck(header=header, target_message_id="m", accepted=False, status=CancelStatus.completed)
    assert convert.cancel_ack_from_pb(convert.cancel_ack_to_pb(ack)) == ack
