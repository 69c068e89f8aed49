"""Server-Sent Events, one by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from aiohttp import ClientConnectionError, StreamReader, web

from mig_conformance.selfproof.mutant import At
from mig_conformance.selfproof.mutation import Mutation
from mig_conformance.selfproof.passage import Passage, read_json


async def pass_events(
    content: StreamReader, response: web.StreamResponse, request: Passage, scope: str, mutation: Mutation
) -> None:
    """Until the server ends the stream; who hears that the client is gone cancels it."""
    async for raw in _blocks(content):
        for passage in mutation.through(_read(raw, request, scope)):
            await asyncio.sleep(passage.delay_s)
            await _write(response, _written(passage))
    for passage in mutation.left(scope):
        await _write(response, _written(passage))


async def _write(response: web.StreamResponse, content: bytes) -> None:
    try:
        await response.write(content)
    except ClientConnectionError:
        await asyncio.Event().wait()


async def _blocks(content: StreamReader) -> AsyncIterator[bytes]:
    """The bytes of one event or comment, with the blank line that ends it."""
    block = b""
    while line := await content.readuntil(b"\n"):
        block += line
        if line.strip() == b"" or (line.startswith(b":") and block == line):
            yield block
            block = b""
    if block:
        yield block


def _read(raw: bytes, request: Passage, scope: str) -> Passage:
    fields: dict[str, str] = {}
    for line in raw.decode().splitlines():
        name, _, value = line.partition(":")
        if name:
            fields[name] = f"{fields[name]}\n{value}" if name in fields else value.removeprefix(" ")
    stage: At = "event" if fields else "comment"
    return Passage(
        at=frozenset({stage}),
        binding="sse",
        operations=request.operations,
        message=read_json(fields.get("data", "").encode()),
        raw=raw,
        fields=fields,
        request=request,
        scope=scope,
    )


def _written(passage: Passage) -> bytes:
    if not (passage.changed or passage.new_fields):
        return passage.raw
    return "".join(_lines(passage)).encode() + b"\n"


def _lines(passage: Passage) -> Iterator[str]:
    content = passage.json().decode() if passage.changed else None
    fields = {**passage.fields, **({} if content is None else {"data": content}), **passage.new_fields}
    for name, value in fields.items():
        if value is not None:
            yield f"{name}: {value}\n"
