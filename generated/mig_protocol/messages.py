# Generated from spec/ by `make generate`. Do not edit: change the spec or codegen/ and generate again.

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType, field

Timestamp: TypeAlias = Annotated[datetime, Meta(tz=True)]
"""A point in time with its offset. RFC 3339 text on the wire."""


class AuditFormat(StrEnum):
    """How an export of the audit trail is written: as one JSON object, or as one line of JSON for each
    record.
    """

    json = "json"
    jsonl = "jsonl"


class AuditHead(Struct, kw_only=True):
    """The end of an audit trail at one moment. Kept elsewhere, it shows later whether the trail was cut off
    or written anew.

    sequence: That of the last record; 0 while there is none.
    hash: SHA-256, in lower-case hexadecimal, of the last record's line without its newline; 64 zeros
        while there is none.
    """

    sequence: Annotated[int, Meta(ge=0, le=9007199254740991)]
    hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}\\Z")]


class BindingType(StrEnum):
    """A transport over which MIG is spoken. http includes Server-Sent Events and the WebSocket."""

    grpc = "grpc"
    nats = "nats"
    http = "http"


class CancelStatus(StrEnum):
    """What CANCEL found. cancelled: the work was running and is stopped. pending: no such message has been
    seen yet, and it is refused if it arrives within the server's window. completed: too late, the work is
    over.
    """

    cancelled = "cancelled"
    pending = "pending"
    completed = "completed"


CapabilityId: TypeAlias = Annotated[
    str, Meta(max_length=255, pattern="^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*\\Z")
]
"""The id of a capability: tokens of letters, digits, underscores and hyphens, separated by single dots,
at most 255 characters in all. Compared byte for byte. A server MUST refuse anything else with
MIG_INVALID_REQUEST [MIG-MSG-016]; one that is well formed and unknown is MIG_UNSUPPORTED_CAPABILITY."""


class ConformanceHealth(Struct, kw_only=True):
    """Which conformance profiles are served now. One is true only while everything that it needs is in
    service, whatever the server was built for.

    core: HELLO, DISCOVER, unary INVOKE and errors.
    streaming: core, streamed invocations and CANCEL.
    evented: core, PUBLISH and SUBSCRIBE, replay where a capability declares it.
    full: All of it, with telemetry: trace context, metrics, audit and HEARTBEAT.
    """

    core: bool
    streaming: bool
    evented: bool
    full: bool


class ConnectionKind(StrEnum):
    """What a long-lived connection is for. sse_subscribe (http): a SUBSCRIBE over Server-Sent Events.
    ws_stream (http): a WebSocket of invocation streams. stream_invoke (grpc): a StreamInvoke call.
    event_subscribe (grpc): a Subscribe call.
    """

    sse_subscribe = "sse_subscribe"
    ws_stream = "ws_stream"
    stream_invoke = "stream_invoke"
    event_subscribe = "event_subscribe"


class ConnectionProtocol(StrEnum):
    """The transport of a long-lived connection."""

    http = "http"
    grpc = "grpc"
    nats = "nats"


class ConnectionSummary(Struct, kw_only=True):
    """The listed connections, counted. A value with no connection is left out of its map.

    total: How many connections are listed.
    by_protocol: How many of each protocol, by its name.
    by_kind: How many of each kind, by its name.
    by_tenant: How many of each tenant, by its id.
    nats_binding_active: Whether the gateway is connected to NATS and serves requests from there. NATS
        callers hold no connection of their own to the gateway and are not counted.
    """

    total: Annotated[int, Meta(ge=0, le=9007199254740991)]
    by_protocol: dict[str, Annotated[int, Meta(ge=0, le=9007199254740991)]]
    by_kind: dict[str, Annotated[int, Meta(ge=0, le=9007199254740991)]]
    by_tenant: dict[str, Annotated[int, Meta(ge=0, le=9007199254740991)]]
    nats_binding_active: bool


Cursor: TypeAlias = Annotated[str, Meta(pattern="^(0|[1-9][0-9]{0,15})\\Z")]
"""A position in a topic's log: the sequence of the last event that was seen, as a decimal number of at
most 16 digits without sign or leading zeros. 0 is before the first event; a position past the end of
the log has nothing to resume, and live events follow. A server MUST refuse anything else with
MIG_INVALID_REQUEST [MIG-SUB-006]."""


class DeliverySemantics(StrEnum):
    """What a capability promises about the delivery of its events. best_effort: an event may be lost.
    at_least_once: none is lost, one may come twice. exactly_once: each comes once.
    """

    best_effort = "best_effort"
    at_least_once = "at_least_once"
    exactly_once = "exactly_once"


