"""Invocations that are running while something else happens, and what they left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from mig_conformance.checks.trial import SCRIPT, Trial
from mig_conformance.drivers.port import Answer, Caller, JsonObject, RefusedError
from mig_conformance.flaws import FlawError

LONG_MS = 30_000
"""A wait that no check waits for."""


def request(stream_id: str, *steps: Mapping[str, Any], end_stream: bool = True, **fields: Any) -> JsonObject:
    """The frame that starts the script on that stream."""
    payload = {"steps": list(steps)}
    frame = {"kind": "request", "stream_id": stream_id, "capability": SCRIPT, "payload": payload}
    return {**frame, "end_stream": end_stream, **fields}


@asynccontextmanager
async def running(
    trial: Trial, *steps: Mapping[str, Any], header: Mapping[str, Any] | None = None
) -> AsyncIterator[asyncio.Task[Answer]]:
    """A unary invocation of the script that has begun; its caller goes away at the end, if not before."""
    begun = trial.new_id()
    header = {"message_id": trial.new_id(), **(header or {})}
    task = asyncio.create_task(trial.script({"mark": begun}, *steps, header=header))
    try:
        await counted(trial, begun)
        yield task
    finally:
        if trial.binding == "nats" and not task.done():
            # Nobody notices there that a caller is gone.
            await trial.call("CANCEL", {"target_message_id": header["message_id"]})
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def counted(trial: Trial, key: str, *others: str, caller: Caller | None = None) -> Mapping[str, int]:
    """The counters of a tenant, once that of `key` is one or more. Raises FlawError when it does not come."""
    steps: list[JsonObject] = [{"await_mark": {"key": key}}, *({"read": other} for other in others)]
    header = {"deadline_ms": int(trial.patience_s * 1000)}
    try:
        answer = (await trial.script(*steps, header=header, caller=caller)).accepted()
    except RefusedError as refused:
        raise FlawError(f"what should have been done was not done in time: {refused}") from None
    counters: Mapping[str, int] = answer["payload"]["counters"]
    return counters


async def count_of(trial: Trial, key: str) -> int:
    """The counter as it is now."""
    answer = (await trial.script({"read": key})).accepted()
    return int(answer["payload"]["counters"][key])
