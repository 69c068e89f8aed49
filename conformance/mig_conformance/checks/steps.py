"""The steps of a case that is data.

    call: OPERATION        one request with one answer
    stream: INVOKE         a streamed invocation, to its terminal frame
    frames: [FRAME, ...]   frames on a connection of their own, and as many answers as are expected
    subscribe: TOPIC       a subscription; `publish` are payloads that are published once it is open
    http: "METHOD TARGET"  a plain HTTP request

Every step may have `on` (only on these bindings), `as` (a caller by name, "own" if not said), `carried`
(fields of the transport's header), `expect` and `keep` ({name: pointer into the answer}). With `each`, a
list, it is done once for every value of it, which is ${each}. A body is a text, or bytes (!!binary).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mig_conformance.checks.check import Check
from mig_conformance.checks.expectation import answered, compare, http_answered, pointed_at
from mig_conformance.checks.load import CaseError
from mig_conformance.checks.trial import REFERENCE, SCRIPT, Trial
from mig_conformance.checks.variables import Variables
from mig_conformance.drivers.frames import read_out
from mig_conformance.drivers.port import Ask, Caller, JsonObject, RefusedError
from mig_conformance.flaws import FlawError

_ALL = {"on", "as", "carried", "expect", "keep", "driver", "each"}
_SHOWN = 80
_MEMBERS = {
    "call": {"message", "body", "path", "query"},
    "stream": {"message", "stream_id", "inputs"},
    "frames": set(),
    "subscribe": {"message", "publish"},
    "http": {"body", "json"},
}


async def run_steps(check: Check, trial: Trial) -> None:
    """Carry the case out. Raises FlawError where the server does not do as expected."""
    values = _variables(check, trial)
    steps = [
        (number, step)
        for number, step in enumerate(check.steps, 1)
        if trial.binding in step.get("on", [trial.binding])
    ]
    if not steps:
        raise CaseError(f"{check.file}:{check.line}: no step of it is on {trial.binding}")
    for number, step in steps:
        for value in values.fill(step.get("each", [None])):
            values.give("each", value)
            try:
                await _run(step, trial, values)
            except FlawError as flaw:
                flaw.step = number
                if "each" in step:
                    flaw.args = (f"{repr(value)[:_SHOWN]}: {flaw}",)
                raise


def _variables(check: Check, trial: Trial) -> Variables:
    given = {
        "own_tenant": trial.subject.tenant,
        "other_tenant": trial.subject.other_tenant,
        "binding": trial.binding,
        "script": SCRIPT,
        "reference": REFERENCE,
        **check.vars,
    }
    makers = {"id": trial.new_id, "topic": trial.new_topic, "tenant": trial.new_tenant}
    return Variables(given, makers)


async def _run(step: Mapping[str, Any], trial: Trial, values: Variables) -> None:
    kind = next((name for name in _STEPS if name in step), None)
    if kind is None or (unknown := step.keys() - _ALL - _MEMBERS[kind] - {kind}):
        raise CaseError(f"no step: {sorted(step.keys() if kind is None else unknown)}")
    filled = values.fill({name: step[name] for name in step if name != "each"})
    try:
        answer = await _STEPS[kind](filled, trial)
    except FlawError as flaw:
        flaw.expected = filled.get("expect")
        raise
    for name, pointer in step.get("keep", {}).items():
        values.keep(name, pointed_at(answer, pointer))


async def _call(step: JsonObject, trial: Trial) -> Any:
    driver = trial.beside(step["driver"]) if "driver" in step else trial.driver
    try:
        answer = await driver.call(_ask(step, trial))
    except RefusedError as refused:  # the WebSocket's handshake
        answer = refused.answer
    answered(answer, step.get("expect", {}), step.get("driver", trial.binding))
    return answer.message or answer.error


async def _stream(step: JsonObject, trial: Trial) -> Any:
    expected = step.get("expect", {})
    asked = _ask({**step, "call": "INVOKE"}, trial)
    try:
        frames = await read_out(await trial.open_stream(asked, step.get("stream_id")))
    except RefusedError as refused:
        if "error" not in expected:
            raise
        compare(expected["error"], refused.answer.error, "the error")
        return refused.answer.error
    return _frames_as_expected(frames, expected)


def _frames_as_expected(frames: list[JsonObject], expected: JsonObject) -> JsonObject:
    last = frames[-1]
    if "error" in expected:
        compare({"kind": "error", "end_stream": True}, last, "the last frame")
        compare(expected["error"], last.get("error"), "the error")
    elif last["kind"] == "error":
        raise FlawError(f"the stream failed: {last.get('error')}")
    if "count" in expected:
        compare(expected["count"], len(frames), "how many frames there are")
    if "frames" in expected:
        compare(expected["frames"], frames, "the frames")
    if "last" in expected:
        compare(expected["last"], last, "the last frame")
    return last


async def _frames(step: JsonObject, trial: Trial) -> Any:
    connection = await trial.connect(_caller(step, trial), step.get("carried", {}))
    found: list[JsonObject] = []
    try:
        for frame in step["frames"]:
            await connection.send(_body(frame) if isinstance(frame, str | bytes) else frame)
        for expected in step.get("expect", []):
            found.append(await connection.next())
            compare(expected, found[-1], f"answer {len(found)}")
    finally:
        await connection.close()
    return found


async def _subscribe(step: JsonObject, trial: Trial) -> Any:
    expected = step.get("expect", {})
    message = {"topic": step["subscribe"], **step.get("message", {})}
    asked = Ask(
        operation="SUBSCRIBE",
        caller=_caller(step, trial),
        message=message,
        carried=step.get("carried", {}),
    )
    try:
        subscription = await trial.driver.subscribe(asked)
    except RefusedError as refused:
        if "error" not in expected:
            raise
        answered(refused.answer, expected, trial.binding)
        return refused.answer.error
    try:
        if "error" in expected:
            late = await subscription.late_refusal()
            if late is None:
                raise FlawError(f"expected {expected['error']}; the subscription was opened")
            answered(late, expected, trial.binding)
            return late.error
        for payload in step.get("publish", []):
            await trial.publish(step["subscribe"], payload, caller=asked.caller)
        found = [(await subscription.next()).data for _ in expected.get("events", [])]
    finally:
        await subscription.close()
    compare(expected.get("events", []), found, "the events")
    return found


async def _http(step: JsonObject, trial: Trial) -> Any:
    method, _, target = step["http"].partition(" ")
    body = json.dumps(step["json"]).encode() if "json" in step else _body(step.get("body", ""))
    fields = {"content-type": "application/json", **step.get("carried", {})}
    answer = await trial.http.request(method, target, caller=_caller(step, trial), body=body, fields=fields)
    return http_answered(answer, step.get("expect", {}))


def _ask(step: JsonObject, trial: Trial) -> Ask:
    return Ask(
        operation=step["call"],
        caller=_caller(step, trial),
        message=step.get("message", {}),
        body=_body(step["body"]) if "body" in step else None,
        path=step.get("path", {}),
        carried=step.get("carried", {}),
        query=step.get("query", {}),
    )


def _body(said: str | bytes) -> bytes:
    return said.encode() if isinstance(said, str) else said


def _caller(step: JsonObject, trial: Trial) -> Caller:
    """By name, or {tenant, scope} for a user of any tenant; tenant null names none on the transport."""
    said = step.get("as", "own")
    if isinstance(said, str):
        return trial.callers.named(said)
    if said["tenant"] is None:
        return Caller(tenant=None, token=trial.own.token)
    return trial.callers.of_tenant(said["tenant"], **{key: said[key] for key in said if key == "scope"})


_STEPS: Mapping[str, Callable[[JsonObject, Trial], Awaitable[Any]]] = {
    "call": _call,
    "stream": _stream,
    "frames": _frames,
    "subscribe": _subscribe,
    "http": _http,
}