class FrameKind(StrEnum):
    """What a stream frame carries. request: input, from the client. response: a piece of the answer, from
    the server. event: an event of a topic; not sent on invocation streams in v0.1. control: an action
    such as cancel, or the answer to one. error: a failure.
    """

    request = "request"
    response = "response"
    event = "event"
    control = "control"
    error = "error"


class GapNotice(Struct, kw_only=True):
    """Tells a subscriber which events it can not be given: retention had removed them before they were read.
    Events are never skipped without one. Delivery goes on with the event after to_sequence.

    from_sequence: The first sequence that is missing.
    to_sequence: The last sequence that is missing; not less than from_sequence.
    """

    from_sequence: Annotated[int, Meta(ge=1, le=9007199254740991)]
    to_sequence: Annotated[int, Meta(ge=1, le=9007199254740991)]


class HealthState(StrEnum):
    """ok: the server answers and can take work. unavailable: it can not take work now."""

    ok = "ok"
    unavailable = "unavailable"


class HealthStatus(Struct, kw_only=True):
    """Whether the server can take work.

    reasons: Why not, one line each; empty when the status is ok.
    """

    status: HealthState
    reasons: list[str]


class InvocationMode(StrEnum):
    """How many messages flow in each direction during one invocation. unary: one input, one answer.
    server_stream: one input, several answer frames. client_stream: several inputs, one answer.
    bidi_stream: several of both.
    """

    unary = "unary"
    server_stream = "server_stream"
    client_stream = "client_stream"
    bidi_stream = "bidi_stream"


JsonObject: TypeAlias = dict[str, Any]
"""Any JSON object; its keys and values are the application's own. Numbers are IEEE 754 doubles wherever
the message passes through protobuf, so an integer beyond 2^53 is not sure to arrive exactly. A server
may refuse objects that nest deeper than it can handle (not less than 32 levels) as invalid."""


MessageId: TypeAlias = Annotated[str, Meta(pattern="^[!-)+-.0-=?-~]{1,128}\\Z")]
"""1 to 128 visible ASCII characters (codes 33 to 126), none of them slash, asterisk or greater-than, so
that the value can stand in a URL path, an HTTP header field and a NATS subject. Compared byte for
byte. A server MUST refuse anything else with MIG_INVALID_REQUEST [MIG-MSG-015]."""


class MigErrorCode(StrEnum):
    """Every way in which MIG refuses or fails. spec/registry/errors.yaml says what each code means, whether
    it may be retried, and its status on every binding.
    """

    MIG_INVALID_REQUEST = "MIG_INVALID_REQUEST"
    MIG_UNAUTHORIZED = "MIG_UNAUTHORIZED"
    MIG_FORBIDDEN = "MIG_FORBIDDEN"
    MIG_NOT_FOUND = "MIG_NOT_FOUND"
    MIG_UNSUPPORTED_CAPABILITY = "MIG_UNSUPPORTED_CAPABILITY"
    MIG_VERSION_MISMATCH = "MIG_VERSION_MISMATCH"
    MIG_TIMEOUT = "MIG_TIMEOUT"
    MIG_RATE_LIMITED = "MIG_RATE_LIMITED"
    MIG_BACKPRESSURE = "MIG_BACKPRESSURE"
    MIG_UNAVAILABLE = "MIG_UNAVAILABLE"
    MIG_INTERNAL = "MIG_INTERNAL"


class PolicyDecision(Struct, kw_only=True):
    """Whether the action is allowed, and why.

    allowed: Whether the tenant may do it now.
    reason: One line for people: the rule that decided.
    rule: The id of the rule that decided, for programs. A refusal of a real call by the same rule has it
        in error.details.rule.
    """

    allowed: bool
    reason: str
    rule: str | UnsetType = UNSET


class QoSProfile(Struct, kw_only=True):
    """The limits and promises of a capability. An absent delivery_semantics means best_effort.

    max_payload_bytes: The largest payload of an INVOKE, in bytes of its JSON text in UTF-8 without
        insignificant white space. At least 1. A larger one is MIG_INVALID_REQUEST [MIG-INV-004].
    supports_replay: Whether its events can be read again from a cursor.
    supports_ordering: Whether its events come in the order of their sequence.
    """

    max_payload_bytes: Annotated[int, Meta(ge=1, le=9007199254740991)] = 1048576
    supports_replay: bool = False
    delivery_semantics: DeliverySemantics | UnsetType = UNSET
    supports_ordering: bool = False


SchemaUri: TypeAlias = Annotated[str, Meta(max_length=512, pattern="^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+\\Z")]
"""The URI that names a JSON Schema, for example schema://observatory/models/infer-input/v1: a scheme, a
colon and at least one more visible ASCII character, at most 512 characters in all. It is an
identifier; nobody fetches it."""


