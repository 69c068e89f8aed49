"""What the compared calls run on: providers whose answer depends on nothing but the call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

from mig_protocol.errors import MigFault
from mig_protocol.messages import InvocationMode, MigErrorCode
from migd.capability.descriptor import describe, qos_profile
from migd.core.catalog import Capability
from migd.core.provider import Final, Health, JsonObject, Work

ECHO = "equal.echo"
TYPED = "equal.typed"
SMALL = "equal.small"
FAIL = "equal.fail"
CRASH = "equal.crash"
SCOPED = "equal.scoped"
PRIVATE = "equal.private"
UNARY = "equal.unary"
STREAM = "equal.stream"
CHAT = "equal.chat"
HOLD = "equal.hold"
DOWN = "equal.down"
ORPHAN = "equal.orphan"
UNKNOWN = "equal.unknown"

SCOPE = "equal:use"
SMALL_BYTES = 64
INSIDERS = frozenset(f"in-{number}" for number in range(20_000))
"""The tenants that see PRIVATE."""

_TYPED_INPUT: JsonObject = {
    "type": "object",
    "properties": {"value": {"type": "integer", "minimum": 0}, "tags": {"type": "array", "maxItems": 2}},
    "required": ["value"],
    "additionalProperties": False,
}


class Holds:
    """Invocations that wait until they are let go, by (tenant, message id)."""

    def __init__(self) -> None:
        self._started: dict[tuple[str, str], asyncio.Event] = {}
        self._released: dict[tuple[str, str], asyncio.Event] = {}

    async def started(self, tenant: str, message_id: str) -> None:
        """Returns once the provider has the invocation."""
        await self._started.setdefault((tenant, message_id), asyncio.Event()).wait()

    def release(self, tenant: str, message_id: str) -> None:
        """Let it finish, now or as soon as it is there."""
        self._released.setdefault((tenant, message_id), asyncio.Event()).set()

    async def hold(self, work: Work) -> None:
        key = (work.tenant_id, work.message_id)
        self._started.setdefault(key, asyncio.Event()).set()
        await self._released.setdefault(key, asyncio.Event()).wait()


class _Provider:
    """Answers with `answer`; streams `answer` again after the payload's `pieces`."""

    def __init__(
        self, answer: Callable[[Work], JsonObject | Awaitable[JsonObject]], reason: str = ""
    ) -> None:
        self._answer = answer
        self._health = Health(not reason, reason)

    def invoke(self, work: Work) -> JsonObject | Awaitable[JsonObject]:
        return self._answer(work)

    async def stream(self, work: Work) -> AsyncIterator[JsonObject | Final]:
        for number in range(_pieces(work.payload)):
            yield {"piece": number, "of": work.payload}
        answer = self._answer(work)
        yield Final(answer if isinstance(answer, dict) else await answer)

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def health(self) -> Health:
        return self._health


class _Chat(_Provider):
    """Says that it listens, then sends every input back. Its last frame has the number of inputs, or, when it
    is asked to be silent, no payload of its own.
    """

    def __init__(self) -> None:
        super().__init__(_seen)

    async def stream(self, work: Work) -> AsyncIterator[JsonObject | Final]:
        count = 0
        yield {"listening": work.payload}
        async for item in work.inputs:
            if item.get("stop"):
                raise MigFault(MigErrorCode.MIG_NOT_FOUND, "the input said stop", details={"after": count})
            count += 1
            yield {"said": item, "number": count}
        if not work.payload.get("silent"):
            yield Final({"heard": count})


def equal_capabilities(holds: Holds) -> Iterable[Capability]:
    """Every way in which a call can end."""

    async def hold(work: Work) -> JsonObject:
        await holds.hold(work)
        return _seen(work)

    yield _capability(ECHO, _Provider(_seen))
    yield _capability(TYPED, _Provider(_seen), input_schema=_TYPED_INPUT)
    yield _capability(SMALL, _Provider(_seen), max_payload_bytes=SMALL_BYTES)
    yield _capability(FAIL, _Provider(_fail))
    yield _capability(CRASH, _Provider(_crash))
    yield _capability(SCOPED, _Provider(_seen), scopes=[SCOPE, "equal:any"])
    yield _capability(PRIVATE, _Provider(_seen), tenants=INSIDERS)
    yield _capability(UNARY, _Provider(_seen), modes="unary")
    yield _capability(STREAM, _Provider(_seen), modes="server_stream")
    yield _capability(CHAT, _Chat(), modes="bidi_stream")
    yield _capability(HOLD, _Provider(hold))
    yield _capability(DOWN, _Provider(_seen, reason="down on purpose"))
    yield _capability(ORPHAN, None)


def _seen(work: Work) -> JsonObject:
    """All that a provider is told of a call, so that what a binding loses on the way in shows too."""
    return {
        "echo": work.payload,
        "capability": work.capability,
        "tenant": work.tenant_id,
        "message_id": work.message_id,
        "session_id": work.session_id,
        "traceparent": work.traceparent,
        "meta": work.meta,
        "subject": work.principal.subject,
        "scopes": sorted(work.principal.scopes),
        "in_time": work.remaining_s() > 0,
    }


def _fail(work: Work) -> JsonObject:
    asked = work.payload
    raise MigFault(
        MigErrorCode(asked["code"]),
        "it failed as it was told to",
        retryable=asked.get("retryable"),
        details=asked.get("details"),
        retry_after_s=asked.get("retry_after_s"),
    )


def _crash(work: Work) -> JsonObject:
    raise RuntimeError(f"a secret of {work.tenant_id}")


def _pieces(payload: JsonObject) -> int:
    pieces = payload.get("pieces", 0)
    return pieces if isinstance(pieces, int) and 0 <= pieces <= 5 else 0


def _capability(
    id: str,
    provider: _Provider | None,
    *,
    modes: str = "unary server_stream",
    scopes: Iterable[str] = (),
    max_payload_bytes: int = 4096,
    **fields: Any,
) -> Capability:
    descriptor = describe(
        id=id,
        version="1.0.0",
        modes=[InvocationMode(mode) for mode in modes.split()],
        scopes=list(scopes),
        event_topics=["equal.events"],
        qos=qos_profile(max_payload_bytes),
    )
    return Capability(descriptor=descriptor, provider=provider, **fields)
