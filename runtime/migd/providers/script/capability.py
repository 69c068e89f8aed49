"""The fixture as a capability: two functions, for one answer and for a stream."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator

from msgspec.structs import replace

from mig_protocol.messages import InvocationMode
from migd.capability import Final, Work, capability
from migd.capability.descriptor import qos_profile
from migd.core.catalog import Capability
from migd.core.provider import NO_INPUTS, JsonObject
from migd.providers.python import python_capability
from migd.providers.script.counters import Tallies
from migd.providers.script.messages import MAX_PAYLOAD_BYTES, ONE_PROPERTY, Answer, Script
from migd.providers.script.run import Run

SCRIPT_ID = "mig.conformance.script"


async def new_tallies() -> Tallies:
    """Every gateway starts with empty ones."""
    return Tallies()


@capability(
    id=SCRIPT_ID,
    version="1.0.0",
    scopes=["capability:infer"],
    max_payload_bytes=MAX_PAYLOAD_BYTES,
    resource=new_tallies,
)
async def answer(script: Script, work: Work, tallies: Tallies) -> Answer:
    """Does what the payload says, step by step: for testing a server from outside, and nothing else."""
    run = Run(script, work, tallies)
    async for _ in run.frames(NO_INPUTS):
        # A script of frames only would let neither a cancellation nor anyone else through.
        await asyncio.sleep(0)
    return run.answer()


@answer.stream
async def stream(
    script: Script, inputs: AsyncIterator[JsonObject], work: Work, tallies: Tallies
) -> AsyncIterator[JsonObject | Final[Answer]]:
    run = Run(script, work, tallies)
    async for payload in run.frames(inputs):
        yield payload
    yield Final(run.answer())


def script_capability() -> Capability:
    """`mig.conformance.script`, with counters of its own, visible to every tenant."""
    declared = python_capability(answer)
    return dataclasses.replace(
        declared,
        # What takes no input in a stream is the same stream: one function serves all three modes.
        descriptor=replace(
            declared.descriptor,
            modes=list(InvocationMode),
            qos=replace(qos_profile(MAX_PAYLOAD_BYTES), supports_replay=False),
        ),
        input_schema=_one_thing_a_step(answer.input_schema),
    )


def _one_thing_a_step(schema: JsonObject) -> JsonObject:
    definitions = schema["$defs"]
    return {**schema, "$defs": {**definitions, "Step": {**definitions["Step"], **ONE_PROPERTY}}}