StreamId: TypeAlias = Annotated[str, Meta(pattern="^[!-)+-.0-=?-~]{1,140}\\Z")]
"""The name of a stream: 1 to 140 characters of the alphabet of a message id, long enough for "stream-"
followed by one. It names one stream of its connection (of its tenant, over NATS) at a time, and is
free again after the terminal frame."""


class StreamPreference(StrEnum):
    """How the caller of INVOKE would like the answer: one message (unary) or frames (server_stream,
    bidi_stream). A binding that can answer a request in one way only does so, whatever was preferred.
    """

    unary = "unary"
    server_stream = "server_stream"
    bidi_stream = "bidi_stream"


TenantId: TypeAlias = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}\\Z")]
"""The id of a tenant, the unit of isolation: 1 to 64 letters, digits, underscores and hyphens. It is
exactly one token of a NATS subject and can therefore be neither empty, nor dotted, nor a wildcard.
Compared byte for byte. A server MUST refuse anything else with MIG_INVALID_REQUEST [MIG-MSG-014].
Answers use the word "unknown" where no tenant is involved."""


Topic: TypeAlias = Annotated[str, Meta(max_length=255, pattern="^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)+\\Z")]
"""A namespaced topic: at least two tokens of letters, digits, underscores and hyphens, separated by
single dots, at most 255 characters in all. Compared byte for byte; each tenant has its own log for
it. A server MUST refuse anything else, wildcards included, with MIG_INVALID_REQUEST [MIG-MSG-017]."""


Traceparent: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\\Z")]
"""A traceparent as W3C Trace Context writes it: version, trace id, parent id and flags in lower-case
hexadecimal, for example 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01. One of another form
is an invalid message, not an absent field."""


class UsageReport(Struct, kw_only=True):
    """How many invocations have run, whatever came of them; those refused before they ran are not counted.
    Answers given again for an idempotency key are not counted.

    tenant_invocations: By tenant id.
    capability_invocations: By capability id.
    total_invocations: In all: the sum of either map.
    """

    tenant_invocations: dict[str, Annotated[int, Meta(ge=0, le=9007199254740991)]]
    capability_invocations: dict[str, Annotated[int, Meta(ge=0, le=9007199254740991)]]
    total_invocations: Annotated[int, Meta(ge=0, le=9007199254740991)]


class AuditQuery(Struct, kw_only=True):
    """Which audit records to export: those for which every given filter holds, in the order of the trail.

    capability: Only records of this capability, as it was given.
    outcome: Only records with this outcome: "success", or an error code.
    actor: Only records of this principal.
    operation: Only records of this operation.
    since: Only records from this moment on: RFC 3339.
    until: Only records from before this moment: RFC 3339.
    after: Only records with a greater sequence.
    limit: At most so many records. Absent, 10000 in one JSON object, and all of them as lines.
    """

    tenant_id: TenantId | UnsetType = UNSET
    capability: Annotated[str, Meta(max_length=255)] | UnsetType = UNSET
    outcome: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
    actor: Annotated[str, Meta(max_length=1024)] | UnsetType = UNSET
    operation: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
    since: Timestamp | UnsetType = UNSET
    until: Timestamp | UnsetType = UNSET
    after: Annotated[int, Meta(ge=0, le=9007199254740991)] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=10000)] | UnsetType = UNSET
    format: AuditFormat | UnsetType = UNSET


class AuditRecord(Struct, kw_only=True):
    """One invocation, or one refusal of an authorization, as the audit trail keeps it. sequence and
    previous_hash chain the records of one trail [MIG-AUD-005]: whoever has the lines as they were written
    can tell that none was changed, removed or moved. A server may add fields.

    actor: The subject of the principal that asked; "anonymous" where callers are not authenticated.
    capability: The capability that was asked for, as it was given; empty where none was, or where the
        refusal came before it was looked at.
    outcome: "success", or the error code.
    timestamp: When the invocation ended, or the refusal was given: RFC 3339, in UTC with "Z".
    binding: What the request came in on: "http", "websocket", "grpc", "nats" or "mcp".
    duration_ms: Milliseconds from arrival to end.
    operation: The operation that was asked for, an id of the protocol's table of operations, such as
        "INVOKE", "PUBLISH" or "REGISTER_CAPABILITY"; "STREAM" for an invocation that was streamed.
    sequence: The record's place in its trail: 1 for the first, without gaps.
    previous_hash: SHA-256, in lower-case hexadecimal, of the bytes of the line before it, without its
        newline; 64 zeros where there is none.
    """

    actor: str
    tenant_id: TenantId
    capability: str
    outcome: Annotated[str, Meta(min_length=1)]
    timestamp: Timestamp
    message_id: MessageId
    binding: str | UnsetType = UNSET
    duration_ms: Annotated[float, Meta(ge=0.0)] | UnsetType = UNSET
    operation: str | UnsetType = UNSET
    sequence: Annotated[int, Meta(ge=1, le=9007199254740991)] | UnsetType = UNSET
    previous_hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}\\Z")] | UnsetType = UNSET


