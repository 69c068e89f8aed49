# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.
"""Between the protobuf messages (mig_protocol.pb) and the message types, by spec/registry/json-mapping.yaml.

From protobuf, everything is checked as JSON is: the result is a message that `codec.decode` could have
given. A zero value is "absent" for an optional field, an unknown enum number and a number that JSON has not
(NaN) are refused, and integral doubles become integers. To protobuf, an absent field is its zero value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.protobuf.struct_pb2 import NULL_VALUE, ListValue, Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp
from msgspec import UNSET

from mig_protocol import codec
from mig_protocol.messages import (
    CancelAck,
    CancelRequest,
    CapabilityDescriptor,
    DiscoverRequest,
    DiscoverResponse,
    EventMessage,
    HeartbeatAck,
    HeartbeatRequest,
    HelloRequest,
    HelloResponse,
    InvokeRequest,
    InvokeResponse,
    MessageHeader,
    MigError,
    PublishAck,
    PublishRequest,
    QoSProfile,
    RequestFrame,
    RequestHeader,
    StreamFrame,
    SubscribeRequest,
)
from mig_protocol.pb import mig_pb2 as pb

_EXACT: Final = 2**53  # doubles below it are exact integers
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_BINDING_TYPE_NAMES: Final[Mapping[int, str]] = {
    pb.BINDING_TYPE_GRPC: "grpc",
    pb.BINDING_TYPE_NATS: "nats",
    pb.BINDING_TYPE_HTTP: "http",
}
_BINDING_TYPE_NUMBERS: Final = {
    "grpc": pb.BINDING_TYPE_GRPC,
    "nats": pb.BINDING_TYPE_NATS,
    "http": pb.BINDING_TYPE_HTTP,
}

_INVOCATION_MODE_NAMES: Final[Mapping[int, str]] = {
    pb.INVOCATION_MODE_UNARY: "unary",
    pb.INVOCATION_MODE_SERVER_STREAM: "server_stream",
    pb.INVOCATION_MODE_CLIENT_STREAM: "client_stream",
    pb.INVOCATION_MODE_BIDI_STREAM: "bidi_stream",
}
_INVOCATION_MODE_NUMBERS: Final = {
    "unary": pb.INVOCATION_MODE_UNARY,
    "server_stream": pb.INVOCATION_MODE_SERVER_STREAM,
    "client_stream": pb.INVOCATION_MODE_CLIENT_STREAM,
    "bidi_stream": pb.INVOCATION_MODE_BIDI_STREAM,
}

_STREAM_PREFERENCE_NAMES: Final[Mapping[int, str]] = {
    pb.STREAM_PREFERENCE_UNARY: "unary",
    pb.STREAM_PREFERENCE_SERVER_STREAM: "server_stream",
    pb.STREAM_PREFERENCE_BIDI_STREAM: "bidi_stream",
}
_STREAM_PREFERENCE_NUMBERS: Final = {
    "unary": pb.STREAM_PREFERENCE_UNARY,
    "server_stream": pb.STREAM_PREFERENCE_SERVER_STREAM,
    "bidi_stream": pb.STREAM_PREFERENCE_BIDI_STREAM,
}

_DELIVERY_SEMANTICS_NAMES: Final[Mapping[int, str]] = {
    pb.DELIVERY_SEMANTICS_BEST_EFFORT: "best_effort",
    pb.DELIVERY_SEMANTICS_AT_LEAST_ONCE: "at_least_once",
    pb.DELIVERY_SEMANTICS_EXACTLY_ONCE: "exactly_once",
}
_DELIVERY_SEMANTICS_NUMBERS: Final = {
    "best_effort": pb.DELIVERY_SEMANTICS_BEST_EFFORT,
    "at_least_once": pb.DELIVERY_SEMANTICS_AT_LEAST_ONCE,
    "exactly_once": pb.DELIVERY_SEMANTICS_EXACTLY_ONCE,
}

_FRAME_KIND_NAMES: Final[Mapping[int, str]] = {
    pb.FRAME_KIND_REQUEST: "request",
    pb.FRAME_KIND_RESPONSE: "response",
    pb.FRAME_KIND_EVENT: "event",
    pb.FRAME_KIND_CONTROL: "control",
    pb.FRAME_KIND_ERROR: "error",
}
_FRAME_KIND_NUMBERS: Final = {
    "request": pb.FRAME_KIND_REQUEST,
    "response": pb.FRAME_KIND_RESPONSE,
    "event": pb.FRAME_KIND_EVENT,
    "control": pb.FRAME_KIND_CONTROL,
    "error": pb.FRAME_KIND_ERROR,
}

_MIG_ERROR_CODE_NAMES: Final[Mapping[int, str]] = {
    pb.MIG_INVALID_REQUEST: "MIG_INVALID_REQUEST",
    pb.MIG_UNAUTHORIZED: "MIG_UNAUTHORIZED",
    pb.MIG_FORBIDDEN: "MIG_FORBIDDEN",
    pb.MIG_NOT_FOUND: "MIG_NOT_FOUND",
    pb.MIG_UNSUPPORTED_CAPABILITY: "MIG_UNSUPPORTED_CAPABILITY",
    pb.MIG_VERSION_MISMATCH: "MIG_VERSION_MISMATCH",
    pb.MIG_TIMEOUT: "MIG_TIMEOUT",
    pb.MIG_RATE_LIMITED: "MIG_RATE_LIMITED",
    pb.MIG_BACKPRESSURE: "MIG_BACKPRESSURE",
    pb.MIG_UNAVAILABLE: "MIG_UNAVAILABLE",
    pb.MIG_INTERNAL: "MIG_INTERNAL",
}
_MIG_ERROR_CODE_NUMBERS: Final = {
    "MIG_INVALID_REQUEST": pb.MIG_INVALID_REQUEST,
    "MIG_UNAUTHORIZED": pb.MIG_UNAUTHORIZED,
    "MIG_FORBIDDEN": pb.MIG_FORBIDDEN,
    "MIG_NOT_FOUND": pb.MIG_NOT_FOUND,
    "MIG_UNSUPPORTED_CAPABILITY": pb.MIG_UNSUPPORTED_CAPABILITY,
    "MIG_VERSION_MISMATCH": pb.MIG_VERSION_MISMATCH,
    "MIG_TIMEOUT": pb.MIG_TIMEOUT,
    "MIG_RATE_LIMITED": pb.MIG_RATE_LIMITED,
    "MIG_BACKPRESSURE": pb.MIG_BACKPRESSURE,
    "MIG_UNAVAILABLE": pb.MIG_UNAVAILABLE,
    "MIG_INTERNAL": pb.MIG_INTERNAL,
}


def message_header_from_pb(message: pb.MessageHeader) -> MessageHeader:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of MessageHeader refuses."""
    return codec.from_builtins(MessageHeader, _message_header_values(message, ""))


