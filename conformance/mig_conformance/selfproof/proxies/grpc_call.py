"""One call through the gRPC proxy: what its kinds have in common, and the unary one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from grpc import StatusCode, aio

from mig_conformance.selfproof.mutant import At
from mig_conformance.selfproof.mutation import Mutation
from mig_conformance.selfproof.passage import Passage
from mig_conformance.selfproof.proxies.grpc_ending import (
    Ending,
    Metadata,
    ending_after,
    failed,
    forwarded,
    refusal,
    texts,
    with_fields,
)
from mig_conformance.selfproof.proxies.grpc_messages import Method, read, written

_TENANT = "x-tenant-id"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxiedCall:
    """`context` is that of the suite's call, `channel` leads to the server; `scope` names the call."""

    method: Method
    context: Any
    channel: Any
    mutation: Mutation
    scope: str
    # The library takes one thing to write at a time.
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def asked(self, raw: bytes) -> Passage:
        """The request that opens the call."""
        passage = self.passage("request", read(self.method.request, raw), raw)
        passage.fields = texts(forwarded(self.context.invocation_metadata()))
        passage.tenant = passage.fields.get(_TENANT)
        passage.scope = ""
        return passage

    def answered(self, request: Passage, raw: bytes, ending: Ending) -> Passage:
        """The answer, or the refusal, that ends the call."""
        accepted = ending.code is StatusCode.OK
        message = read(self.method.response, raw) if accepted else ending.envelope
        passage = self.passage("answer", message, raw)
        passage.fields, passage.status = texts(ending.metadata), ending.code.name
        passage.request, passage.scope = request, ""
        return passage

    def passage(self, at: At, message: Any, raw: bytes) -> Passage:
        """A message of this call."""
        return Passage(
            at=frozenset({at}),
            binding="grpc",
            operations=self.method.operations,
            message=message,
            raw=raw,
            scope=self.scope,
        )

    def metadata(self, passage: Passage) -> Metadata:
        """What goes to the server with the request."""
        tenant = {} if passage.new_tenant is None else {_TENANT: passage.new_tenant}
        given = forwarded(self.context.invocation_metadata())
        return with_fields(given, {**passage.new_fields, **tenant})

    def request_bytes(self, passage: Passage) -> bytes:
        return written(self.method.request, passage, self.mutation.fault)

    def response_bytes(self, passage: Passage) -> bytes:
        return written(self.method.response, passage, self.mutation.fault)

    async def unary(self, raw: bytes) -> bytes:
        """One message each way. Does not return where the mutant loses the answer."""
        answer = None
        for passage in self.mutation.through(self.asked(raw)):
            await asyncio.sleep(passage.delay_s)
            if passage.answer is not None:
                return await self.in_its_place(passage)
            answer = await self._forward(passage)
        return await never() if answer is None else await self._answer(*answer)

    async def _forward(self, passage: Passage) -> tuple[Passage, Ending, Any]:
        call = self.channel.unary_unary(self.method.name)(
            self.request_bytes(passage),
            metadata=self.metadata(passage),
            timeout=self.context.time_remaining(),
        )
        try:
            raw, ending = await call, Ending(metadata=forwarded(await call.trailing_metadata()))
        except aio.AioRpcError as error:
            raw, ending = b"", failed(error)
        return self.answered(passage, raw, ending), ending, await call.initial_metadata()

    async def _answer(self, answer: Passage, ending: Ending, initial: Any) -> bytes:
        if not self.mutation.through(answer):
            return await never()
        await asyncio.sleep(answer.delay_s)
        if initial:
            await self.context.send_initial_metadata(forwarded(initial))
        await self.end(ending_after(ending, answer))
        return self.response_bytes(answer)

    async def in_its_place(self, passage: Passage) -> bytes:
        """What the mutant answers. Does not return where it refuses."""
        answer = passage.answer or {}
        if "error" in answer:
            await self.end(refusal(answer, passage.new_status))
        passage.message, passage.changed = answer, True
        return self.response_bytes(passage)

    async def write(self, passage: Passage) -> None:
        """To a client that may be gone: whoever cancels the call ends it."""
        await asyncio.sleep(passage.delay_s)
        try:
            async with self.writing:
                await self.context.write(self.response_bytes(passage))
        except (aio.UsageError, aio.InternalError, asyncio.InvalidStateError):
            await never()

    async def end(self, ending: Ending) -> None:
        """Does not return unless it ends well."""
        if ending.code is StatusCode.OK:
            self.context.set_trailing_metadata(ending.metadata)
        else:
            await self.context.abort(ending.code, ending.text, ending.metadata)


async def never() -> bytes:
    """Until the client goes away, or the proxy."""
    await asyncio.Event().wait()
    return b""
