"""What callers do: the table of operations, how often each is done, and how each may end.

A further binding adds its connection to `Caller`, and its rows as `grpc_kinds` does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tools.soak.caller import Caller
from tools.soak.grpc_kinds import GRPC_KINDS
from tools.soak.kind import REFERENCE, WAITING, Act, kind
from tools.soak.names import Names

# As server/migd.yaml has it.
_SLOW_TENANT = "slow"
_INVOKE = f"/mig/v0.1/invoke/{REFERENCE}"
_HELLO = {"payload": {"input": "hello"}}


def _posting(path: str, body: Callable[[Names], Any], tenant: Callable[[Names], str]) -> Act:
    async def act(caller: Caller, names: Names) -> str:
        status, _ = await caller.ask("POST", path, body(names), tenant(names))
        return str(status)

    return act


def _getting(path: str) -> Act:
    async def act(caller: Caller, _: Names) -> str:
        return str((await caller.ask("GET", path))[0])

    return act


async def _invoke_unknown(caller: Caller, names: Names) -> str:
    path = f"/mig/v0.1/invoke/{names.new('soak.unknown')}"
    return str((await caller.ask("POST", path, _HELLO, names.tenant()))[0])


async def _invoke_again(caller: Caller, names: Names) -> str:
    """Twice under a new key: the second is the first one's answer."""
    tenant = names.tenant()
    body = _HELLO | {"header": {"idempotency_key": names.new("key")}}
    answers = [await caller.ask("POST", _INVOKE, body, tenant) for _ in range(2)]
    replayed = [answer["header"]["meta"].get("mig.idempotent_replay", False) for _, answer in answers]
    return "replayed" if replayed == [False, True] else f"{answers}"


async def _publish(caller: Caller, names: Names) -> str:
    topic = names.topic()
    status, _ = await caller.ask("POST", f"/mig/v0.1/publish/{topic}", {"payload": {"n": 1}}, names.tenant())
    return str(status)


async def _publish_anew(caller: Caller, names: Names) -> str:
    """To a topic that is new, of a tenant that is."""
    path, tenant = f"/mig/v0.1/publish/{names.new('soak.new')}", names.new("publisher")
    body = {"payload": {"n": 1}, "header": {"idempotency_key": names.new("key")}}
    return str((await caller.ask("POST", path, body, tenant))[0])


def _resuming(tenant: Callable[[Names], str], consumer: Callable[[Names], str]) -> Act:
    """Publish, and subscribe by name from before that: what comes first is what was published."""

    async def act(caller: Caller, names: Names) -> str:
        topic, whose = names.topic(), tenant(names)
        _, ack = await caller.ask("POST", f"/mig/v0.1/publish/{topic}", {"payload": {"n": 1}}, whose)
        async with caller.subscribed(topic, whose, ack["sequence"] - 1, consumer(names)) as events:
            event = await anext(events)
        return "resumed" if event["event_id"] == ack["event_id"] else f"{event}"

    return act


async def _cancel_unseen(caller: Caller, names: Names) -> str:
    path = f"/mig/v0.1/cancel/{names.new('message')}"
    _, ack = await caller.ask("POST", path, {"reason": "soak"}, names.tenant())
    return str(ack["status"])


async def _stream(caller: Caller, names: Names) -> str:
    await _begin(caller, names, REFERENCE, {"input": "a few words for it"})
    while not (frame := await caller.frame())["end_stream"]:
        pass
    return str(frame["kind"])


async def _stream_refused(caller: Caller, names: Names) -> str:
    await _begin(caller, names, REFERENCE, {"input": 5})
    return str((await caller.frame())["error"]["code"])


async def _stream_cancelled(caller: Caller, names: Names) -> str:
    """Stopped after its first frame: the answer to the cancel, and the stream's own end."""
    stream_id, header = await _begin(caller, names, WAITING, {})
    await caller.frame()
    await _cancel(caller, stream_id, header)
    ends = [_end(await caller.frame()) for _ in range(2)]
    return "cancelled" if ends == ["cancelled", "MIG_TIMEOUT"] else f"{ends}"


async def _stream_cancelled_at_once(caller: Caller, names: Names) -> str:
    """Stopped by a cancel that comes right behind it: its first frame may have been on the way already."""
    stream_id, header = await _begin(caller, names, WAITING, {})
    await _cancel(caller, stream_id, header)
    ends: list[str] = []
    while len(ends) < 2:
        frame = await caller.frame()
        ends += [_end(frame)] if frame["end_stream"] else []
    return "cancelled" if ends == ["cancelled", "MIG_TIMEOUT"] else f"{ends}"


