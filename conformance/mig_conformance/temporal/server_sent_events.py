"""What Server-Sent Events look like on the wire (protocol section 5)."""

from __future__ import annotations

import asyncio
from typing import Any

from mig_conformance.checks.trial import Trial
from mig_conformance.flaws import FlawError, UncheckedError, expect, same
from mig_conformance.temporal.subscriptions import following

_LOOK_S = 0.05


async def form(trial: Trial) -> None:
    """The fields of an event, live and replayed."""
    topic = trial.new_topic()
    async with following(trial, topic) as subscription:
        content_type = subscription.opened.fields.get("content-type", "")
        same("the content type", content_type.partition(";")[0].strip(), "text/event-stream")
        acks = [await trial.publish(topic, {"line": "one\ntwo", "n": number}) for number in range(2)]
        live = [await subscription.next() for _ in acks]
    async with following(trial, topic, resume_cursor="0") as subscription:
        replayed = [await subscription.next() for _ in acks]
    for event, ack in zip((*live, *replayed), (*acks, *acks), strict=True):
        same("the event line", event.name, "mig-event")
        same("the id line", event.id, str(ack["sequence"]))
        same("the event_id in the data", event.data["event_id"], ack["event_id"])


async def keepalive(trial: Trial) -> None:
    """Comments on a stream without events, which go on, and an event after them."""
    pause_s = trial.subject.limits.keepalive_s
    if pause_s is None:
        raise UncheckedError("the pause between comments is not in the manifest: limits.keepalive_s")
    topic = trial.new_topic()
    async with following(trial, topic) as subscription:
        for count in (1, 2):
            await _comments(subscription, count, pause_s + trial.patience_s)
        await trial.publish(topic, {"n": 1})
        event = await subscription.next()
    expect(event.data["payload"] == {"n": 1}, f"after the comments comes {event.data}")


async def _comments(subscription: Any, count: int, within_s: float) -> None:
    try:
        async with asyncio.timeout(within_s):
            while subscription.comments < count:
                if (event := await subscription.quiet(_LOOK_S)) is not None:
                    raise FlawError(f"an event that nobody published: {event.data}")
    except TimeoutError:
        raise FlawError(
            f"{subscription.comments} comments, and no further one for {within_s:g} seconds"
        ) from None
