"""Failures that the protocol's own messages can not bring about [MIG-ERR-006, MIG-ERR-010]."""

from __future__ import annotations

import json

from mig_conformance.checks.expectation import answered
from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.frames import read_out
from mig_conformance.drivers.port import Answer, RefusedError
from mig_conformance.flaws import UncheckedError, expect, same

_SIZES_MIB = (1, 8, 64)


async def large_body(trial: Trial) -> None:
    """Larger and larger ones, all of them well formed, until the server has had enough."""
    for size in _SIZES_MIB:
        body = json.dumps({"padding": "a" * (size * 2**20)}).encode()
        answer = await trial.call("HELLO", {}, body=body)
        if answer.error is not None:
            answered(answer, {"error": "MIG_INVALID_REQUEST", "status": 413}, trial.binding)
            return
    raise UncheckedError(f"the server takes bodies of {_SIZES_MIB[-1]} MiB, and a larger one is not tried")


async def unexpected_failure(trial: Trial) -> None:
    """What the provider said as it failed is nowhere in the answer."""
    secret = f"secret{trial.new_id()}"
    _tells_nothing(await trial.script({"crash": secret}), secret, trial)


async def unexpected_failure_of_a_stream(trial: Trial) -> None:
    """Nor in the frames of one that had begun."""
    secret = f"secret{trial.new_id()}"
    message = trial.scripted({"emit": {"payload": {"n": 1}}}, {"crash": secret})
    try:
        # The name is chosen: over NATS a server waits only briefly for those who have yet to hear of it.
        stream = await trial.stream({**message, "stream_preference": "server_stream"})
    except RefusedError as refused:
        _tells_nothing(refused.answer, secret, trial)
        return
    frames = await read_out(stream)
    last = frames[-1]
    same("the kind of the terminal frame", last["kind"], "error")
    _tells_nothing(Answer(error=last["error"], header=last["header"]), secret, trial)


def _tells_nothing(answer: Answer, secret: str, trial: Trial) -> None:
    error = answer.refused("MIG_INTERNAL")
    same("retryable", error["retryable"], False)
    if answer.status is not None:
        answered(answer, {"error": "MIG_INTERNAL"}, trial.binding)
    told = f"{answer.error} {answer.header} {answer.fields} {answer.body.decode(errors='replace')}"
    expect(secret not in told, "the answer tells the cause of an unexpected failure")
