"""SUBSCRIBE: from where, in which order, and what is never lost."""

from __future__ import annotations

import asyncio

from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import JsonObject, Subscription
from mig_conformance.flaws import FlawError, UncheckedError, expect, same
from mig_conformance.temporal.subscriptions import events, following, nothing_more

_SEAM_EVENTS = 40
_SEAM_EVERY = 8
_PUBLISHERS = 4
_EACH = 8
_AT_ONCE = 16
# More than the buffers between a server and a client hold: loopback's grow to some megabytes each.
_SLOW_BYTES = 12 * 2**20
_SLOW_EVENTS = 160
_PAST = 20


async def other_tenant(trial: Trial) -> None:
    """The same topic of another tenant, replayed and live."""
    topic, other = trial.new_topic(), trial.callers.named("other")
    await trial.publish(topic, {"whose": "other"}, caller=other)
    async with following(trial, topic, resume_cursor="0") as subscription:
        await trial.publish(topic, {"whose": "other"}, caller=other)
        await nothing_more(subscription, "an event of another tenant")
        await trial.publish(topic, {"whose": "own"})
        (event,) = await events(subscription, 1)
    same("the payload", event["payload"], {"whose": "own"})
    same("the tenant of the event", event["header"]["tenant_id"], trial.subject.tenant)


async def every_subscriber(trial: Trial) -> None:
    """Two of one topic get all of it, each."""
    topic = trial.new_topic()
    async with following(trial, topic) as one, following(trial, topic) as other:
        acks = [await trial.publish(topic, {"n": number}) for number in range(4)]
        for subscription in (one, other):
            found = [event["event_id"] for event in await events(subscription, 4)]
            same("the events", found, [ack["event_id"] for ack in acks])