class CapabilityDescriptor(Struct, kw_only=True):
    """What a caller needs to know of a capability: a versioned, schema-described function behind the
    gateway. input_schema_uri names the JSON Schema that payloads of INVOKE are checked against,
    output_schema_uri that of the answers; each is absent where there is no such schema, or where DISCOVER
    was told to leave it out. qos absent in a registration means the defaults of QoSProfile.

    version: The capability's own version, as Semantic Versioning 2.0.0 writes it; at most 64 characters.
    modes: How it can be invoked: at least one mode, each at most once.
    event_topics: The topics that it publishes to, at most 64.
    auth_scopes: The scopes that let a caller see and invoke it, at most 64: any one of them is enough.
        Empty: no scope is needed. Looked at only by servers that authenticate their callers.
    """

    id: CapabilityId
    version: Annotated[
        str,
        Meta(
            max_length=64,
            pattern="^(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)\\.(0|[1-9][0-9]*)(-[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*)?(\\+[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*)?\\Z",
        ),
    ]
    modes: Annotated[list[InvocationMode], Meta(max_length=4, min_length=1)]
    input_schema_uri: SchemaUri | UnsetType = UNSET
    output_schema_uri: SchemaUri | UnsetType = UNSET
    event_topics: Annotated[list[Topic], Meta(max_length=64)] = field(default_factory=list)
    auth_scopes: Annotated[list[Annotated[str, Meta(pattern="^[!-~]{1,128}\\Z")]], Meta(max_length=64)] = (
        field(default_factory=list)
    )
    qos: QoSProfile | UnsetType = UNSET


class CapabilityList(Struct, kw_only=True):
    """Every capability of the gateway, whoever may see it.

    capabilities: Sorted by id in code point order.
    """

    capabilities: list[CapabilityDescriptor]


class CapabilityRegistration(Struct, kw_only=True):
    """Registers a capability, or replaces the descriptor of one that is there."""

    descriptor: CapabilityDescriptor


class ConnectionEntry(Struct, kw_only=True):
    """One long-lived connection. tenant_id is "unknown" while it is not known. meta has what the connection
    is about, such as topic and consumer_id of a subscription.

    id: Names the connection in this gateway as long as it is open.
    actor: The subject of the principal that opened it; "anonymous" where callers are not authenticated.
    remote_addr: Address and port of the peer as address:port; empty where the transport has none.
    started_at: When it was opened: RFC 3339, in UTC with "Z".
    """

    id: Annotated[str, Meta(min_length=1)]
    protocol: ConnectionProtocol
    kind: ConnectionKind
    tenant_id: TenantId
    actor: str
    remote_addr: str
    started_at: Timestamp
    meta: JsonObject


class ConnectionQuery(Struct, kw_only=True):
    """Which long-lived connections to list: those for which every given filter holds."""

    tenant_id: TenantId | UnsetType = UNSET
    protocol: ConnectionProtocol | UnsetType = UNSET
    kind: ConnectionKind | UnsetType = UNSET


class ConnectionSnapshot(Struct, kw_only=True):
    """The long-lived connections that are open at one moment. The filters that were asked for are repeated
    in filter_tenant, filter_kind and filter_protocol; each is absent where none was.

    generated_at: The moment: RFC 3339, in UTC with "Z".
    connections: By started_at, the oldest first.
    """

    generated_at: Timestamp
    summary: ConnectionSummary
    connections: list[ConnectionEntry]
    filter_tenant: TenantId | UnsetType = UNSET
    filter_kind: ConnectionKind | UnsetType = UNSET
    filter_protocol: ConnectionProtocol | UnsetType = UNSET


class GatewayCreation(Struct, kw_only=True):
    """Records a gateway that serves a tenant of the directory. Nothing is started. id absent: the server
    makes one, a UUID; it has the form of a tenant id.

    region: Where the gateway runs, in the operator's own words: 1 to 64 characters.
    """

    tenant_id: TenantId
    region: Annotated[str, Meta(max_length=64, min_length=1)]
    binding: BindingType
    id: TenantId | UnsetType = UNSET


class GatewayRecord(Struct, kw_only=True):
    """A gateway in the directory. id has the form of a tenant id.

    region: Where the gateway runs, in the operator's own words: 1 to 64 characters.
    """

    id: TenantId
    tenant_id: TenantId
    region: Annotated[str, Meta(max_length=64, min_length=1)]
    binding: BindingType


