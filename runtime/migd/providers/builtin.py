"""The reference capability that every server starts with (protocol section 2, INVOKE)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

from mig_protocol.messages import InvocationMode
from migd.capability.descriptor import describe
from migd.core.catalog import Capability
from migd.core.provider import Final, Health, JsonObject, Work

REFERENCE_ID = "observatory.models.infer"

_WELL = Health(ok=True)
_INPUT_SCHEMA: JsonObject = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "InferInput",
    "description": "What to infer from. The reference capability sends it back.",
    "type": "object",
    "properties": {"input": {"type": "string", "description": "The text to infer from."}},
    "required": ["input"],
}
_OUTPUT_SCHEMA: JsonObject = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "InferOutput",
    "type": "object",
    "properties": {
        "result": {"type": "string", "description": "`ok`."},
        "echo": {"type": "object", "description": "The payload of the request."},
        "capability": {"type": "string", "description": "The id of the capability that answered."},
        "delivery_qos": {
            "type": "string",
            "description": "The delivery semantics of the capability's QoS profile.",
        },
    },
    "required": ["result"],
}
# A word with the space after it, so that the pieces put together are the input again.
_PIECES = re.compile(r"\S+\s*|\s+")


class ReferenceProvider:
    """Sends the payload back: at once, or in pieces."""

    def invoke(self, work: Work) -> JsonObject:
        return {
            "result": "ok",
            "echo": work.payload,
            "capability": work.capability,
            "delivery_qos": "at_least_once",
        }

    async def stream(self, work: Work) -> AsyncIterator[JsonObject | Final]:
        """The input back as `{"delta": piece}` frames, then the unary answer as the terminal frame."""
        text = work.payload.get("input")
        if isinstance(text, str):
            for piece in _PIECES.finditer(text):
                yield {"delta": piece[0]}
                # Without a turn of the event loop no cancellation could reach a long input.
                await asyncio.sleep(0)
        yield Final(self.invoke(work))

    async def start(self) -> None:
        """Nothing to make ready."""

    async def close(self) -> None:
        """Nothing to let go of."""

    def health(self) -> Health:
        return _WELL


def reference_capability(tenants: frozenset[str] | None = None) -> Capability:
    """`observatory.models.infer`, visible to `tenants` (None: to all)."""
    return Capability(
        descriptor=describe(
            id=REFERENCE_ID,
            version="1.0.0",
            modes=[InvocationMode.unary, InvocationMode.server_stream],
            scopes=["capability:infer"],
            event_topics=["observatory.inference.completed"],
            input_schema_uri="schema://observatory/models/infer-input/v1",
            output_schema_uri="schema://observatory/models/infer-output/v1",
        ),
        provider=ReferenceProvider(),
        input_schema=_INPUT_SCHEMA,
        output_schema=_OUTPUT_SCHEMA,
        tenants=tenants,
        made_from=ReferenceProvider,
    )
