"""What can be invoked: the reference capability, and the fixture of docs/CONFORMANCE-FIXTURE.md."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from core_server.messages import (
    CODES,
    JsonObject,
    RefusedError,
    Shape,
    Violations,
    many,
    members,
    number,
    one_of,
    text,
)
from core_server.work import remember

Provider = Callable[[JsonObject, JsonObject], Awaitable[JsonObject]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """`provider` gets payload and header of a request that `input` has nothing against."""

    descriptor: JsonObject
    input: Shape
    provider: Provider


def _described(
    id: str, version: str, modes: list[str], schemas: str, topics: list[str], bytes: int
) -> JsonObject:
    return {
        "id": id,
        "version": version,
        "modes": modes,
        "input_schema_uri": f"schema://{schemas}-input/v1",
        "output_schema_uri": f"schema://{schemas}-output/v1",
        "event_topics": topics,
        "auth_scopes": ["capability:infer"],
        "qos": {
            "max_payload_bytes": bytes,
            "supports_replay": bool(topics),
            "delivery_semantics": "at_least_once",
            "supports_ordering": True,
        },
    }


async def _infer(payload: JsonObject, _header: JsonObject) -> JsonObject:
    return {
        "result": "ok",
        "echo": payload,
        "capability": "observatory.models.infer",
        "delivery_qos": "at_least_once",
    }


def _infer_input(value: Any, at: str) -> Violations:
    yield from members({"input": text()})(value, at)
    if "input" not in value:
        yield at, "input is required"


# Its modes and its topic are the same on every server, also where there are neither streams nor events.
INFER = Capability(
    descriptor=_described(
        "observatory.models.infer",
        "1.0.0",
        ["unary", "server_stream"],
        "observatory/models/infer",
        ["observatory.inference.completed"],
        1048576,
    ),
    input=_infer_input,
    provider=_infer,
)


def script() -> Capability:
    """The fixture, with counters of its own. It is for testing only."""
    return Capability(
        descriptor=_described(
            "mig.conformance.script", "1.0.0", ["unary"], "mig/conformance/script", [], 65536
        ),
        input=members({"steps": many(_step, 100), "result": members({}, most=100)}, closed=True),
        provider=_Scripts().run,
    )


def _take(value: Any, at: str) -> Violations:
    if value != "rest":
        yield from _TIMES(value, at)


_KEY = text(shortest=1, longest=128)
_TIMES = number(1, 10000)
_STEPS: dict[str, Shape] = {
    "emit": members({"payload": members({}, most=100), "times": _TIMES}, closed=True),
    "pieces": members({"bytes": number(1, 262144), "times": _TIMES}, closed=True),
    "take": _take,
    "wait_ms": number(0, 60000),
    "fail": members(
        {
            "code": one_of(*CODES),
            "message": text(shortest=1, longest=1000),
            "details": members({}, most=100),
        },
        closed=True,
    ),
    "crash": text(shortest=1, longest=1000),
    "mark": _KEY,
    "mark_on_stop": _KEY,
    "await_mark": members({"key": _KEY, "count": number(1, 1000000)}, closed=True),
    "read": _KEY,
}
_REQUIRED = {"pieces": {"bytes"}, "fail": {"code", "message"}, "await_mark": {"key"}}


def _step(value: Any, at: str) -> Violations:
    yield from members(_STEPS, closed=True)(value, at)
    if not isinstance(value, dict):
        return
    if len(value) != 1:
        yield at, "a step has exactly one member"
    for name in value.keys() & _REQUIRED.keys():
        missing = _REQUIRED[name] - set(value[name]) if isinstance(value[name], dict) else ()
        for each in sorted(missing):
            yield f"{at}/{name}", f"{each} is required"


class _Scripts:
    """Counters and runs are those of a tenant, and last as long as the server."""

    def __init__(self) -> None:
        self._counters: dict[tuple[str, str], int] = {}
        self._runs: dict[tuple[str, str], int] = {}
        self._changed = asyncio.Condition()

    async def run(self, payload: JsonObject, header: JsonObject) -> JsonObject:
        """Unary: `emit` and `pieces` are counted, `take` is passed over."""
        tenant, steps = header["tenant_id"], payload.get("steps", [])
        remember(
            self._runs,
            (tenant, header["message_id"]),
            runs := self._runs.get((tenant, header["message_id"]), 0) + 1,
        )
        at_stop: list[str] = []
        try:
            for step in steps:
                ((name, said),) = step.items()
                if name == "mark_on_stop":
                    at_stop.append(said)
                else:
                    await self._do(name, said, tenant)
        except asyncio.CancelledError:
            for key in at_stop:
                await self._mark(tenant, key)
            raise
        named = {key for step in steps for key in _named(step)}
        meta = {name: value for name, value in header["meta"].items() if not name.startswith("idg.")}
        return {
            "result": payload.get("result", {}),
            "counters": {key: self._counters.get((tenant, key), 0) for key in sorted(named)},
            "header": {
                **{name: value for name, value in header.items() if name not in ("mig_version", "timestamp")},
                "meta": meta,
            },
            "runs": runs,
            "emitted": sum(_emitted(step) for step in steps),
            "taken": 0,
        }

    async def _do(self, name: str, said: Any, tenant: str) -> None:
        if name == "wait_ms":
            await asyncio.sleep(said / 1000)
        elif name == "fail":
            raise RefusedError(said["code"], said["message"], details=said.get("details"))
        elif name == "crash":
            raise RuntimeError(said)
        elif name == "mark":
            await self._mark(tenant, said)
        elif name == "await_mark":
            key, count = (tenant, said["key"]), said.get("count", 1)
            async with self._changed:
                await self._changed.wait_for(lambda: self._counters.get(key, 0) >= count)

    async def _mark(self, tenant: str, key: str) -> None:
        async with self._changed:
            remember(self._counters, (tenant, key), self._counters.get((tenant, key), 0) + 1)
            self._changed.notify_all()


def _named(step: JsonObject) -> list[str]:
    ((name, said),) = step.items()
    if name in ("mark", "mark_on_stop", "read"):
        return [said]
    return [said["key"]] if name == "await_mark" else []


def _emitted(step: JsonObject) -> int:
    ((name, said),) = step.items()
    times: int = said.get("times", 1) if name in ("emit", "pieces") else 0
    return times
