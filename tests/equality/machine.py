"""The one machine: it makes up calls and asks each of them over every binding, side by side.

There is no model of what the right answer is: the bindings are each other's. Every lane has a tenant of its
own, so that all of them go through the same history, and what is left of it is compared at the end: the audit
trail, what was charged, what is left of the quota, the event logs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, multiple, rule

from equality import generated_calls as calls
from equality.asked import OWN, Asked, JsonObject
from equality.capabilities import ECHO, HOLD
from equality.lanes import Lane
from equality.outcome import Outcome, compare
from equality.unsayable import SILENT
from equality.world import World, patiently

T = TypeVar("T")
_MOST_LEFT = 8


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription of every lane: its number among them, its topic."""

    number: int
    topic: str


class BindingsAgree(RuleBasedStateMachine):
    """Run with `world` set, by `examine`."""

    world: World
    held: Bundle[str] = Bundle("held")
    subscribed: Bundle[Subscribed] = Bundle("subscribed")

    def __init__(self) -> None:
        super().__init__()
        self.lanes: list[Lane] = []
        self._steps = 0
        self._quota = False
        self._agreed = True
        self._heads: dict[str, int] = {}
        self._read: dict[Subscribed, int] = {}
        self._running: dict[str, Asked] = {}

    @initialize(insiders=st.booleans())
    def open(self, insiders: bool) -> None:
        self.lanes = self.world.open_lanes(insiders=insiders)

    # -- one answer ----------------------------------------------------------------------------------

    @rule(call=calls.asked("HELLO", calls.HELLOS))
    def hello(self, call: Asked) -> None:
        self._ask(call)

    @rule(call=calls.asked("DISCOVER", calls.DISCOVERIES))
    def discover(self, call: Asked) -> None:
        self._ask(call)

    @rule(call=calls.asked("HEARTBEAT", calls.HEARTBEATS))
    def heartbeat(self, call: Asked) -> None:
        self._ask(call)

    @rule(call=calls.asked("INVOKE", calls.INVOCATIONS))
    def invoke(self, call: Asked) -> None:
        self._ask(call)

    @rule(call=calls.asked("INVOKE", calls.INVOCATIONS), key=calls.KEYS)
    def invoke_once(self, call: Asked, key: str) -> None:
        self._ask(_keyed(call, key))

    @rule(call=calls.misasked(calls.asked("INVOKE", calls.INVOCATIONS)))
    def invoke_wrongly(self, call: Asked) -> None:
        self._ask(call)

    @rule(
        call=calls.misasked(
            calls.asked("HELLO", calls.HELLOS)
            | calls.asked("DISCOVER", calls.DISCOVERIES)
            | calls.asked("HEARTBEAT", calls.HEARTBEATS)
            | calls.asked("PUBLISH", calls.PUBLICATIONS)
        )
    )
    def ask_wrongly(self, call: Asked) -> None:
        self._count(call, self._ask(call))

    # -- streams -------------------------------------------------------------------------------------

    @rule(call=calls.asked("INVOKE", calls.INVOCATIONS), key=st.none() | calls.KEYS, named=st.booleans())
    def stream(self, call: Asked, key: str | None, named: bool) -> None:
        call = call if key is None else _keyed(call, key)
        self._stream(call, named, ())

    @rule(call=calls.misasked(calls.asked("INVOKE", calls.INVOCATIONS)))
    def stream_wrongly(self, call: Asked) -> None:
        self._stream(call, True, ())

    @rule(call=calls.asked("INVOKE", calls.CHATS), inputs=calls.INPUTS)
    def chat(self, call: Asked, inputs: list[JsonObject]) -> None:
        self._stream(call, True, inputs)

    # -- what is running -----------------------------------------------------------------------------

    @rule(target=held, header=calls.RIGHT_HEADERS, streamed=st.booleans(), key=st.none() | calls.KEYS)
    def hold(self, header: JsonObject | None, streamed: bool, key: str | None) -> str | MultipleResults[Any]:
        """Start what goes on until it is released or stopped."""
        message_id = f"held-{self._steps}"
        call = Asked(
            operation="INVOKE", body={"capability": HOLD}, header={**(header or {}), "message_id": message_id}
        )
        if key is not None and key not in self._keys_in_use():
            call = _keyed(call, key)
        started = self._each(lambda lane: self._start(lane, call, streamed))
        assert len(set(started.values())) == 1, f"it started on some only: {started}"
        if not all(started.values()):
            self._finish(call)
            return multiple()
        self._running[message_id] = call
        return message_id

    @rule(message_id=held, call=calls.asked("CANCEL", st.fixed_dictionaries({"reason": calls.REASONS})))
    def cancel_held(self, message_id: str, call: Asked) -> None:
        """What is over already stays as it is."""
        outcomes = self._ask(replace(call, body={**call.body, "target_message_id": message_id}))
        if message_id in self._running and all(outcome.answer for outcome in outcomes.values()):
            self._finish(self._running.pop(message_id))

    @rule(message_id=held)
    def release(self, message_id: str) -> None:
        if message_id in self._running:
            self._release(message_id)
            self._finish(self._running.pop(message_id))

    @rule(message_id=held, succeeds=st.booleans())
    def call_again(self, message_id: str, succeeds: bool) -> None:
        """While the first call under its key runs: it succeeds and is given again, or it is cancelled."""
        first = self._running.get(message_id)
        if first is None or "idempotency_key" not in _header(first):
            return
        again = replace(first, header={**_header(first), "message_id": f"again-{self._steps}"})
        self._release(_header(again)["message_id"])
        self._each(lambda lane: self._begin(lane, again))
        if succeeds:
            self.release(message_id)
        else:
            self.cancel_held(message_id, Asked(operation="CANCEL"))
        self._finish(again)

    @rule(
        call=calls.asked(
            "CANCEL",
            st.fixed_dictionaries(
                {"target_message_id": calls.MESSAGE_IDS}, optional={"reason": calls.REASONS}
            ),
        )
    )
    def cancel(self, call: Asked) -> None:
        """Of what is over, or has not come yet."""
        self._ask(call)

    @rule(milliseconds=st.sampled_from([1, 20]), streamed=st.booleans())
    def run_out_of_time(self, milliseconds: int, streamed: bool) -> None:
        call = Asked(operation="INVOKE", body={"capability": HOLD}, header={"deadline_ms": milliseconds})
        if streamed:
            self._stream(call, True, ())
        else:
            self._ask(call)

    # -- events --------------------------------------------------------------------------------------

    @rule(call=calls.asked("PUBLISH", calls.PUBLICATIONS), times=st.integers(1, 3))
    def publish(self, call: Asked, times: int) -> None:
        for _ in range(times):
            self._count(call, self._ask(call))

    @rule(call=calls.asked("PUBLISH", calls.PUBLICATIONS), key=calls.KEYS)
    def publish_once(self, call: Asked, key: str) -> None:
        call = _keyed(call, key)
        self._count(call, self._ask(call))

    @rule(target=subscribed, call=calls.asked("SUBSCRIBE", calls.SUBSCRIPTIONS))
    def subscribe(self, call: Asked) -> Subscribed | MultipleResults[Any]:
        call = replace(call, extra=False, carried=True)
        outcomes = self._together(call, lambda lane: lane.subscribe(call))
        if any(outcome.error for outcome in outcomes.values()):
            return multiple()
        new = Subscribed(len(self._read), call.body["topic"])
        head = self._heads.get(new.topic, 0)
        self._read[new] = min(int(call.body.get("resume_cursor", head)), head)
        return new

    @rule(subscription=subscribed)
    def read(self, subscription: Subscribed) -> None:
        """Everything that has come meanwhile."""
        last = self._heads.get(subscription.topic, 0)
        if self._read[subscription] < last:
            self._together(subscription, lambda lane: lane.events(subscription.number, last))
            self._read[subscription] = last

    # -- quotas --------------------------------------------------------------------------------------

    @rule(most=st.integers(1, _MOST_LEFT))
    def set_quota(self, most: int) -> None:
        self._each(lambda lane: self.world.set_quota(lane, most))
        self._quota = True

    # -- the end -------------------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            if self._agreed and self.lanes:
                self._agree_on_what_is_left()
        finally:
            for lane in self.lanes:
                self.world.run(lane.close())

    def _agree_on_what_is_left(self) -> None:
        for message_id in list(self._running):
            self.release(message_id)
        for subscription in self._read:
            # A last event, so that what is there too much is seen in front of it.
            last = Asked(operation="PUBLISH", body={"topic": subscription.topic, "payload": {"last": True}})
            self._count(last, self._ask(last))
            self.read(subscription)
        if self._quota:
            self._use_up_the_quota()
        for what in (self.world.audit, self.world.usage):
            left = self._each(what)
            compare(
                what.__name__,
                {name: Outcome(answer=value, retry_after=False) for name, value in left.items()},
            )

    def _use_up_the_quota(self) -> None:
        call = Asked(operation="INVOKE", body={"capability": ECHO})
        for _ in range(_MOST_LEFT + 1):
            if any(outcome.error for outcome in self._ask(call).values()):
                return

    # -- asking --------------------------------------------------------------------------------------

    def _ask(self, call: Asked) -> dict[str, Outcome]:
        return self._together(call, lambda lane: lane.ask(call))

    def _stream(self, call: Asked, named: bool, inputs: Iterable[JsonObject]) -> None:
        stream_id = f"stream-of-step-{self._steps}" if named or inputs else ""
        self._together(call, lambda lane: lane.stream(call, stream_id, list(inputs)))

    def _together(self, call: object, work: Callable[[Lane], Awaitable[Outcome]]) -> dict[str, Outcome]:
        outcomes = self._each(work, self._able(call))
        try:
            compare(call, outcomes)
        except AssertionError:
            self._agreed = False
            raise
        return outcomes

    def _each(
        self, work: Callable[[Lane], Awaitable[T]], lanes: Iterable[Lane] | None = None
    ) -> dict[str, T]:
        """The same on every lane, at the same time."""
        lanes = list(self.lanes if lanes is None else lanes)
        self._steps += 1
        for lane in self.lanes:
            lane.normalise.next_step()

        async def all_of_them() -> list[T]:
            return await asyncio.gather(*(patiently(lane, work(lane)) for lane in lanes))

        try:
            return dict(zip((lane.name for lane in lanes), self.world.run(all_of_them()), strict=True))
        except BaseException:
            self._agreed = False
            raise

    def _able(self, call: object) -> list[Lane]:
        """The lanes whose binding can say this."""
        tenantless = isinstance(call, Asked) and not call.named and not self.world.jwt
        if tenantless and _header(call).get("tenant_id") != OWN:
            return [lane for lane in self.lanes if "no tenant" not in SILENT.get(lane.name, {})]
        return self.lanes

    async def _begin(self, lane: Lane, call: Asked, streamed: bool = False) -> asyncio.Task[Outcome]:
        message_id = _header(call)["message_id"]
        task = asyncio.create_task(lane.stream(call, message_id, ()) if streamed else lane.ask(call))
        lane.running[message_id] = task
        return task

    async def _start(self, lane: Lane, call: Asked, streamed: bool) -> bool:
        """Begin, and say whether it is running now or over already."""
        task = await self._begin(lane, call, streamed)
        started = asyncio.create_task(self.world.holds.started(lane.who.own, _header(call)["message_id"]))
        await asyncio.wait((task, started), return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        return not task.done()

    def _release(self, message_id: str) -> None:
        for lane in self.lanes:
            self.world.holds.release(lane.who.own, message_id)

    def _finish(self, call: Asked) -> None:
        """Compare how something that was begun has ended."""
        message_id = _header(call)["message_id"]
        self._together(call, lambda lane: lane.running.pop(message_id))

    def _keys_in_use(self) -> set[str]:
        """Another call under one of these would wait for the first."""
        return {_header(call).get("idempotency_key", "") for call in self._running.values()}

    def _count(self, call: Asked, outcomes: dict[str, Outcome]) -> None:
        """Remember how far a topic goes."""
        if call.operation != "PUBLISH":
            return
        for outcome in outcomes.values():
            if outcome.answer is not None:
                topic = call.body["topic"]
                self._heads[topic] = max(self._heads.get(topic, 0), outcome.answer["sequence"])


def _header(call: Asked) -> JsonObject:
    return call.header or {}


def _keyed(call: Asked, key: str) -> Asked:
    return replace(call, header={**_header(call), "idempotency_key": key})