class MessageHeader(Struct, kw_only=True):
    """The header of an answer, a frame from the server, or an event. It MUST be the request's header,
    normalised, with the same message_id, session_id, traceparent, idempotency_key and deadline_ms
    [MIG-HDR-009]. tenant_id is "unknown" where a failure comes before any tenant is known, or a route has
    none. meta has the caller's keys [MIG-HDR-010] and the server's own [MIG-HDR-011]: idg.product_tier
    "core", idg.meter_key "invocations_capability_tier", idg.principal_subject (a string),
    idg.principal_scopes (a sorted list of strings); in the answer to HELLO mig.profiles (a list of
    profile ids); in an answer given again for an idempotency key mig.idempotent_replay true.

    mig_version: The protocol version that the server speaks: "0.1". 1 to 16 characters.
    timestamp: When the server made the message: RFC 3339, in UTC with "Z".
    deadline_ms: The request's deadline_ms in milliseconds, the default filled in.
    """

    mig_version: Annotated[str, Meta(max_length=16, min_length=1)]
    message_id: MessageId
    timestamp: Timestamp
    tenant_id: TenantId
    session_id: MessageId | UnsetType = UNSET
    traceparent: Traceparent | UnsetType = UNSET
    idempotency_key: MessageId | UnsetType = UNSET
    deadline_ms: Annotated[int, Meta(ge=0, le=4294967295)] | UnsetType = UNSET
    meta: JsonObject | UnsetType = UNSET


class MigError(Struct, kw_only=True):
    """Why a request was refused or failed. details has more for programs; its keys depend on the code:
    violations (a list of {pointer, message}, pointer being a JSON Pointer, RFC 6901) where a message or a
    payload is not valid, cancelled true and reason where an invocation was cancelled. It is absent where
    there is nothing to add.

    message: One line that a person can act on. Not for programs: its wording may change. For MIG_INTERNAL
        it tells nothing of the cause.
    retryable: Whether the same request may succeed later. spec/registry/errors.yaml has each code's
        value; a cancelled invocation is MIG_TIMEOUT with false.
    """

    code: MigErrorCode
    message: str
    retryable: bool
    details: JsonObject | UnsetType = UNSET


class Org(Struct, kw_only=True):
    """An organisation, the owner of tenants. id has the form of a tenant id.

    name: The name of the organisation, for people: 1 to 128 characters. Need not be unique.
    """

    id: TenantId
    name: Annotated[str, Meta(max_length=128, min_length=1)]


class OrgCreation(Struct, kw_only=True):
    """Creates an organisation. id absent: the server makes one, a UUID; it has the form of a tenant id.

    name: The name of the organisation, for people: 1 to 128 characters. Need not be unique.
    """

    name: Annotated[str, Meta(max_length=128, min_length=1)]
    id: TenantId | UnsetType = UNSET


class PolicyCheck(Struct, kw_only=True):
    """Asks whether a tenant may do something. `capability` says with what for the actions "invoke" and
    "discover", `topic` for "publish" and "subscribe"; without it nothing is allowed there, and elsewhere
    it is not looked at.

    action: What would be done, 1 to 64 characters: "invoke", "discover", "publish", "subscribe", "hello",
        "cancel", "heartbeat" or "admin". Another action is not an error; no rule allows it.
    scopes: The scopes of the caller that is asked about, at most 256; none at all is an empty list.
        Absent: a caller that has the scopes that it takes. Looked at only by servers that authenticate
        their callers.
    """

    tenant_id: TenantId
    action: Annotated[str, Meta(max_length=64, min_length=1)]
    capability: CapabilityId | UnsetType = UNSET
    topic: Topic | UnsetType = UNSET
    scopes: (
        Annotated[list[Annotated[str, Meta(pattern="^[!-~]{1,320}\\Z")]], Meta(max_length=256)] | UnsetType
    ) = UNSET


class PublishAck(Struct, kw_only=True):
    """What became of a publish. With an idempotency key that was used before, the first ack is given again.

    sequence: The event's place in the log of (tenant, topic): 1 for the first, then growing. 0 where the
        event was not accepted.
    accepted: True: the event is in the log and, where the store is durable, survives a crash of the
        gateway.
    """

    header: MessageHeader
    topic: Topic
    event_id: MessageId
    sequence: Annotated[int, Meta(ge=0, le=9007199254740991)]
    accepted: bool


class Quota(Struct, kw_only=True):
    """How many invocations a tenant may run.

    max_invocations: How many invocations in all, across all capabilities; at least 1. When they are used
        up INVOKE is MIG_RATE_LIMITED.
    """

    tenant_id: TenantId
    max_invocations: Annotated[int, Meta(ge=1, le=9007199254740991)]


