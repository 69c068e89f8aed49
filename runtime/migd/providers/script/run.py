"""One script, run step by step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from math import inf

from msgspec import UNSET

from mig_protocol.errors import MigFault
from migd.core.provider import JsonObject, Work
from migd.providers.script.counters import Tallies
from migd.providers.script.messages import Answer, Awaited, Emit, Failure, Pieces, Script, SeenHeader, Step

_RESERVED = "idg."
_FILLER = "."


class ScriptedCrashError(Exception):
    """What a `crash` step raises: nothing that a gateway expects of a provider."""


class Run:
    """A run is counted when it is made. `frames` does the steps, `answer` tells of them."""

    def __init__(self, script: Script, work: Work, tallies: Tallies) -> None:
        self._script = script
        self._work = work
        self._marks = tallies.marks
        self._runs = tallies.runs.add(work.tenant_id, work.message_id)
        self._on_stop: list[str] = []
        self._emitted = 0
        self._taken = 0

    async def frames(self, inputs: AsyncIterator[JsonObject]) -> AsyncIterator[JsonObject]:
        """The payloads of the frames that the steps emit. Raises MigFault or ScriptedCrashError where a step
        says so.
        """
        try:
            for step in self._script.steps:
                async with aclosing(self._step(step, inputs)) as emitted:
                    async for payload in emitted:
                        self._emitted += 1
                        yield payload
        except (asyncio.CancelledError, GeneratorExit):
            # Stopped while a step waited, or while a frame was on its way.
            for key in self._on_stop:
                self._mark(key)
            raise

    def answer(self) -> Answer:
        """What the run came to, with the counters as they are now."""
        names = [name for step in self._script.steps for name in step.names()]
        return Answer(
            result=self._script.result,
            counters={name: self._marks.of(self._work.tenant_id, name) for name in names},
            header=seen_header(self._work),
            runs=self._runs,
            emitted=self._emitted,
            taken=self._taken,
        )

    async def _step(self, step: Step, inputs: AsyncIterator[JsonObject]) -> AsyncGenerator[JsonObject, None]:
        match step:
            case Step(emit=Emit() as emit):
                for index in range(emit.times):
                    yield {**emit.payload, "index": index}
            case Step(pieces=Pieces() as pieces):
                filler = _FILLER * pieces.bytes
                for index in range(pieces.times):
                    yield {"filler": filler, "index": index}
            case Step(take=int() | "rest" as wanted):
                until = inf if wanted == "rest" else self._taken + wanted
                while self._taken < until and (payload := await anext(inputs, None)) is not None:
                    self._taken += 1
                    yield {"input": payload}
            case _:
                await self._act(step)

    async def _act(self, step: Step) -> None:
        """A step without frames. One that only reads has nothing to do: it is in the answer by its name."""
        match step:
            case Step(wait_ms=int(milliseconds)):
                await asyncio.sleep(milliseconds / 1000)
            case Step(fail=Failure() as failure):
                details = None if failure.details is UNSET else failure.details
                raise MigFault(failure.code, failure.message, details=details)
            case Step(crash=str(text)):
                raise ScriptedCrashError(text)
            case Step(mark=str(key)):
                self._mark(key)
            case Step(mark_on_stop=str(key)):
                self._on_stop.append(key)
            case Step(await_mark=Awaited(key=key, count=count)):
                await self._marks.reach(self._work.tenant_id, key, count)

    def _mark(self, key: str) -> None:
        self._marks.add(self._work.tenant_id, key)


def seen_header(work: Work) -> SeenHeader:
    """The header as far as a provider is told of it; `idg.*` is the gateway's own."""
    return SeenHeader(
        message_id=work.message_id,
        tenant_id=work.tenant_id,
        deadline_ms=work.deadline_ms,
        meta={name: value for name, value in work.meta.items() if not name.startswith(_RESERVED)},
        session_id=work.session_id or UNSET,
        traceparent=work.traceparent or UNSET,
        idempotency_key=work.idempotency_key or UNSET,
    )
