"""Published events on NATS, and those of other gateways (protocol section 6, mirroring)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

from mig_conformance.checks.expectation import compare
from mig_conformance.checks.matching import Exactly
from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.nats_connection import NatsMessages
from mig_conformance.drivers.port import BindingName, Driver, JsonObject, Subscription
from mig_conformance.flaws import FlawError, UncheckedError, same
from mig_conformance.temporal.nats_wire import as_json, credential, over_nats
from mig_conformance.temporal.subscriptions import QUIET_S, events, following, nothing_more, reader
from mig_protocol import subjects

_PUBLISHING: tuple[BindingName, ...] = ("http", "grpc", "nats")
_READING: tuple[BindingName, ...] = ("sse", "grpc")


async def every_binding(trial: Trial) -> None:
    """What is published over each binding is mirrored once, as the event that it is in the log."""
    topic, tenant = trial.new_topic(), str(trial.own.tenant)
    async with over_nats(trial).mirrored(tenant, topic) as mirrored:
        for driver in _drivers(trial, _PUBLISHING):
            payload = {"over": driver.binding, "text": "Grüße", "list": [1, None]}
            ack = await trial.publish(topic, payload, driver=driver)
            message = await mirrored.next()
            wanted = {
                "header": {"tenant_id": tenant},
                "topic": topic,
                "event_id": ack["event_id"],
                "sequence": ack["sequence"],
                "payload": Exactly(payload),
                "replay": False,
            }
            compare(wanted, message.data, f"what is mirrored of an event over {driver.binding}")
        await _nothing_on(mirrored, "a second message for one event")


async def headers(trial: Trial) -> None:
    """Who mirrors it, and which event it is."""
    topic, tenant = trial.new_topic(), str(trial.own.tenant)
    server_id = (await trial.call("HELLO", {})).accepted()["server_id"]
    async with over_nats(trial).mirrored(tenant, topic) as mirrored:
        ack = await trial.publish(topic, {"n": 1})
        message = await mirrored.next()
    same("mig-origin", message.headers.get("mig-origin"), server_id)
    same("Nats-Msg-Id", message.headers.get("Nats-Msg-Id"), ack["event_id"])


async def no_loop(trial: Trial) -> None:
    """The server's own mirrored event is not published again by it."""
    topic, tenant = trial.new_topic(), str(trial.own.tenant)
    async with over_nats(trial).mirrored(tenant, topic) as mirrored:
        first = await trial.publish(topic, {"n": 1})
        same("the mirrored event", (await mirrored.next()).data["event_id"], first["event_id"])
        await _nothing_on(mirrored, "a further message for one event")
    second = await trial.publish(topic, {"n": 2})
    await _log_is(trial, topic, [first["event_id"], second["event_id"]])


async def no_request(trial: Trial) -> None:
    """A publish request in all but mig-origin: not answered, not appended."""
    topic, tenant = trial.new_topic(), str(trial.own.tenant)
    carried = {**credential(trial.own), "mig-origin": "conformance-gateway", "Nats-Msg-Id": trial.new_id()}
    body = as_json({"payload": {"n": 1}})
    replies = await over_nats(trial).replies(subjects.events(tenant, topic), body, carried, within_s=QUIET_S)
    if replies:
        raise FlawError(f"a message with mig-origin was answered: {replies[0].body[:300]!r}")
    ack = await trial.publish(topic, {"n": 2})
    await _log_is(trial, topic, [ack["event_id"]])


async def taken(trial: Trial) -> None:
    """An event of another gateway, as MIG 0.1 has it: given to subscribers once, and kept."""
    topic = trial.new_topic()
    event = _event(trial, topic)
    async with AsyncExitStack() as stack:
        reading = [
            await stack.enter_async_context(following(trial, topic, driver=driver))
            for driver in _drivers(trial, _READING)
        ]
        if not reading:
            raise UncheckedError("there is no binding to subscribe over: endpoints.http or endpoints.grpc")
        await _mirror(trial, event)
        for subscription in reading:
            await _is_given(subscription, event)
        await _mirror(trial, event)
        own = await trial.publish(topic, {"n": 2})
        for subscription in reading:
            (found,) = await events(subscription, 1)
            same("the event after it", found["event_id"], own["event_id"])
            await nothing_more(subscription, "a further event")
    await _log_is(trial, topic, [event["event_id"], own["event_id"]])


