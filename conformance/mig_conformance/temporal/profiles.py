"""What stands behind the profiles that a server declares [MIG-CNF-001 to 004]."""

from __future__ import annotations

from typing import Any, cast

from mig_conformance.checks.trial import REFERENCE, Trial
from mig_conformance.drivers.frames import read_out
from mig_conformance.drivers.nats import NatsDriver
from mig_conformance.drivers.port import Answer, Caller
from mig_conformance.flaws import UncheckedError, expect, same
from mig_conformance.temporal.hello import declared_profiles, hello
from mig_protocol.operations import PROFILES

_REQUIRES = {profile.id: frozenset(profile.requires) for profile in PROFILES}
_TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def core(trial: Trial) -> None:
    """The operations that the binding has, and a refusal."""
    await _declared("core", trial)
    if trial.binding != "websocket":
        await hello(trial)
        expect((await trial.call("DISCOVER", {})).accepted()["capabilities"], "nothing is offered")
    (await _invoked(trial)).accepted()
    unknown = f"conformance.c{trial.new_id()}"
    (await _invoked(trial, capability=unknown)).refused("MIG_UNSUPPORTED_CAPABILITY")


async def streaming(trial: Trial) -> None:
    """HTTP has its streams on the WebSocket, and CANCEL."""
    await _declared("streaming", trial)
    if trial.binding != "http":
        message = {
            "capability": REFERENCE,
            "payload": {"input": "hello"},
            "stream_preference": "server_stream",
        }
        stream = await trial.stream(message)
        same("the kind of the terminal frame", (await read_out(stream))[-1]["kind"], "response")
    ack = (await trial.call("CANCEL", {"target_message_id": trial.new_id()})).accepted()
    same("the status of a CANCEL of what was never seen", ack["status"], "pending")


async def evented(trial: Trial) -> None:
    """What was published before is replayed: the reference capability declares it."""
    await _declared("evented", trial)
    topic = trial.new_topic()
    if trial.binding == "nats":
        await _mirrored(topic, trial)
        return
    ack = await trial.publish(topic, {"n": 1})
    if trial.binding == "http":
        return  # its subscriptions are those of SSE
    subscription = await trial.subscribe(topic, resume_cursor="0")
    try:
        event = (await subscription.next()).data
    finally:
        await subscription.close()
    found = {name: event.get(name) for name in ("event_id", "replay")}
    same("the first event from the cursor 0", found, {"event_id": ack["event_id"], "replay": True})


async def _mirrored(topic: str, trial: Trial) -> None:
    """Over NATS whoever listens on the subject of the events has subscribed."""
    driver = cast(NatsDriver, trial.driver)
    async with driver.mirrored(str(trial.own.tenant), topic) as messages:
        ack = await trial.publish(topic, {"n": 1})
        found = (await messages.next()).data
        same("the event on its subject", found.get("event_id"), ack["event_id"])


async def full(trial: Trial) -> None:
    """The trace context comes back with the answer."""
    await _declared("full", trial)
    answer = (await _invoked(trial, header={"traceparent": _TRACEPARENT})).accepted()
    same("the answer's traceparent", answer["header"].get("traceparent"), _TRACEPARENT)
    if trial.binding != "websocket":
        ack = (await trial.call("HEARTBEAT", {})).accepted()
        expect(ack["load_factor"] >= 0, f"the load factor is {ack['load_factor']}")


async def full_telemetry(trial: Trial) -> None:
    """A failure and an invocation are found again where they are counted and kept."""
    await _declared("full", trial)
    caller = trial.callers.of_tenant(trial.new_tenant())
    invoked = (await _invoked(trial, caller=caller)).accepted()["header"]
    unknown = f"conformance.c{trial.new_id()}"
    (await _invoked(trial, capability=unknown)).refused("MIG_UNSUPPORTED_CAPABILITY")
    admin = trial.callers.named("admin")
    metrics = await trial.http.request("GET", "/metrics", caller=admin)
    counted = 'code="MIG_UNSUPPORTED_CAPABILITY"'
    expect(counted in metrics.body.decode(), f"GET /metrics (status {metrics.status}) has no {counted}")
    usage = (await trial.call("USAGE", {}, caller=admin)).accepted()
    expect(usage["capability_invocations"].get(REFERENCE), f"the usage has no {REFERENCE}: {usage}")
    query = {"tenant_id": str(caller.tenant)}
    records = (await trial.call("EXPORT_AUDIT", {}, caller=admin, query=query)).accepted()["records"]
    found = [record["message_id"] for record in records]
    same(f"the invocations in the audit trail of {caller.tenant}", found, [invoked["message_id"]])


async def _declared(profile: str, trial: Trial) -> None:
    """The features that it requires are enabled. Raises UncheckedError where nobody declares it."""
    declared = await declared_profiles(trial) | trial.subject.profiles
    if profile not in declared:
        raise UncheckedError(f"the server does not declare the profile {profile}: {sorted(declared)}")
    required = sorted(_REQUIRES[profile])
    enabled = (await hello(trial, requested_features=required))["enabled_features"]
    same(f"which of the features of {profile} are enabled", sorted(enabled), required)


async def _invoked(trial: Trial, caller: Caller | None = None, **fields: Any) -> Answer:
    message = {"capability": REFERENCE, "payload": {"input": "hello"}, **fields}
    return await trial.call("INVOKE", message, caller=caller)
