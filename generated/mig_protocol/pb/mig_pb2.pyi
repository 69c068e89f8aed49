import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BindingType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BINDING_TYPE_UNSPECIFIED: _ClassVar[BindingType]
    BINDING_TYPE_GRPC: _ClassVar[BindingType]
    BINDING_TYPE_NATS: _ClassVar[BindingType]
    BINDING_TYPE_HTTP: _ClassVar[BindingType]

class InvocationMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INVOCATION_MODE_UNSPECIFIED: _ClassVar[InvocationMode]
    INVOCATION_MODE_UNARY: _ClassVar[InvocationMode]
    INVOCATION_MODE_SERVER_STREAM: _ClassVar[InvocationMode]
    INVOCATION_MODE_CLIENT_STREAM: _ClassVar[InvocationMode]
    INVOCATION_MODE_BIDI_STREAM: _ClassVar[InvocationMode]

class StreamPreference(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STREAM_PREFERENCE_UNSPECIFIED: _ClassVar[StreamPreference]
    STREAM_PREFERENCE_UNARY: _ClassVar[StreamPreference]
    STREAM_PREFERENCE_SERVER_STREAM: _ClassVar[StreamPreference]
    STREAM_PREFERENCE_BIDI_STREAM: _ClassVar[StreamPreference]

class DeliverySemantics(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_SEMANTICS_UNSPECIFIED: _ClassVar[DeliverySemantics]
    DELIVERY_SEMANTICS_BEST_EFFORT: _ClassVar[DeliverySemantics]
    DELIVERY_SEMANTICS_AT_LEAST_ONCE: _ClassVar[DeliverySemantics]
    DELIVERY_SEMANTICS_EXACTLY_ONCE: _ClassVar[DeliverySemantics]

class FrameKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FRAME_KIND_UNSPECIFIED: _ClassVar[FrameKind]
    FRAME_KIND_REQUEST: _ClassVar[FrameKind]
    FRAME_KIND_RESPONSE: _ClassVar[FrameKind]
    FRAME_KIND_EVENT: _ClassVar[FrameKind]
    FRAME_KIND_CONTROL: _ClassVar[FrameKind]
    FRAME_KIND_ERROR: _ClassVar[FrameKind]

class MigErrorCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MIG_ERROR_CODE_UNSPECIFIED: _ClassVar[MigErrorCode]
    MIG_INVALID_REQUEST: _ClassVar[MigErrorCode]
    MIG_UNAUTHORIZED: _ClassVar[MigErrorCode]
    MIG_FORBIDDEN: _ClassVar[MigErrorCode]
    MIG_NOT_FOUND: _ClassVar[MigErrorCode]
    MIG_UNSUPPORTED_CAPABILITY: _ClassVar[MigErrorCode]
    MIG_VERSION_MISMATCH: _ClassVar[MigErrorCode]
    MIG_TIMEOUT: _ClassVar[MigErrorCode]
    MIG_RATE_LIMITED: _ClassVar[MigErrorCode]
    MIG_BACKPRESSURE: _ClassVar[MigErrorCode]
    MIG_UNAVAILABLE: _ClassVar[MigErrorCode]
    MIG_INTERNAL: _ClassVar[MigErrorCode]

BINDING_TYPE_UNSPECIFIED: BindingType
BINDING_TYPE_GRPC: BindingType
BINDING_TYPE_NATS: BindingType
BINDING_TYPE_HTTP: BindingType
INVOCATION_MODE_UNSPECIFIED: InvocationMode
INVOCATION_MODE_UNARY: InvocationMode
INVOCATION_MODE_SERVER_STREAM: InvocationMode
INVOCATION_MODE_CLIENT_STREAM: InvocationMode
INVOCATION_MODE_BIDI_STREAM: InvocationMode
STREAM_PREFERENCE_UNSPECIFIED: StreamPreference
STREAM_PREFERENCE_UNARY: StreamPreference
STREAM_PREFERENCE_SERVER_STREAM: StreamPreference
STREAM_PREFERENCE_BIDI_STREAM: StreamPreference
DELIVERY_SEMANTICS_UNSPECIFIED: DeliverySemantics
DELIVERY_SEMANTICS_BEST_EFFORT: DeliverySemantics
DELIVERY_SEMANTICS_AT_LEAST_ONCE: DeliverySemantics
DELIVERY_SEMANTICS_EXACTLY_ONCE: DeliverySemantics
FRAME_KIND_UNSPECIFIED: FrameKind
FRAME_KIND_REQUEST: FrameKind
FRAME_KIND_RESPONSE: FrameKind
FRAME_KIND_EVENT: FrameKind
FRAME_KIND_CONTROL: FrameKind
FRAME_KIND_ERROR: FrameKind
MIG_ERROR_CODE_UNSPECIFIED: MigErrorCode
MIG_INVALID_REQUEST: MigErrorCode
MIG_UNAUTHORIZED: MigErrorCode
MIG_FORBIDDEN: MigErrorCode
MIG_NOT_FOUND: MigErrorCode
MIG_UNSUPPORTED_CAPABILITY: MigErrorCode
MIG_VERSION_MISMATCH: MigErrorCode
MIG_TIMEOUT: MigErrorCode
MIG_RATE_LIMITED: MigErrorCode
MIG_BACKPRESSURE: MigErrorCode
MIG_UNAVAILABLE: MigErrorCode
MIG_INTERNAL: MigErrorCode

class MessageHeader(_message.Message):
    __slots__ = (
        "mig_version",
        "message_id",
        "timestamp",
        "tenant_id",
        "session_id",
        "traceparent",
        "idempotency_key",
        "deadline_ms",
        "meta",
    )
    MIG_VERSION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    TENANT_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    META_FIELD_NUMBER: _ClassVar[int]
    mig_version: str
    message_id: str
    timestamp: _timestamp_pb2.Timestamp
    tenant_id: str
    session_id: str
    traceparent: str
    idempotency_key: str
    deadline_ms: int
    meta: _struct_pb2.Struct
    def __init__(
        self,
        mig_version: _Optional[str] = ...,
        message_id: _Optional[str] = ...,
        timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...,
        tenant_id: _Optional[str] = ...,
        session_id: _Optional[str] = ...,
        traceparent: _Optional[str] = ...,
        idempotency_key: _Optional[str] = ...,
        deadline_ms: _Optional[int] = ...,
        meta: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...,
    ) -> None: ...

class HelloRequest(_message.Message):
    __slots__ = ("header", "supported_versions", "requested_bindings", "requested_features")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SUPPORTED_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BINDINGS_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_FEATURES_FIELD_NUMBER: _ClassVar[int]
    header: MessageHeader
    supported_versions: _containers.RepeatedScalarFieldContainer[str]
    requested_bindings: _containers.RepeatedScalarFieldContainer[BindingType]
    requested_features: _containers.RepeatedScalarFieldContainer[str]
    def __init__(
        self,
        header: _Optional[_Union[MessageHeader, _Mapping]] = ...,
        supported_versions: _Optional[_Iterable[str]] = ...,
        requested_bindings: _Optional[_Iterable[_Union[BindingType, str]]] = ...,
        requested_features: _Optional[_Iterable[str]] = ...,
    ) -> None: ...

class HelloResponse(_message.Message):
    __slots__ = ("header", "selected_version", "selected_binding", "enabled_features", "server_id")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SELECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    SELECTED_BINDING_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FEATURES_FIELD_NUMBER: _ClassVar[int]
    SERVER_ID_FIELD_NUMBER: _ClassVar[int]
    header: MessageHeader
    selected_version: str
    selected_binding: BindingType
    enabled_features: _containers.RepeatedScalarFieldContainer[str]
    server_id: str
    def __init__(
        self,
        header: _Optional[_Union[MessageHeader, _Mapping]] = ...,
        selected_version: _Optional[str] = ...,
        selected_binding: _Optional[_Union[BindingType, str]] = ...,
        enabled_features: _Optional[_Iterable[str]] = ...,
        server_id: _Optional[str] = ...,
    ) -> None: ...

class DiscoverRequest(_message.Message):
    __slots__ = ("header", "query", "include_schema_refs", "include_qos")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_SCHEMA_REFS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_QOS_FIELD_NUMBER: _ClassVar[int]
    header: MessageHeader
    query: str
    include_schema_refs: bool
    include_qos: bool
    def __init__(
        self,
        header: _Optional[_Union[MessageHeader, _Mapping]] = ...,
        query: _Optional[str] = ...,
        include_schema_refs: _Optional[bool] = ...,
        include_qos: _Optional[bool] = ...,
    ) -> None: ...

class DiscoverResponse(_message.Message):
    __slots__ = ("header", "capabilities")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    header: MessageHeader
    capabilities: _containers.RepeatedCompositeFieldContainer[CapabilityDescriptor]
    def __init__(
        self,
        header: _Optional[_Union[MessageHeader, _Mapping]] = ...,
        capabilities: _Optional[_Iterable[_Union[CapabilityDescriptor, _Mapping]]] = ...,
    ) -> None: ...

class CapabilityDescriptor(_message.Message):
    __slots__ = (
        "id",
        "version",
        "modes",
        "input_schema_uri",
        "output_schema_uri",
        "event_topics",
        "auth_scopes",
        "qos",
    )
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MODES_FIELD_NUMBER: _ClassVar[int]
    INPUT_SCHEMA_URI_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_SCHEMA_URI_FIELD_NUMBER: _ClassVar[int]
    EVENT_TOPICS_FIELD_NUMBER: _ClassVar[int]
    AUTH_SCOPES_FIELD_NUMBER: _ClassVar[int]
    QOS_FIELD_NUMBER: _ClassVar[int]
    id: str
    version: str
    modes: _containers.RepeatedScalarFieldContainer[InvocationMode]
    input_schema_uri: str
    output_schema_uri: str
    event_topics: _containers.RepeatedScalarFieldContainer[str]
    auth_scopes: _containers.RepeatedScalarFieldContainer[str]
    qos: QoSProfile
    def __init__(
        self,
        id: _Optional[str] = ...,
        version: _Optional[str] = ...,
        modes: _Optional[_Iterable[_Union[InvocationMode, str]]] = ...,
        input_schema_uri: _Optional[str] = ...,
        output_schema_uri: _Optional[str] = ...,
        event_topics: _Optional[_Iterable[str]] = ...,
        auth_scopes: _Optional[_Iterable[str]] = ...,
        qos: _Optional[_Union[QoSProfile, _Mapping]] = ...,
    ) -> None: ...

class QoSProfile(_message.Message):
    __slots__ = ("max_payload_bytes", "supports_replay", "delivery_semantics", "supports_ordering")
    MAX_PAYLOAD_BYTES_FIELD_NUMBER: _ClassVar[int]
    SUPPORTS_REPLAY_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_SEMANTICS_FIELD_NUMBER: _ClassVar[int]
    SUPPORTS_ORDERING_FIELD_NUMBER: _ClassVar[int]
    max_payload_bytes: int
    supports_replay: bool
    delivery_semantics: DeliverySemantics
    supports_ordering: bool
    def __init__(
        self,
        max_payload_bytes: _Optional[int] = ...,
        supports_replay: _Optional[bool] = ...,
        delivery_semantics: _Optional[_Union[DeliverySemantics, str]] = ...,
        supports_ordering: _Optional[bool] = ...,
    ) -> None: ...

class InvokeRequest(_message.Message):
    __slots__ = ("header", "capability", "payload", "stream_preference")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CAPABILITY_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    STREAM_PREFERENCE_FIELD_NUMBER: _ClassVar[int]
    header: MessageHeader
    capability: str
    payload: _struct_pb2.Struct
    stream_preference: StreamPreference
    def __init__(
        self,
        header: _Optional[_Union[MessageHeader, _Mapping]] = ...,
        capability: _Optional[str] = ...,
        payload: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...,
        stream_preference: _Optional[_Union[StreamPreference, str]] = ...,
    ) -> None: ...

class InvokeResponse(_message.Message):
    __slots__ = ("header", "capability", "payload", "result_schema_uri")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CAPABILITY_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    RESULT_SCHEMA_URI_FIELD_NUMBER: _ClassVar[int]
    header: MessageHeader
    capability: str
    payload: _struct_pb2.Struct
    result_schema_uri: str
    def __init__(
        self,
        header: _Optional[_Union[MessageHeader, _Mapping]] = ...,
        capability: _Optional[str] = ...,
        payload: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...,
        result_schema_uri: _Optional[str] = ...,
    ) -> None: ...

class StreamFrame(_message.Message):
    __slots__ = ("header", "stream_id", "capability", "kind", "payload", "end_stream", "error")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    CAPABILITY_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    END_STREAM_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    header: MessageHeader
    stream_id: str
    capability: str
    kind: FrameKind
    payload: _struct_pb2.Struct
    end_stream: bool
    error: MigError
    def __init__(
        self,
        header: _Optional[_Union[MessageHeader, _Mapping]] = ...,
        stream_id: _Optional[str] = ...,
        capability: _Optional[str] = ...,
        kind: _Optional[_Union[FrameKind, str]] = ...,
        payload: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...,
        end_stream: _Optional[bool] = ...,
        error: _Optional[_Union[MigError, _Mapping]] = ...,
    ) -> None: ...

class PublishRequest(_message.Message):
    __slots__ = ("header", "topic", "key", "payload")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    header: MessageHeader
    topic: str
    key: str
    payload: _struct_pb2.Struct
    def __init__(
        self,
        header: _Optional[_Union[MessageHeader, _Mapping]] = ...,
        topic: _Optional[str] = ...,
        key: _Optional[str] = ...,
        payload: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...,
    ) -> None: ...

class PublishAck(_message.Message):
    __slots__ = ("header", "topic", "event_id", "sequence", "accepted")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    header: MessageHeader
    topic: str
    event_id: str
    sequence: int
    accepted: bool
    def __init__(
        self,
        header: _Optional[_Union[MessageHeader, _Mapping]] = ...,
        topic: _Optional[str] = ...,
        event_id: _Optional[str] = ...,
        sequence: _Optional[int] = ...,
        accepted: _Optional[bool] = ...,
    ) -> None: ...

class SubscribeRequest(_message.Message):
    __slots__ = ("header", "topic", "consumer_id", "resume_cursor", "max_inflight")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    CONSUMER_ID_FIELD_NUMBER: _ClassVar[int]
    RESUME_CURSOR_FIELD_NUMBER: _ClassVar[int]
    MAX_INFLIGHT_FIELD_NUMBER: _ClassVar[int]
    header: MessageHeader
    topic: str
    consumer_id: str
    resume_cursor: str
    max_inflight: int
    def __init__(
        self,
        header: _Optional[_Union[MessageHeader, _Mapping]] = ...,
        topic: _Optional[str] = ...,
        consumer_id: _Optional[str] = ...,
        resume_cursor: _Optional[str] = ...,
        max_inflight: _Optional[int] = ...,
    ) -> None: ...

class EventMessage(_message.Message):
    __slots__ = ("header", "topic", "event_id", "sequence", "payload", "published_at", "replay")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_AT_FIELD_NUMBER: _ClassVar[int]
    REPLAY_FIELD_NUMBER: _ClassVar[int]
    header: MessageHeader
    topic: str
    event_id: str
    sequence: int
    payload: _struct_pb2.Struct
    published_at: _timestamp_pb2.Timestamp
    replay: bool
    def __init__(
        self,
        header: _Optional[_Union[MessageHeader, _Mapping]] = ...,
        topic: _Optional[str] = ...,
        event_id: _Optional[str] = ...,
        sequence: _Optional[int] = ...,
        payload: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...,
        published_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...,
        replay: _Optional[bool] = ...,
    ) -> None: ...

class CancelRequest(_message.Message):
    __slots__ = ("header", "target_message_id", "reason")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    TARGET_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    header: MessageHeader
    target_message_id: str
    reason: str
    def __init__(
        self,
        header: _Optional[_Union[MessageHeader, _Mapping]] = ...,
        target_message_id: _Optional[str] = ...,
        reason: _Optional[str] = ...,
    ) -> None: ...

class CancelAck(_message.Message):
    __slots__ = ("header", "target_message_id", "accepted", "status")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    TARGET_MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    header: MessageHeader
    target_message_id: str
    accepted: bool
    status: str
    def __init__(
        self,
        header: _Optional[_Union[MessageHeader, _Mapping]] = ...,
        target_message_id: _Optional[str] = ...,
        accepted: _Optional[bool] = ...,
        status: _Optional[str] = ...,
    ) -> None: ...

class HeartbeatRequest(_message.Message):
    __slots__ = ("header", "interval_ms")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    header: MessageHeader
    interval_ms: int
    def __init__(
        self, header: _Optional[_Union[MessageHeader, _Mapping]] = ..., interval_ms: _Optional[int] = ...
    ) -> None: ...

class HeartbeatAck(_message.Message):
    __slots__ = ("header", "suggested_interval_ms", "load_factor")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SUGGESTED_INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    LOAD_FACTOR_FIELD_NUMBER: _ClassVar[int]
    header: MessageHeader
    suggested_interval_ms: int
    load_factor: float
    def __init__(
        self,
        header: _Optional[_Union[MessageHeader, _Mapping]] = ...,
        suggested_interval_ms: _Optional[int] = ...,
        load_factor: _Optional[float] = ...,
    ) -> None: ...

class MigError(_message.Message):
    __slots__ = ("code", "message", "retryable", "details")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    code: MigErrorCode
    message: str
    retryable: bool
    details: _struct_pb2.Struct
    def __init__(
        self,
        code: _Optional[_Union[MigErrorCode, str]] = ...,
        message: _Optional[str] = ...,
        retryable: _Optional[bool] = ...,
        details: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...,
    ) -> None: ...
