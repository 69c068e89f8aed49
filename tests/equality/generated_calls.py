"""Strategies for what is asked: mostly right, often odd, sometimes wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from equality import capabilities
from equality.asked import CREDENTIALS, OTHER, OWN, Asked, JsonObject
from mig_protocol.messages import MigErrorCode

EXACT = 2**53 - 1
"""What is beyond it passes through protobuf as a floating-point number."""
TOPICS = st.sampled_from(["equal.events", "equal.other-1_x.deep"])
MESSAGE_IDS = st.sampled_from(["m1", "m2", "m3", "odd:~!$&'()+,;=@[]{}|^`\"\\%41?#"])
KEYS = st.sampled_from(["k1", "k2"])
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
REFERENCE = "observatory.models.infer"

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["", "\0", "\u2028", "é", "e\u0301", "😀", "\ufeff", '"\\/', "idg.product_tier", "x" * 70]
)
_NUMBERS = st.sampled_from([0, -1, EXACT, -EXACT, EXACT - 1, 0.1, -2.5, 1e-300, 1.7976931348623157e308]) | (
    st.integers(-EXACT, EXACT)
)
_SCALARS = st.none() | st.booleans() | _NUMBERS | _TEXT
VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=5,
)
OBJECTS = st.dictionaries(_TEXT, VALUES, max_size=3)

_META = st.dictionaries(
    st.sampled_from(["mine", "mig.own", "idg.product_tier", "idg.anything", "idg.principal_scopes", "é"]),
    VALUES,
    max_size=3,
)
_RIGHT = {
    "mig_version": st.just("0.1"),
    "message_id": MESSAGE_IDS,
    "session_id": st.sampled_from(["s1", "s2~"]),
    "traceparent": st.just(TRACEPARENT),
    "deadline_ms": st.sampled_from([0, 30_000, 60_000, 2**32 - 1]),
    "timestamp": st.sampled_from(["2026-01-15T09:30:00Z", "2026-01-15T09:30:00.000001+01:00"]),
    "tenant_id": st.just(OWN),
    "meta": _META,
}
CARRIED = ("message_id", "session_id", "traceparent", "deadline_ms")
_WRONG = {
    "mig_version": st.sampled_from(["0.2", "1.0", "v0.1", "x" * 17]),
    "message_id": st.sampled_from(["a b", "a/b", "*", "x" * 129, "é"]),
    "session_id": st.sampled_from(["a b", ">"]),
    "traceparent": st.sampled_from(["00-xyz", "nonsense", TRACEPARENT.upper()]),
    "idempotency_key": st.sampled_from(["a b", "x" * 129]),
    "tenant_id": st.sampled_from([OTHER, "a.b", "*", "x" * 65]),
}


def _one_wrong(header: JsonObject, name: str, value: Any) -> JsonObject:
    return {**header, name: value}


RIGHT_HEADERS = st.none() | st.fixed_dictionaries({}, optional=_RIGHT)
WRONG_HEADERS = st.sampled_from(sorted(_WRONG)).flatmap(
    lambda name: st.builds(
        _one_wrong, st.fixed_dictionaries({}, optional=_RIGHT), st.just(name), _WRONG[name]
    )
)


def asked(operation: str, body: st.SearchStrategy[JsonObject]) -> st.SearchStrategy[Asked]:
    """A call whose header is acceptable."""
    return st.builds(
        Asked,
        operation=st.just(operation),
        body=body,
        header=RIGHT_HEADERS,
        carried=st.booleans(),
        extra=st.booleans(),
    )


def misasked(calls: st.SearchStrategy[Asked]) -> st.SearchStrategy[Asked]:
    """The same calls by someone who may not, or without a tenant, or with a header that is not acceptable."""
    wrong_header = st.builds(replace, calls, header=WRONG_HEADERS, carried=st.just(False))
    return misasked_by_someone(calls) | wrong_header


def misasked_by_someone(calls: st.SearchStrategy[Asked]) -> st.SearchStrategy[Asked]:
    """The same calls by someone who may not, or without a tenant on the transport."""
    return st.one_of(
        st.builds(replace, calls, credential=st.sampled_from(CREDENTIALS)),
        st.builds(replace, calls, named=st.just(False)),
    )


HELLOS = st.fixed_dictionaries(
    {},
    optional={
        "supported_versions": st.lists(st.sampled_from(["0.1", "0.2", "", "x" * 16]), max_size=3),
        "requested_bindings": st.lists(st.sampled_from(["grpc", "nats", "http"]), max_size=3),
        "requested_features": st.lists(
            st.sampled_from(["streaming", "cancel", "telepathy", "mcp-bridge", "é", "replay"]), max_size=4
        ),
    },
)
DISCOVERIES = st.fixed_dictionaries(
    {"include_schema_refs": st.booleans(), "include_qos": st.booleans()},
    optional={"query": st.sampled_from(["", "equal", "EQUAL.P", "infer", "é", "*", "x" * 255, "x" * 256])},
)
HEARTBEATS = st.fixed_dictionaries(
    {}, optional={"interval_ms": st.sampled_from([0, 1, 999, 1000, 5001, 60_000, 2**32 - 1])}
)


QUESTIONS = asked("HELLO", HELLOS) | asked("DISCOVER", DISCOVERIES) | asked("HEARTBEAT", HEARTBEATS)
"""What changes nothing."""


def _to(capability: str, payloads: st.SearchStrategy[Any]) -> st.SearchStrategy[JsonObject]:
    """Now and then with no payload at all, which is an empty one; to `FAIL` it says how."""
    given = st.fixed_dictionaries({"capability": st.just(capability), "payload": payloads})
    if capability == capabilities.FAIL:
        return given
    return st.one_of(given, given, given, st.just({"capability": capability}))


_TYPED = st.one_of(
    st.fixed_dictionaries({"value": st.sampled_from([0, 1, EXACT, -1, 0.5, "1", None, True])}),
    st.fixed_dictionaries({"value": st.just(1), "tags": st.lists(st.integers(0, 9), max_size=4)}),
    st.fixed_dictionaries({"value": st.just(1), "more": VALUES}),
)
_FAILURES = st.fixed_dictionaries(
    {"code": st.sampled_from([code.value for code in MigErrorCode])},
    optional={
        "retryable": st.booleans(),
        "details": OBJECTS,
        "retry_after_s": st.sampled_from([0.2, 1.0, 61.0]),
    },
)
ECHOED = st.fixed_dictionaries({"pieces": st.integers(0, 4)}, optional={"value": VALUES, "more": OBJECTS})
# Around the limit, which counts the bytes of JSON: some of these are much smaller in protobuf.
_SIZED = st.one_of(
    st.integers(40, 60).map(lambda size: {"value": "é" * (size % 2) + "x" * size}),
    st.integers(7, 11).map(lambda size: {"value": "\0" * size}),
    st.integers(6, 12).map(lambda size: {"value": [False] * size}),
    st.integers(1, 4).map(lambda size: {"value": [1.7976931348623157e308] * size}),
)
_INPUT = st.fixed_dictionaries({"input": _TEXT}, optional={"more": VALUES})
_PAYLOADS = (
    (capabilities.ECHO, ECHOED),
    (capabilities.ECHO, ECHOED),
    (capabilities.STREAM, ECHOED),
    (capabilities.TYPED, _TYPED),
    (capabilities.TYPED, _TYPED),
    (capabilities.SMALL, _SIZED),
    (capabilities.FAIL, _FAILURES),
    (capabilities.FAIL, _FAILURES),
    (capabilities.FAIL, _FAILURES),
    (REFERENCE, _INPUT),
    (REFERENCE, st.just({"input": 1})),
    (capabilities.CRASH, ECHOED),
    (capabilities.SCOPED, ECHOED),
    (capabilities.PRIVATE, ECHOED),
    (capabilities.UNARY, ECHOED),
    (capabilities.DOWN, ECHOED),
    (capabilities.ORPHAN, ECHOED),
    (capabilities.UNKNOWN, ECHOED),
)
INVOCATIONS = st.sampled_from(_PAYLOADS).flatmap(lambda one: _to(*one))
# Whatever comes after "stop" meets a stream that may be over: only the last input says so.
INPUTS = st.builds(
    lambda inputs, last: [*inputs, *last],
    st.lists(OBJECTS, min_size=1, max_size=3),
    st.sampled_from([[], [{}], [{"stop": True}]]),
)
CHATS = st.fixed_dictionaries(
    {"capability": st.just(capabilities.CHAT), "payload": st.sampled_from([{}, {"silent": True}])}
)
PUBLICATIONS = st.fixed_dictionaries(
    {"topic": TOPICS},
    optional={"payload": OBJECTS, "key": st.sampled_from(["", "key-1", "é" * 255, "x" * 256])},
)
SUBSCRIPTIONS = st.fixed_dictionaries(
    {"topic": TOPICS},
    optional={
        "resume_cursor": st.sampled_from(["0", "1", "2", "7", "9007199254740991", "abc", "-1", "01", "1.0"]),
        "max_inflight": st.sampled_from([0, 1, 2, 500]),
        "consumer_id": st.sampled_from(["c1", "c-2"]),
    },
)
# A GET has no body: its header is what HTTP header fields can carry.
SUBSCRIBES = st.builds(
    Asked,
    operation=st.just("SUBSCRIBE"),
    body=SUBSCRIPTIONS,
    header=st.fixed_dictionaries({}, optional={name: _RIGHT[name] for name in CARRIED}),
    carried=st.just(True),
)
REASONS = st.sampled_from(["", "because", "é😀", "x" * 1024, "x" * 1025])

# Of bindings whose path or subject says what the body may say, too.
DISAGREEING = st.sampled_from(
    [
        ("INVOKE", {"capability": capabilities.ECHO}, capabilities.UNARY),
        ("PUBLISH", {"topic": "equal.events"}, "equal.other"),
        ("CANCEL", {"target_message_id": "m1"}, "m2"),
    ]
).flatmap(
    lambda one: st.builds(
        Asked,
        operation=st.just(one[0]),
        body=st.just(one[1]),
        header=RIGHT_HEADERS,
        elsewhere=st.sampled_from([one[2]]),
        needs=st.just("disagreeing path"),
    )
)
MISTYPED = st.sampled_from(
    [
        ("HELLO", {"supported_versions": "0.1"}),
        ("HELLO", {"requested_bindings": ["smoke signals"]}),
        ("DISCOVER", {"include_qos": "yes"}),
        ("INVOKE", {"capability": capabilities.ECHO, "payload": "text"}),
        ("INVOKE", {"capability": capabilities.ECHO, "payload": None}),
        ("PUBLISH", {"topic": "equal.events", "payload": [1]}),
        ("HEARTBEAT", {"interval_ms": 2**32}),
        ("HEARTBEAT", {"interval_ms": 1.5}),
    ]
).flatmap(
    lambda one: st.builds(
        Asked,
        operation=st.just(one[0]),
        body=st.just(one[1]),
        header=RIGHT_HEADERS,
        needs=st.just("wrong JSON type"),
    )
)
ODD_FRAMES = st.sampled_from(
    [
        {"kind": "control", "payload": {"action": "pause"}},
        {"kind": "control", "payload": {"action": ["cancel"]}},
        {"kind": "control"},
        {"kind": "control", "payload": {"action": "cancel"}},
        {"kind": "control", "payload": {"action": "cancel", "reason": 1}},
        {"kind": "control", "payload": {"action": "cancel", "target_message_id": "a b"}},
        {"kind": "control", "payload": {"action": "cancel", "target_message_id": "m1"}},
        {"kind": "response", "payload": {}},
        {"kind": "event"},
        {"kind": "error"},
        {"kind": "request"},
        {"kind": "request", "payload": {"no": "capability"}, "end_stream": True},
        {"kind": "request", "capability": capabilities.CHAT, "end_stream": True},
        {"kind": "request", "capability": capabilities.ECHO, "payload": {"pieces": 2}},
    ]
)
CANCELLATIONS = asked(
    "CANCEL",
    st.fixed_dictionaries({"target_message_id": MESSAGE_IDS}, optional={"reason": REASONS}),
)