async def _begin(caller: Caller, names: Names, capability: str, payload: Any) -> tuple[str, Any]:
    """The stream's id, and the header that its frames have."""
    stream_id = names.new("stream")
    header = {"tenant_id": names.tenant(), "message_id": names.new("message")}
    await caller.send_frame(
        kind="request", stream_id=stream_id, capability=capability, header=header, payload=payload
    )
    return stream_id, header


async def _cancel(caller: Caller, stream_id: str, header: Any) -> None:
    await caller.send_frame(kind="control", stream_id=stream_id, header=header, payload={"action": "cancel"})


def _end(frame: Any) -> str:
    """The code of an error frame, the status of a cancel's answer."""
    return str(frame["error"]["code"] if frame["kind"] == "error" else frame["payload"].get("status"))


def _descriptor(names: Names) -> Any:
    own = {"id": names.capability(), "version": "1.0.0", "modes": ["unary"]}
    return {"descriptor": own | {"input_schema_uri": f"schema://{own['id']}"}}


def _schema(names: Names) -> Any:
    return {"uri": f"schema://{names.capability()}", "schema": {"type": "object"}}


def _check(names: Names) -> Any:
    return {"tenant_id": names.tenant(), "capability": REFERENCE, "action": "invoke"}


KINDS = (
    kind("invoke", _posting(_INVOKE, lambda _: _HELLO, Names.tenant), 30, "200", ran="200"),
    kind(
        "invoke, a new tenant",
        _posting(_INVOKE, lambda _: _HELLO, lambda names: names.new("stranger")),
        10,
        "200",
        filling=30,
        ran="200",
    ),
    kind(
        "invoke, over its rate",
        _posting(_INVOKE, lambda _: _HELLO, lambda _: _SLOW_TENANT),
        3,
        "200",
        "429",
        ran="200",
    ),
    kind("invoke, not valid", _posting(_INVOKE, lambda _: {"payload": {}}, Names.tenant), 6, "400"),
    kind("invoke, no such capability", _invoke_unknown, 5, "404"),
    kind("invoke twice under a key", _invoke_again, 4, "replayed", filling=30, ran="replayed"),
    # As often as to new topics at first: each of the few has to be there before the gateway has its limit.
    kind("publish", _publish, 12, "200", filling=15),
    kind("publish to a new topic", _publish_anew, 3, "200", "429", filling=15),
    kind("publish and resume", _resuming(Names.tenant, Names.consumer), 2, "resumed"),
    kind(
        "publish and resume, a new name",
        _resuming(Names.tenant, lambda names: names.new("consumer")),
        1,
        "resumed",
    ),
    kind("stream", _stream, 6, "response", filling=5, ran="response"),
    kind("stream, not valid", _stream_refused, 2, "MIG_INVALID_REQUEST"),
    kind("stream, cancelled", _stream_cancelled, 2, "cancelled", ran="cancelled"),
    kind("stream, cancelled at once", _stream_cancelled_at_once, 2, "cancelled", ran="cancelled"),
    kind("cancel of what is not there", _cancel_unseen, 5, "pending", filling=30),
    kind("hello", _posting("/mig/v0.1/hello", lambda _: {}, Names.tenant), 2, "200"),
    kind("discover", _posting("/mig/v0.1/discover", lambda _: {"query": "infer"}, Names.tenant), 2, "200"),
    kind("heartbeat", _posting("/mig/v0.1/heartbeat", lambda _: {}, Names.tenant), 2, "200"),
    kind("register a capability", _posting("/admin/v0.1/capabilities", _descriptor, lambda _: ""), 1, "201"),
    kind("register a schema", _posting("/admin/v0.1/schemas", _schema, lambda _: ""), 1, "201"),
    kind(
        "set a quota",
        _posting(
            "/pro/v0.1/quotas",
            lambda names: {"tenant_id": names.new("q"), "max_invocations": 9},
            lambda _: "",
        ),
        1,
        "200",
        "429",
    ),
    kind("ask for a policy", _posting("/pro/v0.1/policies/validate", _check, lambda _: ""), 1, "200"),
    kind(
        "enter an organisation",
        _posting("/cloud/v0.1/orgs", lambda names: {"name": "o", "id": names.new("org")}, lambda _: ""),
        1,
        "201",
        "429",
    ),
    kind("list the connections", _getting("/admin/v0.1/connections?protocol=http"), 1, "200"),
    kind("read the metrics", _getting("/metrics"), 1, "200"),
    kind("a path that is none", _getting("/nowhere"), 1, "404"),
    *GRPC_KINDS,
)
"""Weights are per hundred or so; what takes long, or what a gateway is seldom asked, is rare."""
