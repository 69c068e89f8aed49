"""Subscriptions that are closed again, and what they gave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import BindingName, Driver, JsonObject, Subscription
from mig_conformance.flaws import FlawError

# What must not come is waited for this long.
QUIET_S = 0.2


@asynccontextmanager
async def following(trial: Trial, topic: str, **further: Any) -> AsyncIterator[Subscription]:
    """A subscription while the block runs; `further` as for Trial.subscribe."""
    subscription = await trial.subscribe(topic, **further)
    try:
        yield subscription
    finally:
        await subscription.close()


async def events(subscription: Subscription, count: int) -> list[JsonObject]:
    """The next events. Raises FlawError for a gap among them, which nothing has torn."""
    found: list[JsonObject] = []
    while len(found) < count:
        event = await subscription.next()
        if event.kind == "gap":
            raise FlawError(f"a gap where every event is retained: {event.data}")
        found.append(event.data)
    return found


async def nothing_more(subscription: Subscription, why: str) -> None:
    """Raises FlawError for whatever else comes."""
    further = await subscription.quiet(QUIET_S)
    if further is not None:
        raise FlawError(f"{why}: {further.data}")


def reader(trial: Trial) -> Driver:
    """What a log is read with: gRPC's own SUBSCRIBE, SSE for all others, or gRPC where there is no HTTP."""
    over_grpc = trial.binding == "grpc" or trial.subject.endpoints.http is None
    binding: BindingName = "grpc" if over_grpc else "sse"
    return trial.beside(binding)
