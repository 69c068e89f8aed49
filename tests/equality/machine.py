"""The one machine: it makes up calls and asks each of them over every binding, side by side.

There is no model of what the right answer is: the bindings are each other's. Every lane has a tenant of its
own, so that all of them go through the same history, and what is left of it is compared at the end: the audit
trail, what was charged, what is left of the quota, the event logs.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any, Literal, get_args

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, multiple, rule

from equality import generated_calls as calls
from equality.asked import Asked, JsonObject
from equality.capabilities import ECHO, HOLD
from equality.outcome import Outcome, compare
from equality.side_by_side import SideBySide, Subscribed
from equality.world import World

_MOST_LEFT = 8
How = Literal["answer", "frames", "frames of a stream without a name", "both"]
HOW = st.sampled_from(get_args(How))


class BindingsAgree(RuleBasedStateMachine):
    """Run with `world` set, by `examine`."""

    world: World
    keyed: Bundle[Asked] = Bundle("keyed")
    held: Bundle[str] = Bundle("held")
    subscribed: Bundle[Subscribed] = Bundle("subscribed")

    def __init__(self) -> None:
        super().__init__()
        self._around = sys.exc_info()[1]

    @initialize(insiders=st.booleans())
    def open(self, insiders: bool) -> None:
        self.lanes = SideBySide(self.world, self.world.open_lanes(insiders=insiders))
        self.quota = False

    # -- one answer ----------------------------------------------------------------------------------

    @rule(call=calls.QUESTIONS)
    def ask(self, call: Asked) -> None:
        self.lanes.ask(call)

    @rule(
        call=calls.misasked(calls.QUESTIONS | calls.asked("PUBLISH", calls.PUBLICATIONS))
        | calls.DISAGREEING
        | calls.MISTYPED
    )
    def ask_wrongly(self, call: Asked) -> None:
        self.lanes.ask(call)

    @rule(call=calls.QUESTIONS | calls.asked("INVOKE", calls.INVOCATIONS))
    def send_garbage(self, call: Asked) -> None:
        self.lanes.together(call, lambda lane: lane.garbage(call))

    # -- invocations, for an answer or for frames ------------------------------------------------------

    @rule(call=calls.asked("INVOKE", calls.INVOCATIONS), how=HOW)
    def invoke(self, call: Asked, how: How) -> None:
        if how in ("answer", "both"):
            self.lanes.ask(call)
        if how != "answer":
            self.lanes.stream(call, named=how != "frames of a stream without a name")

    @rule(target=keyed, call=calls.asked("INVOKE", calls.INVOCATIONS), key=calls.KEYS, how=HOW)
    def invoke_once(self, call: Asked, key: str, how: How) -> Asked:
        call = call.with_header(idempotency_key=key)
        self.invoke(call, how)
        return call

    @rule(call=keyed, how=HOW)
    def invoke_again(self, call: Asked, how: How) -> None:
        """The same under the same key, as one who got no answer does."""
        self.invoke(call, how)

    @rule(call=calls.misasked(calls.asked("INVOKE", calls.INVOCATIONS)), how=HOW)
    def invoke_wrongly(self, call: Asked, how: How) -> None:
        self.invoke(call, how)

    @rule(call=calls.asked("INVOKE", calls.CHATS), inputs=calls.INPUTS)
    def chat(self, call: Asked, inputs: list[JsonObject]) -> None:
        self.lanes.stream(call, inputs)

    @rule(call=calls.asked("INVOKE", st.just({})), frame=calls.ODD_FRAMES)
    def send_an_odd_frame(self, call: Asked, frame: JsonObject) -> None:
        self.lanes.frame(call, frame)

    # -- what is running -----------------------------------------------------------------------------

    @rule(target=held, header=calls.RIGHT_HEADERS, streamed=st.booleans(), key=st.none() | calls.KEYS)
    def hold(self, header: JsonObject | None, streamed: bool, key: str | None) -> str | MultipleResults[Any]:
        """Start what goes on until it is released or stopped."""
        call = Asked(operation="INVOKE", body={"capability": HOLD}, header=header)
        call = call.with_header(message_id=f"held-{self.lanes.steps}")
        if key is not None and key not in self._keys_in_use():
            call = call.with_header(idempotency_key=key)
        return call.message_id if self.lanes.begin(call, streamed=streamed) else multiple()

    @rule(message_id=held, call=calls.asked("CANCEL", st.fixed_dictionaries({"reason": calls.REASONS})))
    def cancel_held(self, message_id: str, call: Asked) -> None:
        """What is over already stays as it is."""
        outcomes = self.lanes.ask(replace(call, body={**call.body, "target_message_id": message_id}))
        if message_id in self.lanes.running and all(outcome.answer for outcome in outcomes.values()):
            self.lanes.finish(message_id)

    @rule(message_id=held)
    def release(self, message_id: str) -> None:
        if message_id in self.lanes.running:
            self.lanes.release(message_id)
            self.lanes.finish(message_id)

    @rule(message_id=held, succeeds=st.booleans())
    def call_again(self, message_id: str, succeeds: bool) -> None:
        """While the first call under its key runs: it succeeds and is given again, or it is cancelled."""
        first = self.lanes.running.get(message_id)
        if first is None or "idempotency_key" not in (first.header or {}):
            return
        again = first.with_header(message_id=f"repeated-{self.lanes.steps}")
        self.lanes.release(again.message_id)
        self.lanes.queue(again)
        if succeeds:
            self.release(message_id)
        else:
            self.cancel_held(message_id, Asked(operation="CANCEL"))
        self.lanes.finish(again.message_id)

    @rule(call=calls.CANCELLATIONS)
    def cancel(self, call: Asked) -> None:
        """Of what is over, or has not come yet."""
        self.lanes.ask(call)

    @rule(milliseconds=st.sampled_from([1, 20]), how=HOW)
    def run_out_of_time(self, milliseconds: int, how: How) -> None:
        call = Asked(operation="INVOKE", body={"capability": HOLD}, header={"deadline_ms": milliseconds})
        self.invoke(call, how)

    # -- events --------------------------------------------------------------------------------------

    @rule(
        call=calls.asked("PUBLISH", calls.PUBLICATIONS), key=st.none() | calls.KEYS, times=st.integers(1, 3)
    )
    def publish(self, call: Asked, key: str | None, times: int) -> None:
        call = call if key is None else call.with_header(idempotency_key=key)
        for _ in range(times):
            self.lanes.ask(call)

    @rule(target=subscribed, call=calls.SUBSCRIBES | calls.misasked_by_someone(calls.SUBSCRIBES))
    def subscribe(self, call: Asked) -> Subscribed | MultipleResults[Any]:
        return self.lanes.subscribe(call) or multiple()

    @rule(subscription=subscribed)
    def read(self, subscription: Subscribed) -> None:
        self.lanes.read(subscription)

    # -- quotas --------------------------------------------------------------------------------------

    @rule(most=st.integers(1, _MOST_LEFT))
    def set_quota(self, most: int) -> None:
        self.lanes.each(lambda lane: self.world.set_quota(lane, most))
        self.quota = True

    # -- the end -------------------------------------------------------------------------------------

    def teardown(self) -> None:
        if not hasattr(self, "lanes"):
            return
        # A run that was broken off, by a difference or by hypothesis itself, has no end to be compared.
        broken_off = sys.exc_info()[1] is not self._around
        try:
            if not broken_off:
                self._agree_on_what_is_left()
        finally:
            self.lanes.close()

    def _agree_on_what_is_left(self) -> None:
        for message_id in list(self.lanes.running):
            self.release(message_id)
        self.lanes.read_to_the_end()
        if self.quota:
            self._use_up_the_quota()
        for what in (self.world.audit, self.world.usage):
            left = self.lanes.each(what)
            compare(what.__name__, {name: Outcome(answer=value) for name, value in left.items()})

    def _use_up_the_quota(self) -> None:
        call = Asked(operation="INVOKE", body={"capability": ECHO})
        for _ in range(_MOST_LEFT + 1):
            if any(outcome.error for outcome in self.lanes.ask(call).values()):
                return

    def _keys_in_use(self) -> set[str]:
        """Another call under one of these would wait for the first."""
        return {(call.header or {}).get("idempotency_key", "") for call in self.lanes.running.values()}