class RequestHeader(Struct, kw_only=True):
    """The header of a request. Every field may be absent, and so may the header: the server MUST fill in
    what is missing [MIG-HDR-001], namely mig_version "0.1", a new message_id (a UUID), the time of
    arrival, deadline_ms 30000, and the tenant of the credential or of the transport. message_id names the
    request: CANCEL refers to it and the answer repeats it. A tenant_id that is not the credential's or
    the transport's, where those name one, MUST be refused with MIG_FORBIDDEN [MIG-HDR-016]; a request for
    which no tenant can be found is MIG_INVALID_REQUEST, "tenant_id is required" [MIG-HDR-006]. session_id
    groups messages; it is carried to the provider and back and has no other meaning. traceparent is
    carried in, through and out. idempotency_key makes repetitions of an INVOKE or PUBLISH harmless: the
    first success is given again. meta has further keys of the application's choice, carried to the
    provider and back; those that begin with "idg." are the server's and are overwritten [MIG-HDR-012].

    mig_version: The protocol version that the sender speaks. This is version "0.1"; any other value is
        MIG_VERSION_MISMATCH [MIG-HDR-013], not an invalid message. 1 to 16 characters. Absent from a
        request: "0.1".
    timestamp: When the sender made the message: RFC 3339 with an offset, written in UTC with "Z". For
        information; deadlines do not count from it. Absent: the time of arrival.
    deadline_ms: Milliseconds from the arrival of the request within which all of it has to be done. 0 is
        as if absent: 30000. A server may apply a longest deadline of its own instead of a longer one.
    """

    mig_version: Annotated[str, Meta(max_length=16, min_length=1)] | UnsetType = UNSET
    message_id: MessageId | UnsetType = UNSET
    timestamp: Timestamp | UnsetType = UNSET
    tenant_id: TenantId | UnsetType = UNSET
    session_id: MessageId | UnsetType = UNSET
    traceparent: Traceparent | UnsetType = UNSET
    idempotency_key: MessageId | UnsetType = UNSET
    deadline_ms: Annotated[int, Meta(ge=0, le=4294967295)] | UnsetType = UNSET
    meta: JsonObject | UnsetType = UNSET


class SchemaReference(Struct, kw_only=True):
    """The URI of a schema that is registered."""

    uri: SchemaUri


class SchemaRegistration(Struct, kw_only=True):
    """Registers a JSON Schema under the URI that descriptors name it by, or replaces the one that is there.
    schema is a JSON Schema, 2020-12 unless its $schema says otherwise; its references stay inside it.
    """

    uri: SchemaUri
    schema: JsonObject


class StreamAccepted(Struct, kw_only=True):
    """The immediate answer over NATS to an INVOKE with stream_preference server_stream: the invocation is
    running, and its frames go to the subject mig.v0_1.{tenant}.stream.{stream_id}.
    """

    header: MessageHeader
    capability: CapabilityId
    stream_id: StreamId


class StreamFrame(Struct, kw_only=True):
    """A frame from the server of a stream. kind response carries a piece of the answer in payload; the last
    one has end_stream true, and a unary capability sends exactly one. kind error carries a failure in
    error and has end_stream true where it ends a stream. kind control answers a cancel with payload
    {accepted, status} and end_stream true, or tells the sender of input with payload.action
    "backpressure" to pause and with "resume" to go on. capability is that of the stream, where there is
    one.

    end_stream: Whether this frame is the last of its stream.
    """

    header: MessageHeader
    stream_id: StreamId
    kind: FrameKind
    end_stream: bool
    capability: CapabilityId | UnsetType = UNSET
    payload: JsonObject | UnsetType = UNSET
    error: MigError | UnsetType = UNSET


class SubscribeRequest(Struct, kw_only=True):
    """Follows a topic. topic may be absent where the path or the subject names it; where both do they have
    to agree. consumer_id is a name for this subscriber, whose place in the topic the server may keep, so
    that without a cursor it goes on where it left off [MIG-SUB-009]; two subscribers with the same one
    each get every event. resume_cursor absent, and nothing kept under a consumer_id: from now on; given:
    every retained event after it, then live ones [MIG-SUB-003], without a hole or a repeat between the
    two [MIG-SUB-004], and told of those that are gone [MIG-SUB-007]. Over gRPC an empty resume_cursor is
    as if absent.

    max_inflight: How many events the server may hold ready for this subscriber before they are handed to
        its connection. It changes the buffering, never what is delivered. 0 or absent: the server
        decides.
    """

    header: RequestHeader | UnsetType = UNSET
    topic: Topic | UnsetType = UNSET
    consumer_id: MessageId | UnsetType = UNSET
    resume_cursor: Cursor | UnsetType = UNSET
    max_inflight: Annotated[int, Meta(ge=0, le=4294967295)] | UnsetType = UNSET