def message_header_to_pb(value: MessageHeader) -> pb.MessageHeader:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.MessageHeader()
    _write_message_header(message, value)
    return message


def _write_message_header(message: pb.MessageHeader, value: MessageHeader) -> None:
    message.mig_version = value.mig_version
    message.message_id = value.message_id
    _set_timestamp(message.timestamp, value.timestamp)
    message.tenant_id = value.tenant_id
    if value.session_id is not UNSET:
        message.session_id = value.session_id
    if value.traceparent is not UNSET:
        message.traceparent = value.traceparent
    if value.idempotency_key is not UNSET:
        message.idempotency_key = value.idempotency_key
    if value.deadline_ms is not UNSET:
        message.deadline_ms = value.deadline_ms
    if value.meta is not UNSET:
        _set_object(message.meta, value.meta)


def _message_header_values(message: pb.MessageHeader, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    values["mig_version"] = message.mig_version
    values["message_id"] = message.message_id
    if message.HasField("timestamp"):
        values["timestamp"] = _instant(message.timestamp, f"{at}/timestamp")
    values["tenant_id"] = message.tenant_id
    if message.session_id:
        values["session_id"] = message.session_id
    if message.traceparent:
        values["traceparent"] = message.traceparent
    if message.idempotency_key:
        values["idempotency_key"] = message.idempotency_key
    if message.deadline_ms:
        values["deadline_ms"] = message.deadline_ms
    if message.HasField("meta"):
        values["meta"] = _json_object(message.meta, f"{at}/meta")
    return values


def request_header_from_pb(message: pb.MessageHeader) -> RequestHeader:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of RequestHeader refuses."""
    return codec.from_builtins(RequestHeader, _request_header_values(message, ""))


def request_header_to_pb(value: RequestHeader) -> pb.MessageHeader:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.MessageHeader()
    _write_request_header(message, value)
    return message


def _write_request_header(message: pb.MessageHeader, value: RequestHeader) -> None:
    if value.mig_version is not UNSET:
        message.mig_version = value.mig_version
    if value.message_id is not UNSET:
        message.message_id = value.message_id
    if value.timestamp is not UNSET:
        _set_timestamp(message.timestamp, value.timestamp)
    if value.tenant_id is not UNSET:
        message.tenant_id = value.tenant_id
    if value.session_id is not UNSET:
        message.session_id = value.session_id
    if value.traceparent is not UNSET:
        message.traceparent = value.traceparent
    if value.idempotency_key is not UNSET:
        message.idempotency_key = value.idempotency_key
    if value.deadline_ms is not UNSET:
        message.deadline_ms = value.deadline_ms
    if value.meta is not UNSET:
        _set_object(message.meta, value.meta)


def _request_header_values(message: pb.MessageHeader, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.mig_version:
        values["mig_version"] = message.mig_version
    if message.message_id:
        values["message_id"] = message.message_id
    if message.HasField("timestamp"):
        values["timestamp"] = _instant(message.timestamp, f"{at}/timestamp")
    if message.tenant_id:
        values["tenant_id"] = message.tenant_id
    if message.session_id:
        values["session_id"] = message.session_id
    if message.traceparent:
        values["traceparent"] = message.traceparent
    if message.idempotency_key:
        values["idempotency_key"] = message.idempotency_key
    if message.deadline_ms:
        values["deadline_ms"] = message.deadline_ms
    if message.HasField("meta"):
        values["meta"] = _json_object(message.meta, f"{at}/meta")
    return values


def hello_request_from_pb(message: pb.HelloRequest) -> HelloRequest:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of HelloRequest refuses."""
    return codec.from_builtins(HelloRequest, _hello_request_values(message, ""))


def hello_request_to_pb(value: HelloRequest) -> pb.HelloRequest:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.HelloRequest()
    _write_hello_request(message, value)
    return message


def _write_hello_request(message: pb.HelloRequest, value: HelloRequest) -> None:
    if value.header is not UNSET:
        message.header.SetInParent()  # one without a field is there all the same
        _write_request_header(message.header, value.header)
    message.supported_versions.extend(value.supported_versions)
    message.requested_bindings.extend(_BINDING_TYPE_NUMBERS[item] for item in value.requested_bindings)
    message.requested_features.extend(value.requested_features)


def _hello_request_values(message: pb.HelloRequest, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.HasField("header"):
        values["header"] = _request_header_values(message.header, f"{at}/header")
    if message.supported_versions:
        values["supported_versions"] = list(message.supported_versions)
    if message.requested_bindings:
        values["requested_bindings"] = [
            _named(_BINDING_TYPE_NAMES, item, f"{at}/requested_bindings/{index}")
            for index, item in enumerate(message.requested_bindings)
        ]
    if message.requested_features:
        values["requested_features"] = list(message.requested_features)
    return values


def hello_response_from_pb(message: pb.HelloResponse) -> HelloResponse:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of HelloResponse refuses."""
    return codec.from_builtins(HelloResponse, _hello_response_values(message, ""))


def hello_response_to_pb(value: HelloResponse) -> pb.HelloResponse:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.HelloResponse()
    _write_hello_response(message, value)
    return message


def _write_hello_response(message: pb.HelloResponse, value: HelloResponse) -> None:
    message.header.SetInParent()  # one without a field is there all the same
    _write_message_header(message.header, value.header)
    message.selected_version = value.selected_version
    message.selected_binding = _BINDING_TYPE_NUMBERS[value.selected_binding]
    message.enabled_features.extend(value.enabled_features)
    message.server_id = value.server_id


def _hello_response_values(message: pb.HelloResponse, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.HasField("header"):
        values["header"] = _message_header_values(message.header, f"{at}/header")
    values["selected_version"] = message.selected_version
    if message.selected_binding:
        values["selected_binding"] = _named(
            _BINDING_TYPE_NAMES, message.selected_binding, f"{at}/selected_binding"
        )
    values["enabled_features"] = list(message.enabled_features)
    values["server_id"] = message.server_id
    return values


def discover_request_from_pb(message: pb.DiscoverRequest) -> DiscoverRequest:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of DiscoverRequest refuses."""
    return codec.from_builtins(DiscoverRequest, _discover_request_values(message, ""))


def discover_request_to_pb(value: DiscoverRequest) -> pb.DiscoverRequest:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.DiscoverRequest()
    _write_discover_request(message, value)
    return message


def _write_discover_request(message: pb.DiscoverRequest, value: DiscoverRequest) -> None:
    if value.header is not UNSET:
        message.header.SetInParent()  # one without a field is there all the same
        _write_request_header(message.header, value.header)
    message.query = value.query
    message.include_schema_refs = value.include_schema_refs
    message.include_qos = value.include_qos


def _discover_request_values(message: pb.DiscoverRequest, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.HasField("header"):
        values["header"] = _request_header_values(message.header, f"{at}/header")
    if message.query:
        values["query"] = message.query
    values["include_schema_refs"] = message.include_schema_refs
    values["include_qos"] = message.include_qos
    return values


def discover_response_from_pb(message: pb.DiscoverResponse) -> DiscoverResponse:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of DiscoverResponse refuses."""
    return codec.from_builtins(DiscoverResponse, _discover_response_values(message, ""))


def discover_response_to_pb(value: DiscoverResponse) -> pb.DiscoverResponse:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.DiscoverResponse()
    _write_discover_response(message, value)
    return message


def _write_discover_response(message: pb.DiscoverResponse, value: DiscoverResponse) -> None:
    message.header.SetInParent()  # one without a field is there all the same
    _write_message_header(message.header, value.header)
    for item in value.capabilities:
        _write_capability_descriptor(message.capabilities.add(), item)


def _discover_response_values(message: pb.DiscoverResponse, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.HasField("header"):
        values["header"] = _message_header_values(message.header, f"{at}/header")
    values["capabilities"] = [
        _capability_descriptor_values(item, f"{at}/capabilities/{index}")
        for index, item in enumerate(message.capabilities)
    ]
    return values


def capability_descriptor_from_pb(message: pb.CapabilityDescriptor) -> CapabilityDescriptor:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of CapabilityDescriptor refuses."""
    return codec.from_builtins(CapabilityDescriptor, _capability_descriptor_values(message, ""))


def capability_descriptor_to_pb(value: CapabilityDescriptor) -> pb.CapabilityDescriptor:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.CapabilityDescriptor()
    _write_capability_descriptor(message, value)
    return message


def _write_capability_descriptor(message: pb.CapabilityDescriptor, value: CapabilityDescriptor) -> None:
    message.id = value.id
    message.version = value.version
    message.modes.extend(_INVOCATION_MODE_NUMBERS[item] for item in value.modes)
    if value.input_schema_uri is not UNSET:
        message.input_schema_uri = value.input_schema_uri
    if value.output_schema_uri is not UNSET:
        message.output_schema_uri = value.output_schema_uri
    message.event_topics.extend(value.event_topics)
    message.auth_scopes.extend(value.auth_scopes)
    if value.qos is not UNSET:
        message.qos.SetInParent()  # one without a field is there all the same
        _write_qos_profile(message.qos, value.qos)


def _capability_descriptor_values(message: pb.CapabilityDescriptor, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    values["id"] = message.id
    values["version"] = message.version
    if message.modes:
        values["modes"] = [
            _named(_INVOCATION_MODE_NAMES, item, f"{at}/modes/{index}")
            for index, item in enumerate(message.modes)
        ]
    if message.input_schema_uri:
        values["input_schema_uri"] = message.input_schema_uri
    if message.output_schema_uri:
        values["output_schema_uri"] = message.output_schema_uri
    if message.event_topics:
        values["event_topics"] = list(message.event_topics)
    if message.auth_scopes:
        values["auth_scopes"] = list(message.auth_scopes)
    if message.HasField("qos"):
        values["qos"] = _qos_profile_values(message.qos, f"{at}/qos")
    return values


def qos_profile_from_pb(message: pb.QoSProfile) -> QoSProfile:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of QoSProfile refuses."""
    return codec.from_builtins(QoSProfile, _qos_profile_values(message, ""))


def qos_profile_to_pb(value: QoSProfile) -> pb.QoSProfile:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.QoSProfile()
    _write_qos_profile(message, value)
    return message


def _write_qos_profile(message: pb.QoSProfile, value: QoSProfile) -> None:
    message.max_payload_bytes = value.max_payload_bytes
    message.supports_replay = value.supports_replay
    if value.delivery_semantics is not UNSET:
        message.delivery_semantics = _DELIVERY_SEMANTICS_NUMBERS[value.delivery_semantics]
    message.supports_ordering = value.supports_ordering


def _qos_profile_values(message: pb.QoSProfile, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.max_payload_bytes:
        values["max_payload_bytes"] = message.max_payload_bytes
    if message.supports_replay:
        values["supports_replay"] = message.supports_replay
    if message.delivery_semantics:
        values["delivery_semantics"] = _named(
            _DELIVERY_SEMANTICS_NAMES, message.delivery_semantics, f"{at}/delivery_semantics"
        )
    if message.supports_ordering:
        values["supports_ordering"] = message.supports_ordering
    return values


def invoke_request_from_pb(message: pb.InvokeRequest) -> InvokeRequest:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of InvokeRequest refuses."""
    return codec.from_builtins(InvokeRequest, _invoke_request_values(message, ""))


def invoke_request_to_pb(value: InvokeRequest) -> pb.InvokeRequest:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.InvokeRequest()
    _write_invoke_request(message, value)
    return message


def _write_invoke_request(message: pb.InvokeRequest, value: InvokeRequest) -> None:
    if value.header is not UNSET:
        message.header.SetInParent()  # one without a field is there all the same
        _write_request_header(message.header, value.header)
    if value.capability is not UNSET:
        message.capability = value.capability
    _set_object(message.payload, value.payload)
    if value.stream_preference is not UNSET:
        message.stream_preference = _STREAM_PREFERENCE_NUMBERS[value.stream_preference]


def _invoke_request_values(message: pb.InvokeRequest, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.HasField("header"):
        values["header"] = _request_header_values(message.header, f"{at}/header")
    if message.capability:
        values["capability"] = message.capability
    if message.HasField("payload"):
        values["payload"] = _json_object(message.payload, f"{at}/payload")
    if message.stream_preference:
        values["stream_preference"] = _named(
            _STREAM_PREFERENCE_NAMES, message.stream_preference, f"{at}/stream_preference"
        )
    return values


def invoke_response_from_pb(message: pb.InvokeResponse) -> InvokeResponse:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of InvokeResponse refuses."""
    return codec.from_builtins(InvokeResponse, _invoke_response_values(message, ""))


def invoke_response_to_pb(value: InvokeResponse) -> pb.InvokeResponse:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.InvokeResponse()
    _write_invoke_response(message, value)
    return message


def _write_invoke_response(message: pb.InvokeResponse, value: InvokeResponse) -> None:
    message.header.SetInParent()  # one without a field is there all the same
    _write_message_header(message.header, value.header)
    message.capability = value.capability
    _set_object(message.payload, value.payload)
    if value.result_schema_uri is not UNSET:
        message.result_schema_uri = value.result_schema_uri


def _invoke_response_values(message: pb.InvokeResponse, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.HasField("header"):
        values["header"] = _message_header_values(message.header, f"{at}/header")
    values["capability"] = message.capability
    if message.HasField("payload"):
        values["payload"] = _json_object(message.payload, f"{at}/payload")
    if message.result_schema_uri:
        values["result_schema_uri"] = message.result_schema_uri
    return values


def stream_frame_from_pb(message: pb.StreamFrame) -> StreamFrame:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of StreamFrame refuses."""
    return codec.from_builtins(StreamFrame, _stream_frame_values(message, ""))


def stream_frame_to_pb(value: StreamFrame) -> pb.StreamFrame:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.StreamFrame()
    _write_stream_frame(message, value)
    return message


def _write_stream_frame(message: pb.StreamFrame, value: StreamFrame) -> None:
    message.header.SetInParent()  # one without a field is there all the same
    _write_message_header(message.header, value.header)
    message.stream_id = value.stream_id
    if value.capability is not UNSET:
        message.capability = value.capability
    message.kind = _FRAME_KIND_NUMBERS[value.kind]
    if value.payload is not UNSET:
        _set_object(message.payload, value.payload)
    message.end_stream = value.end_stream
    if value.error is not UNSET:
        message.error.SetInParent()  # one without a field is there all the same
        _write_mig_error(message.error, value.error)


def _stream_frame_values(message: pb.StreamFrame, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.HasField("header"):
        values["header"] = _message_header_values(message.header, f"{at}/header")
    values["stream_id"] = message.stream_id
    if message.capability:
        values["capability"] = message.capability
    if message.kind:
        values["kind"] = _named(_FRAME_KIND_NAMES, message.kind, f"{at}/kind")
    if message.HasField("payload"):
        values["payload"] = _json_object(message.payload, f"{at}/payload")
    values["end_stream"] = message.end_stream
    if message.HasField("error"):
        values["error"] = _mig_error_values(message.error, f"{at}/error")
    return values


def request_frame_from_pb(message: pb.StreamFrame) -> RequestFrame:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of RequestFrame refuses."""
    return codec.from_builtins(RequestFrame, _request_frame_values(message, ""))


def request_frame_to_pb(value: RequestFrame) -> pb.StreamFrame:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.StreamFrame()
    _write_request_frame(message, value)
    return message


def _write_request_frame(message: pb.StreamFrame, value: RequestFrame) -> None:
    if value.header is not UNSET:
        message.header.SetInParent()  # one without a field is there all the same
        _write_request_header(message.header, value.header)
    if value.stream_id is not UNSET:
        message.stream_id = value.stream_id
    if value.capability is not UNSET:
        message.capability = value.capability
    message.kind = _FRAME_KIND_NUMBERS[value.kind]
    if value.payload is not UNSET:
        _set_object(message.payload, value.payload)
    message.end_stream = value.end_stream
    if value.error is not UNSET:
        message.error.SetInParent()  # one without a field is there all the same
        _write_mig_error(message.error, value.error)


def _request_frame_values(message: pb.StreamFrame, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.HasField("header"):
        values["header"] = _request_header_values(message.header, f"{at}/header")
    if message.stream_id:
        values["stream_id"] = message.stream_id
    if message.capability:
        values["capability"] = message.capability
    if message.kind:
        values["kind"] = _named(_FRAME_KIND_NAMES, message.kind, f"{at}/kind")
    if message.HasField("payload"):
        values["payload"] = _json_object(message.payload, f"{at}/payload")
    if message.end_stream:
        values["end_stream"] = message.end_stream
    if message.HasField("error"):
        values["error"] = _mig_error_values(message.error, f"{at}/error")
    return values


def publish_request_from_pb(message: pb.PublishRequest) -> PublishRequest:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of PublishRequest refuses."""
    return codec.from_builtins(PublishRequest, _publish_request_values(message, ""))


def publish_request_to_pb(value: PublishRequest) -> pb.PublishRequest:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.PublishRequest()
    _write_publish_request(message, value)
    return message


def _write_publish_request(message: pb.PublishRequest, value: PublishRequest) -> None:
    if value.header is not UNSET:
        message.header.SetInParent()  # one without a field is there all the same
        _write_request_header(message.header, value.header)
    if value.topic is not UNSET:
        message.topic = value.topic
    if value.key is not UNSET:
        message.key = value.key
    _set_object(message.payload, value.payload)


def _publish_request_values(message: pb.PublishRequest, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.HasField("header"):
        values["header"] = _request_header_values(message.header, f"{at}/header")
    if message.topic:
        values["topic"] = message.topic
    if message.key:
        values["key"] = message.key
    if message.HasField("payload"):
        values["payload"] = _json_object(message.payload, f"{at}/payload")
    return values


def publish_ack_from_pb(message: pb.PublishAck) -> PublishAck:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of PublishAck refuses."""
    return codec.from_builtins(PublishAck, _publish_ack_values(message, ""))


def publish_ack_to_pb(value: PublishAck) -> pb.PublishAck:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.PublishAck()
    _write_publish_ack(message, value)
    return message


def _write_publish_ack(message: pb.PublishAck, value: PublishAck) -> None:
    message.header.SetInParent()  # one without a field is there all the same
    _write_message_header(message.header, value.header)
    message.topic = value.topic
    message.event_id = value.event_id
    message.sequence = value.sequence
    message.accepted = value.accepted


def _publish_ack_values(message: pb.PublishAck, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.HasField("header"):
        values["header"] = _message_header_values(message.header, f"{at}/header")
    values["topic"] = message.topic
    values["event_id"] = message.event_id
    values["sequence"] = message.sequence
    values["accepted"] = message.accepted
    return values


def subscribe_request_from_pb(message: pb.SubscribeRequest) -> SubscribeRequest:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of SubscribeRequest refuses."""
    return codec.from_builtins(SubscribeRequest, _subscribe_request_values(message, ""))


def subscribe_request_to_pb(value: SubscribeRequest) -> pb.SubscribeRequest:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.SubscribeRequest()
    _write_subscribe_request(message, value)
    return message


def _write_subscribe_request(message: pb.SubscribeRequest, value: SubscribeRequest) -> None:
    if value.header is not UNSET:
        message.header.SetInParent()  # one without a field is there all the same
        _write_request_header(message.header, value.header)
    if value.topic is not UNSET:
        message.topic = value.topic
    if value.consumer_id is not UNSET:
        message.consumer_id = value.consumer_id
    if value.resume_cursor is not UNSET:
        message.resume_cursor = value.resume_cursor
    if value.max_inflight is not UNSET:
        message.max_inflight = value.max_inflight


def _subscribe_request_values(message: pb.SubscribeRequest, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.HasField("header"):
        values["header"] = _request_header_values(message.header, f"{at}/header")
    if message.topic:
        values["topic"] = message.topic
    if message.consumer_id:
        values["consumer_id"] = message.consumer_id
    if message.resume_cursor:
        values["resume_cursor"] = message.resume_cursor
    if message.max_inflight:
        values["max_inflight"] = message.max_inflight
    return values


def event_message_from_pb(message: pb.EventMessage) -> EventMessage:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of EventMessage refuses."""
    return codec.from_builtins(EventMessage, _event_message_values(message, ""))


def event_message_to_pb(value: EventMessage) -> pb.EventMessage:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.EventMessage()
    _write_event_message(message, value)
    return message


def _write_event_message(message: pb.EventMessage, value: EventMessage) -> None:
    message.header.SetInParent()  # one without a field is there all the same
    _write_message_header(message.header, value.header)
    message.topic = value.topic
    message.event_id = value.event_id
    message.sequence = value.sequence
    _set_object(message.payload, value.payload)
    _set_timestamp(message.published_at, value.published_at)
    message.replay = value.replay


def _event_message_values(message: pb.EventMessage, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.HasField("header"):
        values["header"] = _message_header_values(message.header, f"{at}/header")
    values["topic"] = message.topic
    values["event_id"] = message.event_id
    values["sequence"] = message.sequence
    if message.HasField("payload"):
        values["payload"] = _json_object(message.payload, f"{at}/payload")
    if message.HasField("published_at"):
        values["published_at"] = _instant(message.published_at, f"{at}/published_at")
    values["replay"] = message.replay
    return values


def cancel_request_from_pb(message: pb.CancelRequest) -> CancelRequest:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of CancelRequest refuses."""
    return codec.from_builtins(CancelRequest, _cancel_request_values(message, ""))


def cancel_request_to_pb(value: CancelRequest) -> pb.CancelRequest:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.CancelRequest()
    _write_cancel_request(message, value)
    return message


def _write_cancel_request(message: pb.CancelRequest, value: CancelRequest) -> None:
    if value.header is not UNSET:
        message.header.SetInParent()  # one without a field is there all the same
        _write_request_header(message.header, value.header)
    if value.target_message_id is not UNSET:
        message.target_message_id = value.target_message_id
    if value.reason is not UNSET:
        message.reason = value.reason


def _cancel_request_values(message: pb.CancelRequest, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.HasField("header"):
        values["header"] = _request_header_values(message.header, f"{at}/header")
    if message.target_message_id:
        values["target_message_id"] = message.target_message_id
    if message.reason:
        values["reason"] = message.reason
    return values


def cancel_ack_from_pb(message: pb.CancelAck) -> CancelAck:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of CancelAck refuses."""
    return codec.from_builtins(CancelAck, _cancel_ack_values(message, ""))


def cancel_ack_to_pb(value: CancelAck) -> pb.CancelAck:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.CancelAck()
    _write_cancel_ack(message, value)
    return message


def _write_cancel_ack(message: pb.CancelAck, value: CancelAck) -> None:
    message.header.SetInParent()  # one without a field is there all the same
    _write_message_header(message.header, value.header)
    message.target_message_id = value.target_message_id
    message.accepted = value.accepted
    message.status = value.status.value


def _cancel_ack_values(message: pb.CancelAck, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.HasField("header"):
        values["header"] = _message_header_values(message.header, f"{at}/header")
    values["target_message_id"] = message.target_message_id
    values["accepted"] = message.accepted
    values["status"] = message.status
    return values


def heartbeat_request_from_pb(message: pb.HeartbeatRequest) -> HeartbeatRequest:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of HeartbeatRequest refuses."""
    return codec.from_builtins(HeartbeatRequest, _heartbeat_request_values(message, ""))


def heartbeat_request_to_pb(value: HeartbeatRequest) -> pb.HeartbeatRequest:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.HeartbeatRequest()
    _write_heartbeat_request(message, value)
    return message


def _write_heartbeat_request(message: pb.HeartbeatRequest, value: HeartbeatRequest) -> None:
    if value.header is not UNSET:
        message.header.SetInParent()  # one without a field is there all the same
        _write_request_header(message.header, value.header)
    if value.interval_ms is not UNSET:
        message.interval_ms = value.interval_ms


def _heartbeat_request_values(message: pb.HeartbeatRequest, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.HasField("header"):
        values["header"] = _request_header_values(message.header, f"{at}/header")
    if message.interval_ms:
        values["interval_ms"] = message.interval_ms
    return values


def heartbeat_ack_from_pb(message: pb.HeartbeatAck) -> HeartbeatAck:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of HeartbeatAck refuses."""
    return codec.from_builtins(HeartbeatAck, _heartbeat_ack_values(message, ""))


def heartbeat_ack_to_pb(value: HeartbeatAck) -> pb.HeartbeatAck:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.HeartbeatAck()
    _write_heartbeat_ack(message, value)
    return message


def _write_heartbeat_ack(message: pb.HeartbeatAck, value: HeartbeatAck) -> None:
    message.header.SetInParent()  # one without a field is there all the same
    _write_message_header(message.header, value.header)
    message.suggested_interval_ms = value.suggested_interval_ms
    message.load_factor = value.load_factor


def _heartbeat_ack_values(message: pb.HeartbeatAck, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.HasField("header"):
        values["header"] = _message_header_values(message.header, f"{at}/header")
    values["suggested_interval_ms"] = message.suggested_interval_ms
    values["load_factor"] = message.load_factor
    return values


def mig_error_from_pb(message: pb.MigError) -> MigError:
    """Raises MigFault MIG_INVALID_REQUEST for whatever the schema of MigError refuses."""
    return codec.from_builtins(MigError, _mig_error_values(message, ""))


def mig_error_to_pb(value: MigError) -> pb.MigError:
    """Raises ValueError for what protobuf cannot hold, such as a number out of its field's range."""
    message = pb.MigError()
    _write_mig_error(message, value)
    return message


def _write_mig_error(message: pb.MigError, value: MigError) -> None:
    message.code = _MIG_ERROR_CODE_NUMBERS[value.code]
    message.message = value.message
    message.retryable = value.retryable
    if value.details is not UNSET:
        _set_object(message.details, value.details)


def _mig_error_values(message: pb.MigError, at: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if message.code:
        values["code"] = _named(_MIG_ERROR_CODE_NAMES, message.code, f"{at}/code")
    values["message"] = message.message
    values["retryable"] = message.retryable
    if message.HasField("details"):
        values["details"] = _json_object(message.details, f"{at}/details")
    return values


def _named(names: Mapping[int, str], number: int, at: str) -> str:
    name = names.get(number)
    if name is None:
        why = f"{number} is no value of this enum"
        raise codec.refusal(f"the message is not valid: {why} at {at}", at, why)
    return name


def _instant(timestamp: Timestamp, at: str) -> datetime:
    try:
        return _EPOCH + timedelta(0, timestamp.seconds, timestamp.nanos // 1000)
    except OverflowError:
        why = "expected a time between the years 1 and 9999"
        raise codec.refusal(f"the message is not valid: {why} at {at}", at, why) from None


def _set_timestamp(timestamp: Timestamp, instant: datetime) -> None:
    since = instant - _EPOCH
    timestamp.seconds = since.days * 86400 + since.seconds
    timestamp.nanos = since.microseconds * 1000


def _json_object(struct: Struct, at: str) -> dict[str, Any]:
    fields = struct.fields  # whose items() runs in Python, and iteration in C
    return {key: _json_value(fields[key], at) for key in fields}


def _json_value(value: Value, at: str) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":  # most are
        return value.string_value
    match kind:
        case "number_value":
            return _json_number(value.number_value, at)
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return _json_object(value.struct_value, at)
        case "list_value":
            return [_json_value(item, at) for item in value.list_value.values]
        case _:
            return None


def _json_number(number: float, at: str) -> int | float:
    if not math.isfinite(number):
        why = "JSON has no NaN and no infinity"
        raise codec.refusal(f"the message is not valid: {why} at {at}", at, why)
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


def _set_object(struct: Struct, value: Mapping[str, Any]) -> None:
    struct.SetInParent()  # an empty object is there all the same
    fields = struct.fields
    for key, item in value.items():
        if type(item) is str:  # most are
            fields[key].string_value = item
        else:
            _set_value(fields[key], item)


def _set_value(target: Value, value: Any) -> None:
    if value is None:
        target.null_value = NULL_VALUE
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, int | float):
        if not math.isfinite(value):
            raise ValueError(f"JSON has no {value}")
        target.number_value = value
    elif isinstance(value, Mapping):
        _set_object(target.struct_value, value)
    elif isinstance(value, list | tuple):
        _set_list(target.list_value, value)
    else:
        raise ValueError(f"{type(value).__name__} is no JSON value")


def _set_list(target: ListValue, items: Sequence[Any]) -> None:
    target.SetInParent()
    for item in items:
        _set_value(target.values.add(), item)
