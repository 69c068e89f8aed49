"""PUBLISH: the log that it appends to, and repeated keys."""

from __future__ import annotations

import asyncio

from mig_conformance.checks.expectation import compare
from mig_conformance.checks.matching import Exactly
from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import Caller, JsonObject
from mig_conformance.flaws import expect, same
from mig_conformance.temporal.subscriptions import events, following, nothing_more, reader

_PAYLOAD = {"text": "Grüße", "number": 1.5, "list": [1, None, True], "object": {"empty": {}}}


async def grows(trial: Trial) -> None:
    """Sequences from 1, each event with an id of its own."""
    topic = trial.new_topic()
    acks = [await trial.publish(topic, {"n": number}) for number in range(3)]
    for ack in acks:
        same("the topic of the ack", ack["topic"], topic)
        same("accepted", ack["accepted"], True)
    sequences = [ack["sequence"] for ack in acks]
    same("the first sequence", sequences[0], 1)
    expect(sequences[0] < sequences[1] < sequences[2], f"the sequences do not grow: {sequences}")
    ids = {ack["event_id"] for ack in acks}
    expect(len(ids) == 3, f"three events, and as ids {sorted(ids)}")


async def at_once(trial: Trial) -> None:
    """Publishes at the same moment: every one has a place of its own."""
    topic = trial.new_topic()
    acks = await asyncio.gather(*(trial.publish(topic, {"n": number}) for number in range(8)))
    sequences = sorted(ack["sequence"] for ack in acks)
    expect(len(set(sequences)) == 8, f"a sequence was given twice: {sequences}")
    found = {event["sequence"]: event["event_id"] for event in await _log(trial, topic, 8)}
    same("the log", found, {ack["sequence"]: ack["event_id"] for ack in acks})


async def read_back(trial: Trial) -> None:
    """What is in the log is what was acknowledged."""
    topic = trial.new_topic()
    header = {"message_id": trial.new_id(), "session_id": "conformance", "meta": {"colour": "blue"}}
    ack = await trial.publish(topic, _PAYLOAD, header=header)
    (event,) = await _log(trial, topic, 1)
    wanted = {
        "topic": topic,
        "event_id": ack["event_id"],
        "sequence": ack["sequence"],
        "payload": Exactly(_PAYLOAD),
        "header": {**header, "tenant_id": trial.subject.tenant},
    }
    compare(wanted, event, "the event in the log")


async def apart(trial: Trial) -> None:
    """Another topic, and the same topic of another tenant, are other logs."""
    topic, other_topic = trial.new_topic(), trial.new_topic()
    other = trial.callers.named("other")
    for name, caller in ((topic, trial.own), (other_topic, trial.own), (topic, other)):
        ack = await trial.publish(name, {"n": 1}, caller=caller)
        same(f"the first sequence of {name} for {caller.tenant}", ack["sequence"], 1)
    same("the second sequence", (await trial.publish(topic, {"n": 2}))["sequence"], 2)


async def repeated_key(trial: Trial) -> None:
    """The first ack again, nothing appended; another key appends."""
    topic, key = trial.new_topic(), trial.new_id()
    first = await _keyed(trial, topic, key)
    again = await _keyed(trial, topic, key)
    _same_event(again, first)
    further = await _keyed(trial, topic, trial.new_id())
    expect(further["event_id"] != first["event_id"], "another key was given the event of the first")
    found = [event["event_id"] for event in await _log(trial, topic, 2)]
    same("the log", found, [first["event_id"], further["event_id"]])


async def key_at_once(trial: Trial) -> None:
    """A key at the same moment from several callers is one event."""
    topic, key = trial.new_topic(), trial.new_id()
    first, *others = await asyncio.gather(*(_keyed(trial, topic, key) for _ in range(6)))
    for ack in others:
        _same_event(ack, first)
    found = [event["event_id"] for event in await _log(trial, topic, 1)]
    same("the log", found, [first["event_id"]])


async def key_of_another(trial: Trial) -> None:
    """A key that one tenant has used is new for another."""
    topic, key = trial.new_topic(), trial.new_id()
    own = await _keyed(trial, topic, key)
    other = await _keyed(trial, topic, key, trial.callers.named("other"))
    expect(own["event_id"] != other["event_id"], "a key was given the event of another tenant")


async def after_restart(trial: Trial) -> None:
    """What was accepted is in the log of the server that starts after it."""
    topic, key = trial.new_topic(), trial.new_id()
    acks = [await trial.publish(topic, {"n": 0}), await _keyed(trial, topic, key)]
    await trial.restart()
    _same_event(await _keyed(trial, topic, key), acks[1])
    acks.append(await trial.publish(topic, {"n": 2}))
    expect(acks[2]["sequence"] > acks[1]["sequence"], "a sequence was given again after a restart")
    found = [event["event_id"] for event in await _log(trial, topic, 3)]
    same("the log after a restart", found, [ack["event_id"] for ack in acks])


async def _keyed(trial: Trial, topic: str, key: str, caller: Caller | None = None) -> JsonObject:
    return await trial.publish(topic, {"n": 1}, header={"idempotency_key": key}, caller=caller)


async def _log(trial: Trial, topic: str, count: int) -> list[JsonObject]:
    """The events of a topic, which are so many and no more."""
    async with following(trial, topic, driver=reader(trial), resume_cursor="0") as subscription:
        found = await events(subscription, count)
        await nothing_more(subscription, f"more than {count} events in the log")
    return found


def _same_event(ack: JsonObject, first: JsonObject) -> None:
    for name in ("topic", "event_id", "sequence", "accepted"):
        same(f"{name} of the repeated ack", ack[name], first[name])
