"""Whatever a binding has, asked by one caller: who is refused somewhere has to be refused everywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from mig_conformance.checks.expectation import answered
from mig_conformance.checks.trial import REFERENCE, Trial
from mig_conformance.drivers.frames import read_out
from mig_conformance.drivers.port import Answer, Ask, BindingName, Caller, JsonObject, RefusedError
from mig_conformance.flaws import FlawError, expect

_UNARY = ("HELLO", "DISCOVER", "INVOKE", "PUBLISH", "CANCEL", "HEARTBEAT")
OPERATIONS: Mapping[BindingName, tuple[str, ...]] = {
    "http": _UNARY,
    "sse": ("SUBSCRIBE",),
    "websocket": ("INVOKE", "CANCEL", "STREAM"),
    "grpc": (*_UNARY, "STREAM", "SUBSCRIBE"),
    "nats": (*_UNARY, "STREAM"),
}
"""What can be asked over each binding. STREAM is an INVOKE that is streamed."""
_OF_FEATURE: Mapping[str, str] = {
    "PUBLISH": "events",
    "SUBSCRIBE": "events",
    "CANCEL": "cancel",
    "HEARTBEAT": "heartbeat",
    "STREAM": "streaming",
}

_NOTHING: Mapping[str, Any] = {}


async def asked(
    trial: Trial,
    operation: str,
    caller: Caller,
    *,
    message: Mapping[str, Any] = _NOTHING,
    header: Mapping[str, Any] = _NOTHING,
    carried: Mapping[str, str] = _NOTHING,
    query: Mapping[str, str] = _NOTHING,
) -> Answer:
    """One operation, and how it was answered: also a stream or a subscription that is refused has an answer.
    What is opened is closed again. `message` are members besides those that it takes.
    """
    ask = Ask(
        operation="INVOKE" if operation == "STREAM" else operation,
        caller=caller,
        message={**_message(trial, operation, header), **message},
        carried=carried,
        query=query,
    )
    try:
        if operation == "STREAM":
            return await _streamed(trial, ask)
        if operation == "SUBSCRIBE":
            return await _subscribed(trial, ask)
        return await trial.driver.call(ask)
    except RefusedError as refused:
        return refused.answer


async def everywhere(trial: Trial, caller: Caller, **further: Any) -> AsyncIterator[tuple[str, Answer]]:
    """Every operation that the server has on the binding; `further` as of `asked`."""
    for operation in OPERATIONS[trial.binding]:
        if _OF_FEATURE.get(operation) in (None, *trial.subject.features):
            yield operation, await asked(trial, operation, caller, **further)


async def refused_everywhere(trial: Trial, caller: Caller, code: str, **further: Any) -> None:
    """Raises FlawError for the first operation that is not refused with that code, and its status."""
    async for operation, answer in everywhere(trial, caller, **further):
        refused_with(trial, answer, code, operation)


async def accepted_everywhere(trial: Trial, caller: Caller, **further: Any) -> None:
    """Raises FlawError for the first operation that is refused."""
    async for operation, answer in everywhere(trial, caller, **further):
        expect(answer.error is None, f"{operation} is refused: {answer.error}")


def refused_with(trial: Trial, answer: Answer, code: str, what: str) -> None:
    """Raises FlawError unless it was refused with that code and, where the binding has one, its status."""
    try:
        if answer.status is None:
            answer.refused(code)
        else:
            # A refused handshake has a status of HTTP's, and no other answer over the WebSocket has one.
            answered(answer, {"error": code}, "http" if trial.binding == "websocket" else trial.binding)
    except FlawError as flaw:
        raise FlawError(f"{what}: {flaw}") from None


def invocation(**members: Any) -> JsonObject:
    """An InvokeRequest of the reference capability."""
    return {"capability": REFERENCE, "payload": {"input": "hello"}, **members}


def _message(trial: Trial, operation: str, header: Mapping[str, Any]) -> JsonObject:
    messages: Mapping[str, JsonObject] = {
        "INVOKE": invocation(),
        "STREAM": invocation(stream_preference="server_stream"),
        "PUBLISH": {"topic": trial.new_topic(), "payload": {}},
        "SUBSCRIBE": {"topic": trial.new_topic()},
        "CANCEL": {"target_message_id": trial.new_id()},
    }
    return {**messages.get(operation, {}), **({"header": dict(header)} if header else {})}


async def _streamed(trial: Trial, ask: Ask) -> Answer:
    stream = await trial.open_stream(ask)
    frame = (await read_out(stream))[-1]
    if frame["kind"] == "error":
        return Answer(error=frame["error"], header=frame["header"])
    return Answer(message=frame, header=frame["header"])


async def _subscribed(trial: Trial, ask: Ask) -> Answer:
    subscription = await trial.driver.subscribe(ask)
    await subscription.close()
    return subscription.opened
