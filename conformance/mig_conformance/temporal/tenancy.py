"""Nothing of one tenant is seen or touched by another [MIG-TEN-001]."""

from __future__ import annotations

import asyncio
from typing import Any

from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import Caller, JsonObject
from mig_conformance.flaws import expect, same
from mig_conformance.temporal.asking import invocation

_REPLAY = "mig.idempotent_replay"


async def logs(trial: Trial) -> None:
    """A topic of one name is two logs; each counts its own events."""
    topic = trial.new_topic()
    for sequence in (1, 2):
        for caller in _two(trial):
            ack = await trial.publish(topic, caller=caller)
            same(f"the sequence of event {sequence} of {caller.tenant}", ack["sequence"], sequence)


async def subscriptions(trial: Trial) -> None:
    """What comes live, and then what is replayed."""
    topic = trial.new_topic()
    own, other = _two(trial)
    live = await trial.subscribe(topic, caller=other)
    try:
        acks = {caller: await trial.publish(topic, caller=caller) for caller in (own, other)}
        same("the first event of a subscription", (await live.next()).data["event_id"], _id(acks[other]))
    finally:
        await live.close()
    for caller in (own, other):
        replayed = await trial.subscribe(topic, caller=caller, resume_cursor="0")
        try:
            first = (await replayed.next()).data
            same(f"the first event that {caller.tenant} has replayed", first["event_id"], _id(acks[caller]))
            same(f"what else {caller.tenant} is sent", await replayed.quiet(0.1), None)
        finally:
            await replayed.close()


async def keys(trial: Trial) -> None:
    """An idempotency key of one tenant is new in another, also with another payload."""
    header = {"idempotency_key": trial.new_id()}
    own, other = _two(trial)
    for caller, payload, replay in (
        (own, {"input": "one"}, None),
        (other, {"input": "two"}, None),
        (own, {"input": "one"}, True),
        (other, {"input": "two"}, True),
    ):
        message = invocation(header=header, payload=payload)
        answer = (await trial.call("INVOKE", message, caller=caller)).accepted()
        same(f"the echo to {caller.tenant}", answer["payload"]["echo"], payload)
        found = (answer["header"].get("meta") or {}).get(_REPLAY)
        same(f"{_REPLAY} of {caller.tenant}", found, replay)


async def keys_of_publish(trial: Trial) -> None:
    """Nor is the ack of one tenant given to another."""
    header = {"idempotency_key": trial.new_id()}
    topic = trial.new_topic()
    acks = [await trial.publish(topic, caller=caller, header=header) for caller in _two(trial)]
    expect(_id(acks[0]) != _id(acks[1]), f"two tenants were given the same event: {acks[0]}")


async def cancellations(trial: Trial) -> None:
    """A CANCEL by another tenant is about an invocation that this one has not seen, and stops nothing."""
    own, other = _two(trial)
    target, started, over = trial.new_id(), trial.new_id(), trial.new_id()
    running = asyncio.create_task(
        trial.script({"mark": started}, {"await_mark": {"key": over}}, header={"message_id": target})
    )
    try:
        await trial.script({"await_mark": {"key": started}}, caller=own)
        same("the status that another tenant is told", (await _cancelled(trial, target, other)), "pending")
        await trial.script({"mark": over}, caller=own)
        (await running).accepted()
    finally:
        running.cancel()
    same("the status once it is done", await _cancelled(trial, target, own), "completed")


async def cancellations_beforehand(trial: Trial) -> None:
    """One that comes before the invocation refuses it in its own tenant only."""
    own, other = _two(trial)
    message = invocation(header={"message_id": trial.new_id()})
    same("the status", await _cancelled(trial, message["header"]["message_id"], other), "pending")
    (await trial.call("INVOKE", message, caller=own)).accepted()
    (await trial.call("INVOKE", message, caller=other)).refused("MIG_TIMEOUT")


async def _cancelled(trial: Trial, target: str, caller: Caller) -> Any:
    ack = (await trial.call("CANCEL", {"target_message_id": target}, caller=caller)).accepted()
    return ack["status"]


def _two(trial: Trial) -> tuple[Caller, Caller]:
    return trial.own, trial.callers.named("other")


def _id(event: JsonObject) -> str:
    return str(event["event_id"])
