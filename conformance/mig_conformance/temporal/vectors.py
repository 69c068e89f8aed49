"""The golden messages of spec/vectors against a server, a check a message type, its rows one by one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from urllib.parse import urlencode

from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.frames import up_to_the_end
from mig_conformance.drivers.port import Answer, Ask, RefusedError
from mig_conformance.flaws import FlawError, SilentError, UncheckedError
from mig_conformance.golden.asks import OPERATION, ask_of, caller_of, protobuf_of
from mig_conformance.golden.judging import judge_answer, judge_frames, read_get
from mig_conformance.golden.rows import vectors_of
from mig_conformance.golden.saying import NotExpressibleError
from mig_conformance.vectors import Malformed, Valid
from mig_protocol.operations import Operation

_SHOWN = 5

Row = Valid | Malformed
Sent = Callable[[Operation, Row], Awaitable[None]]


async def requests(trial: Trial) -> None:
    """`vars` has the types, in `messages`, and in `once` the names in them that can be used only once."""
    fresh = {name: f"{name}-{trial.new_id()[:8]}" for name in trial.vars.get("once", ())}

    async def send(operation: Operation, row: Row) -> None:
        judge_answer(row, await _answer(operation, ask_of(operation, row, trial), trial), trial.binding)

    await _each(trial, fresh, send)


async def subscriptions(trial: Trial) -> None:
    """One that is opened gives what is published then."""

    async def send(operation: Operation, row: Row) -> None:
        ask = ask_of(operation, row, trial)
        try:
            subscription = await trial.driver.subscribe(ask)
        except RefusedError as refused:
            judge_answer(row, refused.answer, trial.binding)
            return
        try:
            if isinstance(row, Malformed):
                late = await subscription.late_refusal()
                judge_answer(row, late or subscription.opened, trial.binding)
                return
            judge_answer(row, subscription.opened, trial.binding)
            topic = row.json.get("topic", "observatory.inference.completed")
            ack = await trial.publish(topic, {"published": row.name}, caller=ask.caller)
            while (await subscription.next()).data.get("event_id") != ack["event_id"]:
                pass
        finally:
            await subscription.close()

    await _each(trial, {}, send)


async def frames(trial: Trial) -> None:
    """All over one connection, which every refusal leaves open."""
    operation, first = next(_rows(trial, {}))
    connection = await trial.connect(caller_of(operation, first, trial))

    async def send(operation: Operation, row: Row) -> None:
        said = row.body if trial.binding == "websocket" else protobuf_of(operation, row, {})
        await connection.send(said)
        judge_frames(row, await up_to_the_end(connection.next))

    try:
        await _each(trial, {}, send)
    finally:
        await connection.close()


async def _each(trial: Trial, fresh: dict[str, str], send: Sent) -> None:
    """Every row of every type; all that is wrong with any of them is told. Raises UncheckedError where
    nothing is, and some row has no caller who may send it.
    """
    flaws: list[str] = []
    left: list[UncheckedError] = []
    sent = 0
    for operation, row in _rows(trial, fresh):
        told = len(trial.transcript.violations)
        try:
            await send(operation, row)
            sent += 1
        except NotExpressibleError:
            continue
        except UncheckedError as missing:
            left.append(missing)
        except FlawError as flaw:
            flaws.append(f"{row.name!r}: {flaw}")
            if isinstance(flaw, SilentError):
                break  # the rows are many, and each would be waited for
        flaws += [f"{row.name!r}: {violation}" for violation in trial.transcript.violations[told:]]
    if flaws:
        further = f" (and {len(flaws) - _SHOWN} more)" if len(flaws) > _SHOWN else ""
        raise FlawError("; ".join(flaws[:_SHOWN]) + further)
    if left:
        raise left[0]
    if not sent:
        raise UncheckedError(f"{trial.binding} can say none of {', '.join(trial.vars['messages'])}")


def _rows(trial: Trial, fresh: dict[str, str]) -> Iterator[tuple[Operation, Row]]:
    for message in trial.vars["messages"]:
        vectors = vectors_of(message, fresh)
        for row in vectors.to_send:
            yield OPERATION[str(vectors.operation)], row


async def _answer(operation: Operation, ask: Ask, trial: Trial) -> Answer:
    if trial.binding != "http" or operation.http_method != "GET":
        return await trial.driver.call(ask)
    target = f"{operation.http_path}?{urlencode(ask.query)}" if ask.query else str(operation.http_path)
    answer = await trial.http.request("GET", target, caller=ask.caller, fields=ask.carried)
    return read_get(operation, answer, trial.transcript)
