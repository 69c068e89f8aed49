"""What the codecs accept and refuse, and how a refusal says what and where."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, Struct

from mig_protocol import codec, messages
from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    CapabilityDescriptor,
    DiscoverRequest,
    HelloRequest,
    InvokeRequest,
    InvokeResponse,
    MessageHeader,
    MigErrorCode,
    RequestFrame,
    RequestHeader,
    UsageReport,
)
from support.message_strategies import message_types
from support.message_strategies import messages as valid

HEADER = b'{"mig_version":"0.1","message_id":"m","timestamp":"2026-01-15T09:30:00Z","tenant_id":"acme"}'


def refusal(message: type[Struct], body: bytes) -> MigFault:
    with pytest.raises(MigFault) as raised:
        codec.decode(message, body)
    assert raised.value.code is MigErrorCode.MIG_INVALID_REQUEST
    assert raised.value.http_status == 400
    return raised.value


def violation(fault: MigFault) -> dict[str, Any]:
    assert fault.details is not None
    [only] = fault.details["violations"]
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize("message", message_types(messages), ids=lambda one: one.__name__)
def test_whatever_is_encoded_decodes_to_the_same_message(message: type[Struct]) -> None:
    @given(valid(message))
    @settings(max_examples=15, deadline=None)
    def holds(value: Struct) -> None:
        assert codec.decode(message, codec.encode(value)) == value

    holds()


@pytest.mark.parametrize(
    ("body", "pointer", "says"),
    [
        (b'{"header":{"tenant_id":7}}', "/header/tenant_id", "expected a string, got an integer"),
        (b'{"header":{"tenant_id":null}}', "/header/tenant_id", "expected a string, got null"),
        (b'{"header":{"deadline_ms":-1}}', "/header/deadline_ms", "expected an integer >= 0"),
        (b'{"header":{"deadline_ms":1.5}}', "/header/deadline_ms", "expected an integer, got a number"),
        (b'{"header":[]}', "/header", "expected an object, got an array"),
        (b'{"payload":[1]}', "/payload", "expected an object, got an array"),
        (b'{"payload":{"deep":{"n":1e400}}}', "/payload", "number out of range"),
        (b'{"stream_preference":"sideways"}', "/stream_preference", "invalid enum value 'sideways'"),
        (b"[]", "", "expected an object, got an array"),
        (b"null", "", "expected an object, got null"),
        (b'"text"', "", "expected an object, got a string"),
    ],
)
def test_a_refusal_points_at_the_fault(body: bytes, pointer: str, says: str) -> None:
    fault = refusal(InvokeRequest, body)
    assert violation(fault) == {"pointer": pointer, "message": says}
    assert fault.message.startswith("InvokeRequest is not valid: ")
    assert says in fault.message
    assert pointer in fault.message


def test_an_item_of_an_array_is_pointed_at_by_its_index() -> None:
    fault = refusal(HelloRequest, b'{"requested_bindings":["http","smoke"]}')
    assert violation(fault)["pointer"] == "/requested_bindings/1"


def test_a_value_of_a_map_is_pointed_at_by_the_map() -> None:
    body = b'{"tenant_invocations":{"acme":-1},"capability_invocations":{},"total_invocations":0}'
    assert violation(refusal(UsageReport, body))["pointer"] == "/tenant_invocations"


def test_a_missing_field_is_named() -> None:
    fault = refusal(InvokeResponse, b'{"capability":"a","payload":{}}')
    assert violation(fault) == {"pointer": "", "message": "object missing required field `header`"}


def test_a_broken_pattern_is_shown_as_the_schema_has_it() -> None:
    says = violation(refusal(InvokeRequest, b'{"capability":"a..b"}'))["message"]
    assert says == r"expected a string matching regex '^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$'"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "ends too early"),
        (b'{"payload":', "ends too early"),
        (b"{} {}", "trailing characters"),
        (b"{'payload':{}}", "object keys must be strings"),
        (b'{"payload":{"n":NaN}}', "invalid character"),
        (b'{"payload":{"n":Infinity}}', "invalid character"),
        (b'{"payload":{"n":-Infinity}}', "invalid"),
        (b'{"payload":{"n":01}}', "invalid number"),
        (b'\xef\xbb\xbf{"payload":{}}', "byte 0"),
        (b'{"payload":{"s":"\xff"}}', "not UTF-8 at byte 17"),
        (b'{"payload":{"\xc3\x28":1}}', "not UTF-8 at byte 13"),
        (b'{"payload":{"s":"\\ud800"}}', "InvokeRequest is not JSON"),
        (b'{"payload":{"n":' + b"9" * 5000 + b"}}", "InvokeRequest is not"),
    ],
)
def test_text_that_is_no_json_is_refused_with_the_reason(body: bytes, says: str) -> None:
    assert says in refusal(InvokeRequest, body).message


def nested(levels: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    return b'{"payload":{"x":' + opening * (levels - 2) + closing * (levels - 2) + b"}}"


@pytest.mark.parametrize("levels", [codec.MAX_DEPTH + 1, 1_000, 100_000])
def test_nesting_beyond_the_limit_is_refused(levels: int) -> None:
    assert "nested deeper than 128 levels" in refusal(InvokeRequest, nested(levels)).message


def test_nesting_without_an_end_is_refused() -> None:
    refusal(InvokeRequest, b'{"payload":{"x":' + b"[" * 100_000)


def test_what_is_accepted_at_the_limit_can_be_encoded_again_and_wrapped() -> None:
    request = codec.decode(InvokeRequest, nested(codec.MAX_DEPTH))
    assert codec.encode({"echo": {"echo": request}})


def test_brackets_in_strings_do_not_count_as_nesting() -> None:
    body = b'{"payload":{"s":"' + b'[{\\"\\\\' * 400 + b'"}}'
    assert codec.decode(InvokeRequest, body).payload


def test_many_siblings_are_not_deep() -> None:
    body = b'{"payload":{"x":[' + b"{}," * 4_000 + b"[]]}}"
    assert codec.decode(InvokeRequest, body).payload


@pytest.mark.parametrize("tenant", ["acme\n", "acme\r", "acmé", "a b", "", "a" * 65, "*", "a.b"])
def test_a_tenant_outside_its_alphabet_is_refused(tenant: str) -> None:
    refusal(InvokeRequest, msgspec.json.encode({"header": {"tenant_id": tenant}}))


def test_a_time_without_an_offset_is_refused_and_one_with_it_is_aware() -> None:
    refusal(InvokeRequest, b'{"header":{"timestamp":"2026-01-15T09:30:00"}}')
    header = codec.decode(RequestHeader, b'{"timestamp":"2026-01-15T11:30:00+02:00"}')
    assert header.timestamp == datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("number", [2**53, 2**64, 10**30, -1])
def test_an_integer_out_of_its_bounds_is_refused(number: int) -> None:
    body = msgspec.json.encode(
        {"tenant_invocations": {}, "capability_invocations": {}, "total_invocations": number}
    )
    assert violation(refusal(UsageReport, body))["pointer"] == "/total_invocations"


def test_unknown_fields_are_ignored() -> None:
    assert codec.decode(InvokeRequest, b'{"colour":"red","header":{"mood":1}}') == InvokeRequest(
        header=RequestHeader()
    )


def test_defaults_are_there_and_are_written_out() -> None:
    request = codec.decode_or_default(DiscoverRequest, b"")
    assert (request.header, request.include_qos, request.include_schema_refs) == (UNSET, True, True)
    assert codec.encode(request) == b'{"query":"","include_schema_refs":true,"include_qos":true}'


def test_fields_that_a_server_always_writes_are_written_when_they_are_zero() -> None:
    body = b'{"header":%s,"stream_id":"s","kind":"response","end_stream":false}' % HEADER
    assert b'"end_stream":false' in codec.encode(codec.decode(messages.StreamFrame, body))


def test_lists_by_default_are_not_shared() -> None:
    first, second = HelloRequest(), HelloRequest()
    first.supported_versions.append("0.1")
    assert second.supported_versions == []


def test_a_lone_surrogate_is_encoded_as_the_replacement_character() -> None:
    payload = {"a\ud800": ["\udc00", {"b": "\ud83d\ude00"}]}
    frame = RequestFrame(kind=messages.FrameKind.request, payload=payload)
    text = codec.encode(frame).decode()
    assert msgspec.json.decode(text)["payload"] == {"a\ufffd": ["\ufffd", {"b": "\U0001f600"}]}


def test_built_in_values_are_checked_as_text_is() -> None:
    assert codec.from_builtins(RequestHeader, {"tenant_id": "acme"}) == RequestHeader(tenant_id="acme")
    with pytest.raises(MigFault) as raised:
        codec.from_builtins(CapabilityDescriptor, {"id": "a", "version": "1.0.0", "modes": ["upside-down"]})
    assert violation(raised.value)["pointer"] == "/modes/0"


@given(st.binary(max_size=200))
def test_no_bytes_at_all_make_the_codec_fail_otherwise_than_by_refusing(noise: bytes) -> None:
    refusal(MessageHeader, b"[" + noise)
    refusal(MessageHeader, b'{"mig_version":"0.1",' + noise)
