"""The same calls on every lane at the same time, compared one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from equality.asked import OWN, Asked, JsonObject
from equality.lanes import Lane
from equality.outcome import Outcome, compare
from equality.unsayable import SILENT
from equality.world import World, patiently

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription of every lane: its number among them, its topic."""

    number: int
    topic: str


class SideBySide:
    """The lanes of one run, and what has to be known of their common history to go on with it.

    Whatever is asked raises BindingsDifferError where the outcomes are not the same.
    `running` are the invocations that were begun and have not ended, by message id.
    """

    def __init__(self, world: World, lanes: list[Lane]) -> None:
        self.lanes = lanes
        self.steps = 0
        self.running: dict[str, Asked] = {}
        self._world = world
        self._heads: dict[str, int] = {}
        self._read: dict[Subscribed, int] = {}

    # -- one call --------------------------------------------------------------------------------------

    def ask(self, call: Asked) -> dict[str, Outcome]:
        """One answer."""
        outcomes = self.together(call, lambda lane: lane.ask(call))
        if call.operation == "PUBLISH":
            for outcome in outcomes.values():
                self._published(call.body["topic"], outcome)
        return outcomes

    def stream(self, call: Asked, inputs: Iterable[JsonObject] = (), *, named: bool = True) -> None:
        """The frames of a streamed invocation, whose stream the caller or the gateway names."""
        stream_id = f"stream-of-step-{self.steps}" if named else ""
        self.together(call, lambda lane: lane.stream(call, stream_id, list(inputs)))

    def frame(self, call: Asked, frame: JsonObject) -> None:
        """One frame by itself."""
        stream_id = f"stream-of-step-{self.steps}"
        self.together(call, lambda lane: lane.frame(call, stream_id, frame))

    # -- what goes on ----------------------------------------------------------------------------------

    def begin(self, call: Asked, *, streamed: bool = False) -> bool:
        """Whether it is running now. What was refused has been compared."""
        started = self.each(lambda lane: self._started(lane, call, streamed))
        assert len(set(started.values())) == 1, f"it started on some only: {started}"
        self.running[call.message_id] = call
        if not all(started.values()):
            self.finish(call.message_id)
            return False
        return True

    def queue(self, call: Asked) -> None:
        """Begin what waits for another call, and do not wait with it."""
        self.each(lambda lane: self._begun(lane, call, False))
        self.running[call.message_id] = call

    def release(self, message_id: str) -> None:
        """Let the provider finish, whether it has begun or not."""
        for lane in self.lanes:
            self._world.holds.release(lane.who.own, message_id)

    def finish(self, message_id: str) -> None:
        """Compare how something that was begun has ended."""
        call = self.running.pop(message_id)
        self.together(call, lambda lane: lane.running.pop(message_id))

    # -- events ----------------------------------------------------------------------------------------

    def subscribe(self, call: Asked) -> Subscribed | None:
        """None where it is refused."""
        outcomes = self.together(call, lambda lane: lane.subscribe(call))
        if any(outcome.error for outcome in outcomes.values()):
            return None
        new = Subscribed(len(self._read), call.body["topic"])
        head = self._heads.get(new.topic, 0)
        self._read[new] = min(int(call.body.get("resume_cursor", head)), head)
        return new

    def read(self, subscription: Subscribed) -> None:
        """Everything that has come since it was read last."""
        last = self._heads.get(subscription.topic, 0)
        if self._read[subscription] < last:
            self.together(subscription, lambda lane: lane.events(subscription.number, last))
            self._read[subscription] = last

    def read_to_the_end(self) -> None:
        """All topics from their beginning, and what is left of every subscription.

        A last event is published first, so that what is there too much is seen in front of it.
        """
        for topic in list(self._heads):
            self.ask(Asked(operation="PUBLISH", body={"topic": topic, "payload": {"last": True}}))
            self.subscribe(Asked(operation="SUBSCRIBE", body={"topic": topic, "resume_cursor": "0"}))
        for subscription in self._read:
            self.read(subscription)

    # -- all lanes -------------------------------------------------------------------------------------

    def together(self, call: object, work: Callable[[Lane], Awaitable[Outcome]]) -> dict[str, Outcome]:
        """Compare what comes of it on the lanes whose binding can say it."""
        outcomes = self.each(work, self._able(call))
        compare(call, outcomes)
        return outcomes

    def each(self, work: Callable[[Lane], Awaitable[T]], lanes: Iterable[Lane] | None = None) -> dict[str, T]:
        """What comes of it on every lane, by the lane's name."""
        taking_part = list(self.lanes if lanes is None else lanes)
        self.steps += 1
        for lane in self.lanes:
            lane.normalise.next_step()

        async def all_of_them() -> list[T]:
            return await asyncio.gather(*(patiently(lane, work(lane)) for lane in taking_part))

        results = self._world.run(all_of_them())
        return {lane.name: result for lane, result in zip(taking_part, results, strict=True)}

    def close(self) -> None:
        """Leave nothing behind that the next run could notice."""
        for message_id in self.running:
            self.release(message_id)
        for lane in self.lanes:
            self._world.run(lane.close())
        self._world.run(self._world.idle())

    def _able(self, call: object) -> list[Lane]:
        if not isinstance(call, Asked):
            return self.lanes
        needs = call.needs
        if not call.named and not self._world.jwt and (call.header or {}).get("tenant_id") != OWN:
            needs = "no tenant"
        return [lane for lane in self.lanes if needs not in SILENT.get(lane.name, {})]

    async def _begun(self, lane: Lane, call: Asked, streamed: bool) -> asyncio.Task[Outcome]:
        ending = lane.stream(call, call.message_id, ()) if streamed else lane.ask(call)
        task = lane.running[call.message_id] = asyncio.create_task(ending)
        return task

    async def _started(self, lane: Lane, call: Asked, streamed: bool) -> bool:
        """Whether the provider has it, and it is not over."""
        task = await self._begun(lane, call, streamed)
        started = asyncio.create_task(self._world.holds.started(lane.who.own, call.message_id))
        await asyncio.wait((task, started), return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        return not task.done()

    def _published(self, topic: str, outcome: Outcome) -> None:
        if outcome.answer is not None:
            self._heads[topic] = max(self._heads.get(topic, 0), outcome.answer["sequence"])
