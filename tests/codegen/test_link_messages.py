"""The linker refuses a proto file and schemas that do not know the same messages, fields and enums."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.broken_spec import PROTO, Break, assert_told, named, told

MAPPING = "registry/json-mapping.yaml"
HELLO = "schema/hello-response.schema.json"

DRIFTS = [
    Break(
        name="a field without a property",
        file=PROTO,
        old="  string server_id = 5;",
        new="  string server_id = 5;\n  string colour = 6;",
        at="  string colour",
        says="the field HelloResponse.colour has no property in spec/schema/hello-response.schema.json; "
        "add the property 'colour' there or remove the field",
    ),
    Break(
        name="a property without a field",
        file=HELLO,
        old='"server_id": {',
        new='"colour": {"type": "string", "description": "Its colour."},\n    "server_id": {',
        at='"colour"',
        says="the property HelloResponse.colour has no field in the message HelloResponse; "
        f"add a field at spec/{PROTO}:N or remove the property",
    ),
    Break(
        name="another scalar type",
        file=PROTO,
        old="  uint32 max_inflight = 5;",
        new="  bool max_inflight = 5;",
        told_in="schema/subscribe-request.schema.json",
        at='"max_inflight"',
        says=f"SubscribeRequest.max_inflight is integer, but the field at spec/{PROTO}:N is bool, "
        "in JSON boolean; make the two agree, or correct types in spec/registry/json-mapping.yaml",
    ),
    Break(
        name="one or many",
        file=PROTO,
        old="  repeated string enabled_features = 4;",
        new="  string enabled_features = 4;",
        told_in=HELLO,
        at='"enabled_features": {',
        says=f"HelloResponse.enabled_features is array of string, but the field at spec/{PROTO}:N is string, "
        "in JSON string; make the two agree, or correct types in spec/registry/json-mapping.yaml",
    ),
    Break(
        name="a date that is a plain string",
        file="schema/event-message.schema.json",
        old='"format": "date-time"',
        new='"format": "date"',
        at='"published_at": {',
        says=f"EventMessage.published_at is string, but the field at spec/{PROTO}:N is "
        "google.protobuf.Timestamp, in JSON date-time; make the two agree, or correct types in "
        "spec/registry/json-mapping.yaml",
    ),
    Break(
        name="an enum that is a plain string",
        file="schema/invoke-request.schema.json",
        old='"$ref": "stream-preference.schema.json"',
        new='"$ref": "tenant-id.schema.json"',
        at='"stream_preference": {',
        says=f"InvokeRequest.stream_preference is string, but the field at spec/{PROTO}:N is "
        "StreamPreference, in JSON StreamPreference; make the two agree, or correct types in "
        "spec/registry/json-mapping.yaml",
    ),
    Break(
        name="the header of the other direction",
        file=HELLO,
        old='"$ref": "message-header.schema.json"',
        new='"$ref": "request-header.schema.json"',
        at='"header": {',
        says=f"HelloResponse.header is RequestHeader, but the field at spec/{PROTO}:N is MessageHeader, "
        "in JSON MessageHeader; make the two agree, or correct types in spec/registry/json-mapping.yaml",
    ),
    Break(
        name="a type that json-mapping does not have",
        file=PROTO,
        old="  double load_factor = 3;",
        new="  float load_factor = 3;",
        told_in="schema/heartbeat-ack.schema.json",
        at='"load_factor": {',
        says=f"HeartbeatAck.load_factor is number, but the field at spec/{PROTO}:N is float, "
        "in JSON nothing; make the two agree, or correct types in spec/registry/json-mapping.yaml",
    ),
    Break(
        name="an integer beyond what protobuf carries",
        file="schema/subscribe-request.schema.json",
        old='"maximum": 4294967295',
        new='"maximum": 4294967296',
        at='"max_inflight": {',
        says="SubscribeRequest.max_inflight allows integers that protobuf's uint32 does not carry; "
        "give it a minimum of 0 or more and a maximum up to 4294967295",
    ),
    Break(
        name="an integer beyond what JSON carries",
        file="schema/publish-ack.schema.json",
        old='"maximum": 9007199254740991',
        new='"maximum": 9007199254740992',
        at='"sequence": {',
        says="PublishAck.sequence allows integers that protobuf's uint64 does not carry; "
        "give it a minimum of 0 or more and a maximum up to 9007199254740991",
    ),
    Break(
        name="a default that json-mapping does not know",
        file=MAPPING,
        old="  DiscoverRequest.include_qos: true\n",
        new="",
        told_in="schema/discover-request.schema.json",
        at='"include_qos": {',
        says="the default of DiscoverRequest.include_qos is True; protobuf's, or json_defaults', is False; "
        "say the same in spec/registry/json-mapping.yaml",
    ),
    Break(
        name="a default that the schema does not have",
        file=MAPPING,
        old="  DiscoverRequest.include_qos: true\n",
        new="  DiscoverRequest.include_qos: true\n  HelloResponse.server_id: migd\n",
        told_in=HELLO,
        at='"server_id": {',
        says="json_defaults gives HelloResponse.server_id the default 'migd', and the schema gives none; "
        "add the default or remove the row of json_defaults",
    ),
    Break(
        name="a message without a schema",
        file=PROTO,
        old="message HeartbeatAck {",
        new="message Farewell {\n  MessageHeader header = 1;\n}\n\nmessage HeartbeatAck {",
        at="message Farewell",
        says="the message Farewell has no JSON schema with the title 'Farewell'; "
        "add it to spec/schema or remove the message",
    ),
    Break(
        name="a schema without a message",
        file=MAPPING,
        old="  GapNotice: an SSE event of its own\n",
        new="",
        told_in="schema/gap-notice.schema.json",
        at='"title"',
        says="'GapNotice' is neither a message nor an enum of the proto file; "
        "add it there, or to json_only in spec/registry/json-mapping.yaml",
    ),
    Break(
        name="a JSON-only type without a schema",
        file=MAPPING,
        old="  GapNotice: an SSE event of its own\n",
        new="  GapNotice: an SSE event of its own\n  Farewell: said last\n",
        at="  Farewell",
        says="json_only names 'Farewell', which has no schema file; "
        "add a schema with the title Farewell or remove the row",
    ),
    Break(
        name="a JSON-only type that the proto has",
        file=MAPPING,
        old="  GapNotice: an SSE event of its own\n",
        new="  GapNotice: an SSE event of its own\n  PublishAck: an answer\n",
        at="  PublishAck",
        says="json_only names 'PublishAck', which the proto file has too; remove the row",
    ),
    Break(
        name="a direction of no message",
        file=MAPPING,
        old="  StreamFrame: {response",
        new="  Frame: {response",
        says="directions names 'Frame', which is no message of the proto file; "
        "correct the name or remove the row",
    ),
    Break(
        name="a default of no field",
        file=MAPPING,
        old="  DiscoverRequest.include_qos: true",
        new="  DiscoverRequest.include_all: true",
        says="json_defaults names 'DiscoverRequest.include_all', which is no field of the proto file; "
        "correct the name or remove the row",
    ),
    Break(
        name="an exception of no enum",
        file=MAPPING,
        old="  MigErrorCode: verbatim",
        new="  ErrorCode: verbatim",
        says="enum_exceptions names 'ErrorCode', which is no enum of the proto file; "
        "correct the name or remove the row",
    ),
    Break(
        name="an enum value that JSON lacks",
        file=PROTO,
        old="  FRAME_KIND_ERROR = 5;",
        new="  FRAME_KIND_ERROR = 5;\n  FRAME_KIND_PING = 6;",
        at="  FRAME_KIND_PING",
        says="FRAME_KIND_PING is 'ping' in JSON, which spec/schema/frame-kind.schema.json does not list; "
        "add the value there or remove it here",
    ),
    Break(
        name="an enum value spelled differently",
        file="schema/frame-kind.schema.json",
        old='"control"',
        new='"Control"',
        at='"title"',
        says=f"FrameKind lists 'Control', which is no value of the enum at spec/{PROTO}:N; "
        "spell it as one of request, response, event, control, error, or add it to the proto",
    ),
    Break(
        name="an enum without a schema",
        file=PROTO,
        old="enum FrameKind {",
        new="enum Mood {\n  MOOD_UNSPECIFIED = 0;\n}\n\nenum FrameKind {",
        at="enum Mood",
        says="the enum Mood has no JSON schema with the title 'Mood'; "
        "add it to spec/schema or remove the enum",
    ),
    Break(
        name="an enum value without its prefix",
        file=PROTO,
        old="  FRAME_KIND_ERROR = 5;",
        new="  FAILURE = 5;",
        says="FAILURE does not start with FRAME_KIND_; "
        "rename it, or list the enum in enum_exceptions of json-mapping.yaml",
    ),
    Break(
        name="a value 0 that means something",
        file=PROTO,
        old="  FRAME_KIND_UNSPECIFIED = 0;",
        new="  FRAME_KIND_NONE = 0;",
        says="value 0 of FrameKind is FRAME_KIND_NONE; name it FRAME_KIND_UNSPECIFIED",
    ),
]


@pytest.mark.parametrize("case", DRIFTS, ids=named)
def test_a_drift_between_proto_and_schemas_is_refused_with_its_line(case: Break, tmp_path: Path) -> None:
    assert_told(tmp_path, case)


def test_a_misspelled_enum_value_is_told_from_both_sides(tmp_path: Path) -> None:
    def change(spec: Path) -> None:
        path = spec / "schema/frame-kind.schema.json"
        path.write_text(path.read_text().replace('"control"', '"Control"'))

    found = told(tmp_path, change)
    assert [line.partition(":")[0] for line in found] == [
        f"spec/{PROTO}",
        "spec/schema/frame-kind.schema.json",
    ]
    assert "FRAME_KIND_CONTROL is 'control' in JSON" in found[0]


def test_a_missing_schema_file_is_told_where_the_message_is(tmp_path: Path) -> None:
    found = told(tmp_path, lambda spec: (spec / "schema/cancel-ack.schema.json").unlink())
    assert any(
        line.startswith(f"spec/{PROTO}:") and "the message CancelAck has no JSON schema" in line
        for line in found
    )