class Tenant(Struct, kw_only=True):
    """A tenant in the directory. id is the tenant_id of its messages.

    name: The name of the tenant, for people: 1 to 128 characters. Need not be unique.
    """

    id: TenantId
    name: Annotated[str, Meta(max_length=128, min_length=1)]
    org_id: TenantId


class TenantCreation(Struct, kw_only=True):
    """Creates a tenant of an organisation that exists. id is the tenant_id of its messages; absent: the
    server makes one, a UUID.

    name: The name of the tenant, for people: 1 to 128 characters. Need not be unique.
    """

    name: Annotated[str, Meta(max_length=128, min_length=1)]
    org_id: TenantId
    id: TenantId | UnsetType = UNSET


class AuditExport(Struct, kw_only=True):
    """A page of the audit records that the gateway holds. next_after is there when more may follow: it is
    the after of the next page. head is the end of the whole trail, whatever was asked for.

    records: The oldest first.
    next_after: The sequence up to which records were looked at.
    """

    records: list[AuditRecord]
    next_after: Annotated[int, Meta(ge=1, le=9007199254740991)] | UnsetType = UNSET
    head: AuditHead | UnsetType = UNSET


class CancelAck(Struct, kw_only=True):
    """What became of a cancel.

    accepted: True with the status cancelled or pending, false with completed.
    """

    header: MessageHeader
    target_message_id: MessageId
    accepted: bool
    status: CancelStatus


class CancelRequest(Struct, kw_only=True):
    """Stops an invocation of the caller's own tenant. target_message_id is the header.message_id of the
    invocation; it may be absent where the path or the subject names it, and where both do they have to
    agree [MIG-PTH-002]. header.message_id is the id of this request, not of its target.

    reason: Why, for people: at most 1024 characters. The cancelled invocation's error has it in
        details.reason.
    """

    header: RequestHeader | UnsetType = UNSET
    target_message_id: MessageId | UnsetType = UNSET
    reason: Annotated[str, Meta(max_length=1024)] | UnsetType = UNSET


class DiscoverRequest(Struct, kw_only=True):
    """Asks for the capabilities that the caller may see.

    query: Keeps the capabilities whose id contains this, without regard to case; at most 255 characters.
        Empty: all of them.
    include_schema_refs: Whether descriptors carry input_schema_uri and output_schema_uri. Over gRPC the
        field has to be set to get them, since protobuf's absent boolean is false.
    include_qos: Whether descriptors carry qos. Over gRPC the field has to be set to get it, since
        protobuf's absent boolean is false.
    """

    header: RequestHeader | UnsetType = UNSET
    query: Annotated[str, Meta(max_length=255)] = ""
    include_schema_refs: bool = True
    include_qos: bool = True


class DiscoverResponse(Struct, kw_only=True):
    """The capabilities that the tenant and the caller's scopes may see.

    capabilities: Sorted by id in code point order; empty when there is none.
    """

    header: MessageHeader
    capabilities: list[CapabilityDescriptor]


class ErrorEnvelope(Struct, kw_only=True):
    """How an error travels as JSON. It MUST be the body of every HTTP error [MIG-ERR-003] and the reply to a
    NATS request that failed [MIG-ERR-009]. header is the request's, normalised as far as it was read.
    """

    header: MessageHeader
    error: MigError


class EventMessage(Struct, kw_only=True):
    """One event of a topic, as a subscriber or a mirror gets it. header is that of the publish request,
    normalised, without the server's idg. keys. Over gRPC, which has no GapNotice, the meta of the first
    event after a gap has mig.gap, an object {from_sequence, to_sequence}.

    sequence: The event's place in the log of (tenant, topic): 1 for the first, then growing.
    published_at: When the event was appended to the log: RFC 3339, in UTC with "Z".
    replay: True for a retained event that is given because of a resume_cursor, false for a live one.
    """

    header: MessageHeader
    topic: Topic
    event_id: MessageId
    sequence: Annotated[int, Meta(ge=0, le=9007199254740991)]
    payload: JsonObject
    published_at: Timestamp
    replay: bool


class HeartbeatAck(Struct, kw_only=True):
    """Says that the server is alive, and how busy it is.

    suggested_interval_ms: How often to beat, in milliseconds: the request's interval_ms (5000 if absent),
        kept within the server's configured bounds.
    load_factor: Work in flight over the server's capacity for it: 0 when idle, 1 when full.
    """

    header: MessageHeader
    suggested_interval_ms: Annotated[int, Meta(ge=0, le=4294967295)]
    load_factor: Annotated[float, Meta(ge=0.0)]