async def not_mirrored_on(trial: Trial) -> None:
    """An event of another gateway is on NATS already."""
    topic, tenant = trial.new_topic(), str(trial.own.tenant)
    event = _event(trial, topic)
    async with (
        following(trial, topic, driver=reader(trial)) as subscription,
        over_nats(trial).mirrored(tenant, topic) as mirrored,
    ):
        await _mirror(trial, event)
        same("what is on NATS", (await mirrored.next()).data["event_id"], event["event_id"])
        await _is_given(subscription, event)
        await _nothing_on(mirrored, "an event of another gateway was mirrored again")


async def as_one(trial: Trial) -> None:
    """Two gateways: what is published on either reaches the subscribers of both, once and in one order."""
    publishing: BindingName = "http" if trial.subject.peers[0].http is not None else "grpc"
    reading: BindingName = "sse" if publishing == "http" else "grpc"
    publishers = [trial.beside(publishing), trial.peer(publishing)]
    readers = [trial.beside(reading), trial.peer(reading)]
    for publisher, other in zip(publishers, reversed(readers), strict=True):
        await _acquainted(trial, publisher, other)
    topic = trial.new_topic()
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(following(trial, topic, driver=each)) for each in readers]
        acks = [
            await trial.publish(topic, {"n": number}, driver=publishers[number % 2]) for number in range(10)
        ]
        for subscription in opened:
            found = [event["event_id"] for event in await events(subscription, len(acks))]
            same("the events of one gateway's subscriber", found, [ack["event_id"] for ack in acks])
            await nothing_more(subscription, "a further event")


async def _acquainted(trial: Trial, publisher: Driver, other: Driver) -> None:
    """Gateways that have just been started have to find each other first."""
    topic = trial.new_topic()
    async with following(trial, topic, driver=other) as subscription, asyncio.timeout(trial.patience_s):
        await trial.publish(topic, {"n": 0}, driver=publisher)
        while await subscription.quiet(QUIET_S) is None:
            await trial.publish(topic, {"n": 0}, driver=publisher)


def _event(trial: Trial, topic: str) -> JsonObject:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    header = {
        "mig_version": "0.1",
        "message_id": trial.new_id(),
        "timestamp": now,
        "tenant_id": trial.own.tenant,
    }
    return {
        "header": header,
        "topic": topic,
        "event_id": trial.new_id(),
        "sequence": 7,
        "payload": {"published": "on another gateway"},
        "published_at": now,
        "replay": False,
    }


async def _mirror(trial: Trial, event: JsonObject) -> None:
    carried = {"mig-origin": "conformance-gateway", "Nats-Msg-Id": event["event_id"]}
    subject = subjects.events(event["header"]["tenant_id"], event["topic"])
    await over_nats(trial).send(subject, as_json(event), carried)


async def _is_given(subscription: Subscription, event: JsonObject) -> None:
    (found,) = await events(subscription, 1)
    wanted: dict[str, Any] = {name: event[name] for name in ("event_id", "topic")}
    wanted |= {"payload": Exactly(event["payload"]), "replay": False, "sequence": 1}
    wanted["header"] = {name: event["header"][name] for name in ("message_id", "tenant_id")}
    compare(wanted, found, "the event of another gateway")


async def _log_is(trial: Trial, topic: str, ids: list[str]) -> None:
    async with following(trial, topic, driver=reader(trial), resume_cursor="0") as subscription:
        found = [event["event_id"] for event in await events(subscription, len(ids))]
        await nothing_more(subscription, "a further event in the log")
    same("the events in the log", found, ids)


async def _nothing_on(mirrored: NatsMessages, why: str) -> None:
    further = await mirrored.quiet(QUIET_S)
    if further is not None:
        raise FlawError(f"{why}: {further.body[:300]!r}")


def _drivers(trial: Trial, bindings: tuple[BindingName, ...]) -> list[Driver]:
    there = [binding for binding in bindings if trial.subject.endpoints.of(binding) is not None]
    return [trial.beside(binding) for binding in there]
