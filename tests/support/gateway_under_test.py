"""A whole gateway without a socket: real core, a real store (memory by default), a clock that tests move."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

from mig_protocol.codec import decode
from mig_protocol.errors import MigFault
from mig_protocol.messages import (
    AuditRecord,
    CapabilityDescriptor,
    ConnectionKind,
    FrameKind,
    InvocationMode,
    InvokeRequest,
    InvokeResponse,
    QoSProfile,
    RequestFrame,
    RequestHeader,
    StreamFrame,
)
from migd.core.audit import AuditEntry
from migd.core.auth import OpenAuthenticator
from migd.core.call import Call, Principal
from migd.core.catalog import Capability
from migd.core.gateway import Gateway, Parts
from migd.core.ledger import OnFailure
from migd.core.limits import Identity, Limits
from migd.core.ports import Store
from migd.core.provider import Final, Health, JsonObject, Work
from migd.core.recorder import NullRecorder
from migd.stores.memory import MemoryStore
from migd.stores.retention import Retention
from support.manual_clock import ManualClock


class Scripted:
    """A provider that a test holds by the hand."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.release = asyncio.Event()
        self.stopped = asyncio.Event()
        self.seen: list[Work] = []
        self.items: list[JsonObject | Final] = []
        self.answer: JsonObject = {"done": True}
        self.error: Exception | None = None
        self.waits = False
        self.down = ""

    def invoke(self, work: Work) -> JsonObject | Awaitable[JsonObject]:
        self.seen.append(work)
        if not self.waits:
            self._fail_once()
        return self._later() if self.waits else self.answer

    async def stream(self, work: Work) -> AsyncIterator[JsonObject | Final]:
        self.seen.append(work)
        for item in self.items:
            yield item
        async for item in work.inputs:
            yield {"got": item}
        if self.waits:
            await self._later()
        self._fail_once()

    async def _later(self) -> JsonObject:
        self.started.set()
        try:
            await self.release.wait()
        finally:
            self.stopped.set()
        self._fail_once()
        return self.answer

    def _fail_once(self) -> None:
        error, self.error = self.error, None
        if error is not None:
            raise error

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def health(self) -> Health:
        return Health(not self.down, self.down)


class Eager(Scripted):
    """Yields as fast as it is asked to, and counts how often that is."""

    taken = 0

    async def stream(self, work: Work) -> AsyncIterator[JsonObject | Final]:  # noqa: ARG002
        for number in range(400):
            self.taken += 1
            yield {"n": number, "text": "x" * 100_000}


class Sink:
    """An audit sink that keeps what it was given."""

    def __init__(self) -> None:
        self.records: list[AuditRecord] = []
        self.failure: str | None = None

    lost = 0

    def append(self, entry: AuditEntry) -> None:
        self.records.append(decode(AuditRecord, entry.text))

    def reopen(self) -> None: ...

    async def close(self) -> None: ...


def capability(
    provider: Scripted | None, id: str = "test.scripted", modes: str = "unary server_stream", **fields: Any
) -> Capability:
    """A capability with the given modes; `fields` go to the Capability or to its descriptor."""
    names = ("tenants", "limits", "input_schema", "output_schema", "made_from")
    own = {name: fields.pop(name) for name in names if name in fields}
    descriptor = CapabilityDescriptor(
        id=id,
        version="1.0.0",
        modes=[InvocationMode(mode) for mode in modes.split()],
        input_schema_uri=f"schema://{id}/in",
        qos=fields.pop("qos", QoSProfile(max_payload_bytes=1000)),
        **fields,
    )
    return Capability(descriptor=descriptor, provider=provider, **own)


class GatewayUnderTest:
    """Use as an async context manager; its attributes are there for tests to look at."""

    def __init__(
        self,
        *capabilities: Capability,
        limits: Limits | None = None,
        retention: Retention | None = None,
        clock: ManualClock | None = None,
        store: Store | None = None,
        audit_on_failure: OnFailure = "continue",
        topic_scopes: bool = False,
    ) -> None:
        self.clock = clock or ManualClock()
        self.store = store or MemoryStore(self.clock, retention)
        self.audit = Sink()
        self.provider = Scripted()
        self.gateway = Gateway(
            Parts(
                store=self.store,
                authenticator=OpenAuthenticator(),
                clock=self.clock,
                recorder=NullRecorder(),
                identity=Identity(server_id="under-test"),
                limits=limits or Limits(),
                audit_sinks=(self.audit,),
                audit_on_failure=audit_on_failure,
                topic_scopes=topic_scopes,
            )
        )
        self._capabilities = capabilities or (capability(self.provider),)

    async def __aenter__(self) -> GatewayUnderTest:
        await self.gateway.start(self._capabilities)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.gateway.close()

    async def invoke(
        self,
        payload: JsonObject | None = None,
        call: Call | None = None,
        to: str = "test.scripted",
        **header: Any,
    ) -> InvokeResponse:
        """INVOKE as a binding would; header fields by name."""
        request = InvokeRequest(capability=to, payload=payload or {}, header=RequestHeader(**header))
        answer = self.gateway.invoke(call or calling(), request)
        return answer if isinstance(answer, InvokeResponse) else await answer

    async def stream(
        self, call: Call | None = None, to: str = "test.scripted", **header: Any
    ) -> list[StreamFrame]:
        """A streamed invocation from its request frame to its terminal one."""
        frames: list[StreamFrame] = []

        async def take(frame: StreamFrame) -> None:
            frames.append(frame)

        session = self.gateway.open_session(call or calling(), take, ConnectionKind.ws_stream)
        request = RequestFrame(
            kind=FrameKind.request,
            stream_id="s",
            capability=to,
            payload={},
            header=RequestHeader(**header),
        )
        await session.receive(request)
        try:
            await session.finish()
        finally:
            await session.close()
        return frames

    async def outcome(self, *args: Any, streamed: bool = False, **kwargs: Any) -> str:
        """How an invocation ended: the error's code, empty for a success."""
        if streamed:
            last = (await self.stream(*args, **kwargs))[-1]
            return last.error.code.value if last.error else ""
        try:
            await self.invoke(*args, **kwargs)
        except MigFault as fault:
            return fault.code.value
        return ""


def calling(tenant: str | None = "acme", *, scopes: str | None = None, binding: str = "http") -> Call:
    """A call by an anonymous caller of `tenant`, or by an authenticated one when `scopes` are given."""
    principal = Principal(
        subject="anonymous" if scopes is None else "alice",
        tenant_id=None if scopes is None else tenant,
        scopes=frozenset((scopes or "").split()),
        authenticated=scopes is not None,
    )
    return Call(principal=principal, binding=binding, tenant=tenant if scopes is None else None)


async def settle() -> None:
    """Let every task that can run now run."""
    for _ in range(10):
        await asyncio.sleep(0)