class HeartbeatRequest(Struct, kw_only=True):
    """Says that the caller is alive. Nothing is kept and nothing depends on it.

    interval_ms: How often the caller means to beat, in milliseconds. 0 is as if absent: 5000.
    """

    header: RequestHeader | UnsetType = UNSET
    interval_ms: Annotated[int, Meta(ge=0, le=4294967295)] | UnsetType = UNSET


class HelloRequest(Struct, kw_only=True):
    """Asks the server which version, binding and features to use. Nothing is kept of it: HELLO may be
    skipped or repeated.

    supported_versions: The protocol versions that the caller speaks, at most 64. Empty or absent:
        ["0.1"].
    requested_bindings: The bindings that the caller could use, the best first, at most 64.
    requested_features: The features that the caller would like, at most 64; spec/registry/features.yaml
        lists those of v0.1. A name that the server does not know is not an error: the feature is not
        enabled.
    """

    header: RequestHeader | UnsetType = UNSET
    supported_versions: Annotated[list[Annotated[str, Meta(max_length=16)]], Meta(max_length=64)] = field(
        default_factory=list
    )
    requested_bindings: Annotated[list[BindingType], Meta(max_length=64)] = field(default_factory=list)
    requested_features: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=64)] = field(
        default_factory=list
    )


class HelloResponse(Struct, kw_only=True):
    """What the server selected. The same request to the same server always gives the same selection.
    header.meta has mig.profiles: the ids of the conformance profiles that the server declares.

    selected_version: The newest protocol version that both sides speak.
    enabled_features: Those of the requested features that the server supports, in the order of the
        request, each once.
    server_id: The name of the server, the same as long as it runs; mirrored events carry it as their
        origin.
    """

    header: MessageHeader
    selected_version: str
    selected_binding: BindingType
    enabled_features: list[str]
    server_id: Annotated[str, Meta(min_length=1)]


class InvokeRequest(Struct, kw_only=True):
    """Calls a capability; the checks come in the order of [MIG-INV-001]. capability may be absent where the
    path or the subject names it; where both do they have to agree. stream_preference absent: unary.

    payload: The input, a JSON object that the capability's input schema describes. Absent: {}.
    """

    header: RequestHeader | UnsetType = UNSET
    capability: CapabilityId | UnsetType = UNSET
    payload: dict[str, Any] = field(default_factory=dict)
    stream_preference: StreamPreference | UnsetType = UNSET


class InvokeResponse(Struct, kw_only=True):
    """The answer of a capability. result_schema_uri names the JSON Schema of the payload; it is absent when
    the capability has no output schema.
    """

    header: MessageHeader
    capability: CapabilityId
    payload: JsonObject
    result_schema_uri: SchemaUri | UnsetType = UNSET


class PublishRequest(Struct, kw_only=True):
    """Appends an event to the log of (tenant, topic). topic may be absent where the path or the subject
    names it; where both do they have to agree.

    key: The publisher's own key for the event, 0 to 255 characters. It has no part in the order of the
        log.
    payload: The content of the event, any JSON object. Absent: {}.
    """

    header: RequestHeader | UnsetType = UNSET
    topic: Topic | UnsetType = UNSET
    key: Annotated[str, Meta(max_length=255)] | UnsetType = UNSET
    payload: dict[str, Any] = field(default_factory=dict)


class RequestFrame(Struct, kw_only=True):
    """A frame from the client of a stream. kind request starts an invocation (with capability and payload)
    or, on a stream that is open, is further input. kind control with payload.action "cancel" cancels the
    invocation of stream_id, or else of payload.target_message_id, or else of header.message_id;
    payload.reason may say why; with payload.action "authenticate" and payload.token it is the first frame
    of a WebSocket that announced it. Frames of the other kinds are the server's and are refused.
    capability is looked at only in the frame that starts an invocation. An absent payload is {} there; in
    a frame of input it means no input, so that such a frame can close the input without adding to it.
    error is the server's and is not looked at.

    stream_id: The stream that the frame belongs to: 0 to 140 characters of the alphabet of a message id.
        Empty is as if absent: the frame that starts an invocation then gets "stream-" followed by its
        message id.
    end_stream: Whether the client's input on this stream ends with this frame.
    """

    kind: FrameKind
    header: RequestHeader | UnsetType = UNSET
    stream_id: Annotated[str, Meta(pattern="^[!-)+-.0-=?-~]{0,140}\\Z")] | UnsetType = UNSET
    capability: CapabilityId | UnsetType = UNSET
    payload: JsonObject | UnsetType = UNSET
    end_stream: bool = False
    error: MigError | UnsetType = UNSET