async def seam(trial: Trial) -> None:
    """Subscribers that begin while events are published, from the start and from the middle."""
    topic = trial.new_topic()
    acks: list[JsonObject] = []
    readers: list[asyncio.Task[None]] = []
    try:
        for number in range(1, _SEAM_EVENTS + 1):
            acks.append(await trial.publish(topic, {"n": number}))
            if number % _SEAM_EVERY == 0:
                middle = acks[len(acks) // 2]["sequence"]
                readers += [
                    asyncio.create_task(_across(trial, topic, cursor, acks)) for cursor in (0, middle)
                ]
        await asyncio.gather(*readers)
    finally:
        for reader in readers:
            reader.cancel()


async def _across(trial: Trial, topic: str, cursor: int, acks: list[JsonObject]) -> None:
    after = sum(ack["sequence"] <= cursor for ack in acks)
    async with following(trial, topic, resume_cursor=str(cursor)) as subscription:
        found = await events(subscription, _SEAM_EVENTS - after)
    numbers = [event["payload"]["n"] for event in found]
    same(f"the events after {cursor}", numbers, list(range(after + 1, _SEAM_EVENTS + 1)))
    replayed = [event["replay"] for event in found]
    same("replay of the events", replayed, sorted(replayed, reverse=True))


async def order(trial: Trial) -> None:
    """Of events that several publish at the same time, for a live subscriber and for a replay."""
    topic = trial.new_topic()
    async with following(trial, topic) as live:
        await asyncio.gather(*(_publish(trial, topic, _EACH) for _ in range(_PUBLISHERS)))
        found = await events(live, _PUBLISHERS * _EACH)
    _in_order(found)
    async with following(trial, topic, resume_cursor="0") as replay:
        again = await events(replay, _PUBLISHERS * _EACH)
    same("the events replayed", [each["event_id"] for each in again], [each["event_id"] for each in found])
    _in_order(again)


async def slow_reader(trial: Trial) -> None:
    """One that reads nothing for a while, beside one that keeps up."""
    topic = trial.new_topic()
    count = min(_SLOW_EVENTS, trial.subject.limits.retained_events or _SLOW_EVENTS)
    filler = "x" * (_SLOW_BYTES // count)
    async with following(trial, topic) as slow, following(trial, topic) as prompt:
        for number in range(1, count + 1):
            await trial.publish(topic, {"n": number, "filler": filler})
            (event,) = await events(prompt, 1)
            same("what the other one got", event["payload"]["n"], number)
        found = [event["payload"]["n"] for event in await events(slow, count)]
    same("what the slow one got", found, list(range(1, count + 1)))


async def gap(trial: Trial) -> None:
    """A cursor that retention has passed, and what follows the gap."""
    topic, retained = trial.new_topic(), trial.subject.limits.retained_events
    if retained is None:
        raise UncheckedError("how many events a topic keeps is not in the manifest: limits.retained_events")
    last = retained + _PAST
    await _publish(trial, topic, last)
    async with following(trial, topic, resume_cursor="2") as subscription:
        first = await subscription.next()
        if first.kind == "event" and first.data["sequence"] == 3:
            raise UncheckedError(f"more than limits.retained_events, {retained}, are still there")
        expect(first.kind == "gap", f"events were skipped without a word, up to {first.data}")
        same("from_sequence", first.data["from_sequence"], 3)
        torn = first.data["to_sequence"]
        expect(3 <= torn < last, f"the gap goes to {torn}, and the events to {last}")
        found = [event["sequence"] for event in await events(subscription, last - torn)]
    same("the sequences after the gap", found, list(range(torn + 1, last + 1)))


async def made_up_gap(trial: Trial) -> None:
    """A publisher's own mig.gap, which is taken out, beside another key of meta, which is not."""
    topic = trial.new_topic()
    meta = {"mig.gap": {"from_sequence": 1, "to_sequence": 5}, "colour": "blue"}
    async with following(trial, topic) as subscription:
        await trial.publish(topic, {"n": 1}, header={"meta": meta})
        event = await subscription.next()
        if event.kind == "gap":
            raise FlawError(f"a gap that a publisher made up: {event.data}")
    same("the meta of the event", event.data["header"].get("meta"), {"colour": "blue"})


async def new_consumer(trial: Trial) -> None:
    """A name that was not seen before starts from now on."""
    topic = trial.new_topic()
    await trial.publish(topic, {"n": 1})
    async with following(trial, topic, consumer_id=trial.new_id()) as subscription:
        await trial.publish(topic, {"n": 2})
        (event,) = await events(subscription, 1)
    same("the payload of the first event", event["payload"], {"n": 2})


async def consumer_resumes(trial: Trial) -> None:
    """A name goes on where its connection left off, and on that topic only."""
    topic, consumer = trial.new_topic(), trial.new_id()
    async with following(trial, topic, consumer_id=consumer) as subscription:
        await _publish_one_by_one(trial, topic, subscription, 2)
    missed = [await trial.publish(topic, {"n": number}) for number in (3, 4)]
    async with following(trial, topic, consumer_id=consumer) as subscription:
        found = await events(subscription, 2)
    same("what it missed", [each["event_id"] for each in found], [each["event_id"] for each in missed])
    same("replay of what it missed", [each["replay"] for each in found], [True, True])


async def consumer_moved(trial: Trial) -> None:
    """A cursor counts for more than the name's place, and the name goes on from there."""
    topic, consumer = trial.new_topic(), trial.new_id()
    async with following(trial, topic, consumer_id=consumer) as subscription:
        await _publish_one_by_one(trial, topic, subscription, 2)
    await trial.publish(topic, {"n": 3})
    async with following(trial, topic, consumer_id=consumer, resume_cursor="0") as subscription:
        found = [event["payload"]["n"] for event in await events(subscription, 3)]
    same("the events after cursor 0", found, [1, 2, 3])
    await trial.publish(topic, {"n": 4})
    async with following(trial, topic, consumer_id=consumer, resume_cursor="4"):
        pass
    await trial.publish(topic, {"n": 5})
    async with following(trial, topic, consumer_id=consumer) as subscription:
        (event,) = await events(subscription, 1)
    same("the first event after the name was moved to 4", event["payload"], {"n": 5})


async def _publish_one_by_one(trial: Trial, topic: str, subscription: Subscription, count: int) -> None:
    for number in range(1, count + 1):
        await trial.publish(topic, {"n": number})
        (event,) = await events(subscription, 1)
        same("the payload", event["payload"], {"n": number})


async def _publish(trial: Trial, topic: str, count: int) -> None:
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> None:
        async with room:
            await trial.publish(topic, {"n": number})

    await asyncio.gather(*(one(number) for number in range(count)))


def _in_order(found: list[JsonObject]) -> None:
    sequences = [event["sequence"] for event in found]
    expect(sequences == sorted(set(sequences)), f"the sequences are not in order: {sequences}")
