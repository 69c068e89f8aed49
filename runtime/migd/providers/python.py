"""Capabilities that are Python functions, declared with `migd.capability.capability`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing
from typing import Any

import msgspec

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode
from migd.capability.declaration import CapabilityFunction
from migd.capability.final import Final as DeclaredFinal
from migd.capability.signature import Role, Signature
from migd.core.catalog import Capability
from migd.core.provider import Final, Health, JsonObject, Work
from migd.providers.exits import no_exit
from migd.providers.resource import Resource
from migd.providers.threads import Threads


class PythonProvider:
    """Runs a declared function: `async def` on the event loop, a plain `def` in the capability's threads."""

    def __init__(self, declared: CapabilityFunction[..., Any]) -> None:
        self._id = declared.descriptor.id
        self._unary = declared.unary
        self._streaming = declared.streaming
        self._threads = Threads(self._id, declared.threads)
        self._resource = Resource(self._id, declared.resource, self._threads)

    def invoke(self, work: Work) -> Awaitable[JsonObject]:
        if self._unary is None:
            raise MigFault(MigErrorCode.MIG_INVALID_REQUEST, f"{self._id} answers in a stream only")
        return self._call(self._unary, work)

    async def stream(self, work: Work) -> AsyncIterator[JsonObject | Final]:
        """The function's items; one that does not stream gives its answer as the terminal frame."""
        if self._streaming is None:
            yield Final(await self.invoke(work))
            return
        items = self._items(self._streaming, await self._arguments(self._streaming, work))
        with no_exit(self._id):
            async with aclosing(items):
                async for item in items:
                    if isinstance(item, DeclaredFinal):
                        yield Final(_json_object(self._id, item.payload))
                        return
                    yield _json_object(self._id, item)
                    # A generator that never awaits would let neither a cancellation nor anyone else through.
                    await asyncio.sleep(0)

    async def start(self) -> None:
        await self._resource.open()

    async def close(self) -> None:
        try:
            await self._resource.close()
        finally:
            self._threads.close()

    def health(self) -> Health:
        return self._resource.health()

    async def _call(self, signature: Signature, work: Work) -> JsonObject:
        arguments = await self._arguments(signature, work)
        with no_exit(self._id):
            if signature.blocking:
                answer = await self._threads.call(signature.function, *arguments)
            else:
                answer = await signature.function(*arguments)
        return _json_object(self._id, answer)

    def _items(self, signature: Signature, arguments: list[Any]) -> Any:
        generator = signature.function(*arguments)
        return self._threads.iterate(generator) if signature.blocking else generator

    async def _arguments(self, signature: Signature, work: Work) -> list[Any]:
        given: dict[Role, Any] = {Role.work: work, Role.resource: await self._resource.get()}
        if Role.payload in signature.roles:
            given[Role.payload] = _converted(work.payload, signature.input_type)
        if Role.inputs in signature.roles:
            given[Role.inputs] = _inputs(work, signature.item_type, first=Role.payload not in signature.roles)
        return signature.arguments(given)


def python_capability(
    declared: CapabilityFunction[..., Any], tenants: frozenset[str] | None = None
) -> Capability:
    """The capability that a decorated function declares, visible to `tenants` (None: to all)."""
    return Capability(
        descriptor=declared.descriptor,
        provider=PythonProvider(declared),
        input_schema=declared.input_schema,
        output_schema=declared.output_schema,
        tenants=tenants,
        made_from=declared,
    )


async def _inputs(work: Work, kind: Any, *, first: bool) -> AsyncIterator[Any]:
    """The input messages as the annotated type, `first` with the one that opened the stream."""
    if first:
        yield _converted(work.payload, kind)
    async for payload in work.inputs:
        yield _converted(payload, kind)


def _converted(payload: JsonObject, kind: Any) -> Any:
    # Not strict, because a JSON Schema integer may be written 1.0: the schema has already refused the rest.
    try:
        return msgspec.convert(payload, kind, strict=False)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        violation = {"pointer": _pointer(path.rstrip("`")), "message": message}
        raise MigFault(
            MigErrorCode.MIG_INVALID_REQUEST, f"payload: {error}", details={"violations": [violation]}
        ) from error


def _pointer(path: str) -> str:
    """`$.lines[0].text` as the JSON Pointer `/lines/0/text`; it ends where msgspec no longer knows a key."""
    return "".join(
        "/" + (name or index) for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", path.partition("[...]")[0])
    )


def _json_object(capability: str, answer: Any) -> JsonObject:
    payload = msgspec.to_builtins(answer, str_keys=True)
    if not isinstance(payload, dict):
        raise TypeError(f"{capability} answered with {type(answer).__name__}, which is not a JSON object")
    return payload
