"""A server that runs as much as it may [MIG-INV-001, MIG-INV-008]."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from mig_conformance.checks.expectation import answered
from mig_conformance.checks.trial import REFERENCE, Trial
from mig_conformance.drivers.port import Answer, Caller, JsonObject
from mig_conformance.flaws import FlawError, UncheckedError
from mig_conformance.temporal.awaiting import eventually
from mig_conformance.temporal.running import LONG_MS, request

_MOST = 2000
_ON_A_CONNECTION = 100
_NO_ROOM = "MIG_BACKPRESSURE"


async def none_left(trial: Trial) -> None:
    """What finds no room is refused, and taken once there is room again."""
    async with full(trial):
        answered(await _invoked(trial), {"error": {"code": _NO_ROOM, "retryable": True}}, trial.binding)
    await _room_again(trial)


async def order(trial: Trial) -> None:
    """One that is over its quota, and one that nobody can run."""
    caller = trial.callers.of_tenant(trial.new_tenant())
    nobodys = f"conformance.c{trial.new_id()}"
    quota: JsonObject = {"tenant_id": caller.tenant, "max_invocations": 1}
    descriptor = {"id": nobodys, "version": "1.0.0", "modes": ["unary"]}
    await _administer(trial, "SET_QUOTA", quota)
    await _administer(trial, "REGISTER_CAPABILITY", {"descriptor": descriptor})
    (await _invoked(trial, caller=caller)).accepted()
    async with full(trial):
        answered(await _invoked(trial, caller=caller), {"error": "MIG_RATE_LIMITED"}, trial.binding)
        answered(await _invoked(trial, capability=nobodys), {"error": _NO_ROOM}, trial.binding)
    await _room_again(trial)


@asynccontextmanager
async def full(trial: Trial) -> AsyncIterator[None]:
    """A server without room, filled over WebSockets, or without streams by calls over HTTP; their end makes
    room again.

    Raises UncheckedError where the server has room for more than are tried.
    """
    refuses_after = _refuses_after if "streaming" in trial.subject.features else _refuses_calls_after
    async with AsyncExitStack() as stack:
        for number in range(0, _MOST, _ON_A_CONNECTION):
            if await refuses_after(trial, stack, number):
                break
        else:
            raise UncheckedError(f"the server runs {_MOST} invocations at once, and more are not tried")
        yield


async def _refuses_after(trial: Trial, stack: AsyncExitStack, number: int) -> bool:
    """Whether, with as many invocations more as a connection is for, some are refused for want of room."""
    connection = await trial.beside("websocket").connect(trial.own)
    stack.push_async_callback(connection.close)
    for name in range(number, number + _ON_A_CONNECTION):
        await connection.send(request(f"s{name}", {"wait_ms": LONG_MS}))
    await connection.send(request("last"))
    answer = await connection.next()
    if answer["kind"] != "error":
        return False
    if answer["error"]["code"] != _NO_ROOM:
        raise FlawError(f"one of {number + _ON_A_CONNECTION} invocations at once: {answer['error']}")
    return True


async def _refuses_calls_after(trial: Trial, stack: AsyncExitStack, number: int) -> bool:
    """The same by as many calls: none of them is answered before its caller goes away, or one is refused."""
    began = trial.new_id()
    steps = ({"mark": began}, {"wait_ms": LONG_MS})
    calls = [asyncio.create_task(trial.script(*steps, driver=trial.http)) for _ in range(_ON_A_CONNECTION)]
    stack.push_async_callback(_end, calls)
    all_began = {"await_mark": {"key": began, "count": _ON_A_CONNECTION}}
    waiting = asyncio.create_task(trial.script(all_began, driver=trial.http))
    stack.push_async_callback(_end, [waiting])
    done, _ = await asyncio.wait({waiting, *calls}, return_when=asyncio.FIRST_COMPLETED)
    error = done.pop().result().error
    if error is not None and error["code"] != _NO_ROOM:
        raise FlawError(f"one of {number + _ON_A_CONNECTION} invocations at once: {error}")
    return error is not None


async def _end(calls: list[asyncio.Task[Answer]]) -> None:
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


async def _room_again(trial: Trial) -> None:
    """Sooner or later: what was stopped may take a moment to be gone."""

    async def refused() -> str:
        error = (await _invoked(trial)).error
        return "" if error is None else f"{error} when the callers of what was running are gone"

    await eventually(trial, refused)


async def _administer(trial: Trial, operation: str, message: JsonObject) -> None:
    admin = trial.callers.named("admin")
    (await trial.call(operation, message, caller=admin, driver=trial.http)).accepted()


async def _invoked(trial: Trial, *, capability: str = REFERENCE, caller: Caller | None = None) -> Answer:
    return await trial.call(
        "INVOKE", {"capability": capability, "payload": {"input": "hello"}}, caller=caller
    )
