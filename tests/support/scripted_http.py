"""An HttpService for tests of the HTTP stub and its adapter: the capability called decides what it does."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET, UnsetType, to_builtins

from mig_protocol.errors import MigFault
from mig_protocol.http_server import Answer, Exchange, HttpService
from mig_protocol.messages import (
    ConnectionQuery,
    ConnectionSnapshot,
    ConnectionSummary,
    ErrorEnvelope,
    HealthState,
    HealthStatus,
    InvokeRequest,
    InvokeResponse,
    MessageHeader,
    MigErrorCode,
    Org,
    OrgCreation,
    RequestHeader,
    SubscribeRequest,
)

NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


def answered(header: RequestHeader | UnsetType, tenant: str = "unknown") -> MessageHeader:
    """The header of an answer: what the request's says, and a fixed rest."""
    given = to_builtins(header) if header is not UNSET else {}
    return MessageHeader(
        **{"mig_version": "0.1", "message_id": "made-up", "tenant_id": tenant} | given | {"timestamp": NOW}
    )


def _not_here(_self: Any, _exchange: Exchange, *_request: Any) -> Any:
    raise MigFault(MigErrorCode.MIG_UNAVAILABLE, "not part of this test")


_Bare: Any = type("_Bare", (HttpService,), dict.fromkeys(HttpService.__abstractmethods__, _not_here))


class ClosableChunks:
    """A stream that is no generator, so that nothing but its user closes it."""

    def __init__(self, chunks: list[bytes], closed: threading.Event) -> None:
        self._chunks = iter(chunks)
        self._closed = closed

    def __aiter__(self) -> ClosableChunks:
        return self

    async def __anext__(self) -> bytes:
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self._closed.set()


class ScriptedHttp(_Bare):  # type: ignore[misc]
    """Records what it was asked; `happened[name]` events let a test in another thread wait for its work."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.exchanges: list[Exchange] = []
        self.faults: list[MigFault] = []
        self.happened: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        self.chunks: list[bytes] = [b"id: 1\n\n", b"id: 2\n\n"]
        self._invocations: dict[str, Callable[[InvokeRequest], Any]] = {
            "test.echo": self._echo,
            "test.later": self._later,
            "test.at-once": self._at_once,
            "test.hang": self._hang,
            "test.stubborn": self._stubborn,
            "test.broken": self._broken,
            "test.unencodable": self._unencodable,
            "test.busy": self._busy,
            "test.denied": self._denied,
        }

    def failed(self, exchange: Exchange, fault: MigFault) -> ErrorEnvelope:
        self.faults.append(fault)
        header = answered(exchange.carried or UNSET, exchange.tenant or "unknown")
        return ErrorEnvelope(header=header, error=fault.error())

    def invoke(
        self, exchange: Exchange, request: InvokeRequest
    ) -> InvokeResponse | Awaitable[InvokeResponse]:
        self._note(exchange, request)
        answer: InvokeResponse | Awaitable[InvokeResponse] = self._invocations[str(request.capability)](
            request
        )
        return answer

    def subscribe(
        self, exchange: Exchange, request: SubscribeRequest
    ) -> AsyncIterator[bytes] | Awaitable[AsyncIterator[bytes]]:
        self._note(exchange, request)
        if request.topic == "test.refused":
            raise MigFault(MigErrorCode.MIG_BACKPRESSURE, "no room", retry_after_s=2.5)
        if request.topic == "test.awaited":
            return self._awaited_stream()
        if request.topic == "test.iterator":
            return ClosableChunks(self.chunks, self.happened["test.iterator closed"])
        return self._stream(str(request.topic))

    def list_connections(self, exchange: Exchange, query: ConnectionQuery) -> ConnectionSnapshot:
        self._note(exchange, query)
        summary = ConnectionSummary(
            total=0, by_protocol={}, by_kind={}, by_tenant={}, nats_binding_active=False
        )
        return ConnectionSnapshot(generated_at=NOW, summary=summary, connections=[])

    def create_org(self, exchange: Exchange, request: OrgCreation) -> Org:
        self._note(exchange, request)
        return Org(id="org-1", name=request.name)

    def liveness(self, exchange: Exchange) -> HealthStatus:
        self._note(exchange, None)
        return HealthStatus(status=HealthState.ok, reasons=[])

    def readiness(self, exchange: Exchange) -> Answer[HealthStatus]:
        self._note(exchange, None)
        return Answer(HealthStatus(status=HealthState.unavailable, reasons=["starting"]), status=503)

    def metrics(self, exchange: Exchange) -> str | Answer[str]:
        if exchange.query == b"open":
            return Answer("# EOF\n", media_type="application/openmetrics-text; version=1.0.0")
        return "up 1\n"

    def _note(self, exchange: Exchange, request: Any) -> None:
        self.exchanges.append(exchange)
        self.requests.append(request)

    def _echo(self, request: InvokeRequest) -> InvokeResponse:
        echoed = {"echo": request.payload}
        return InvokeResponse(
            header=answered(request.header), capability=str(request.capability), payload=echoed
        )

    async def _later(self, request: InvokeRequest) -> InvokeResponse:
        await asyncio.sleep(0)
        return self._echo(request)

    async def _at_once(self, request: InvokeRequest) -> InvokeResponse:
        return self._echo(request)

    async def _hang(self, request: InvokeRequest) -> InvokeResponse:
        self.happened["hang started"].set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.happened["hang stopped"].set()
        return self._echo(request)

    async def _stubborn(self, request: InvokeRequest) -> InvokeResponse:
        """Answers although it was cancelled."""
        self.happened["stubborn started"].set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            self.happened["stubborn stopped"].set()
        return self._echo(request)

    def _broken(self, _request: InvokeRequest) -> InvokeResponse:
        raise ZeroDivisionError("a secret of the inside")

    def _unencodable(self, request: InvokeRequest) -> InvokeResponse:
        return InvokeResponse(header=answered(request.header), capability="a", payload={"x": object()})

    async def _busy(self, _request: InvokeRequest) -> InvokeResponse:
        raise MigFault(MigErrorCode.MIG_RATE_LIMITED, "too many", retry_after_s=0.2)

    def _denied(self, _request: InvokeRequest) -> InvokeResponse:
        raise MigFault(MigErrorCode.MIG_UNAUTHORIZED, "who is there")

    async def _awaited_stream(self) -> AsyncIterator[bytes]:
        await asyncio.sleep(0)
        return self._stream("test.finite")

    async def _stream(self, topic: str) -> AsyncIterator[bytes]:
        try:
            self.happened[f"{topic} opened"].set()
            if topic == "test.silent":
                await asyncio.get_running_loop().create_future()
            for chunk in self.chunks:
                yield chunk
            if topic == "test.torn":
                raise ZeroDivisionError("in the middle")
            if topic == "test.endless":
                while True:
                    yield b": more\n\n"
                    await asyncio.sleep(0)
        finally:
            self.happened[f"{topic} closed"].set()
