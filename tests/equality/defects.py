"""Defects of one binding each, put in where that binding meets the gateway.

Every binding calls the gateway's facade and says which binding it is: a defect changes what one of them asks
or is answered, as a mistake in its shell would, and leaves the others alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from mig_protocol.messages import (
    AuditExport,
    AuditQuery,
    ConnectionKind,
    DiscoverRequest,
    DiscoverResponse,
    ErrorEnvelope,
    InvokeRequest,
    InvokeResponse,
    MigErrorCode,
    StreamFrame,
    SubscribeRequest,
)
from migd.core.call import Call
from migd.core.gateway import Gateway
from migd.core.sessions import StreamSession
from migd.core.subscription import Subscription

Invoke = Callable[[Call, InvokeRequest], Any]
Send = Callable[[StreamFrame], Awaitable[None]]
Defect = Callable[[Gateway], None]


def http_forgets_the_session(gateway: Gateway) -> None:
    """A field of the header is not repeated."""

    def forget(response: InvokeResponse) -> InvokeResponse:
        return replace(response, header=replace(response.header, session_id=UNSET))

    _answer_otherwise(gateway, "http", forget)


def http_tells_no_replay(gateway: Gateway) -> None:
    """An answer given again looks like a new one."""

    def hide(response: InvokeResponse) -> InvokeResponse:
        meta = dict(response.header.meta or {})
        meta.pop("mig.idempotent_replay", None)
        return replace(response, header=replace(response.header, meta=meta))

    _answer_otherwise(gateway, "http", hide)


def websocket_swaps_frames(gateway: Gateway) -> None:
    """The second piece of a stream comes before the first."""

    def swapping(send: Send) -> Send:
        held: list[StreamFrame] = []

        async def swap(frame: StreamFrame) -> None:
            if frame.payload and frame.payload.get("piece") == 0:
                held.append(frame)
                return
            await send(frame)
            while held:
                await send(held.pop())

        return swap

    _send_otherwise(gateway, ConnectionKind.ws_stream, swapping)


def websocket_never_retries(gateway: Gateway) -> None:
    """Every failure looks as if it were for good."""

    def hardened(send: Send) -> Send:
        async def harden(frame: StreamFrame) -> None:
            error = replace(frame.error, retryable=False) if frame.error else frame.error
            await send(replace(frame, error=error))

        return harden

    _send_otherwise(gateway, ConnectionKind.ws_stream, hardened)


def grpc_has_another_code(gateway: Gateway) -> None:
    """One row of the error table is mixed up with its neighbour."""
    envelope = gateway.envelope

    def mistake(operation: str, fault: Any, call: Call | None, header: Any = UNSET) -> ErrorEnvelope:
        made = envelope(operation, fault, call, header)
        unsupported = made.error.code is MigErrorCode.MIG_UNSUPPORTED_CAPABILITY
        if call is not None and call.binding == "grpc" and unsupported:
            made.error = replace(made.error, code=MigErrorCode.MIG_NOT_FOUND)
        return made

    gateway.envelope = mistake  # type: ignore[method-assign]


def grpc_reorders_events(gateway: Gateway) -> None:
    """What is read at once is given backwards."""
    subscribe = gateway.subscribe

    async def backwards(call: Call, request: SubscribeRequest, kind: ConnectionKind) -> Subscription:
        subscription = await subscribe(call, request, kind)
        following = subscription.next

        async def reordered(**how: Any) -> Any:
            item = await following(**how)
            return tuple(reversed(item)) if isinstance(item, list | tuple) else item

        if kind is ConnectionKind.event_subscribe:
            subscription.next = reordered  # type: ignore[method-assign]
        return subscription

    gateway.subscribe = backwards  # type: ignore[method-assign]


def grpc_loses_the_trace(gateway: Gateway) -> None:
    """The trace context does not reach the provider."""

    def untraced(invoke: Invoke, call: Call, request: InvokeRequest) -> Any:
        if request.header and request.header.traceparent:
            request.header.traceparent = UNSET
        return invoke(call, request)

    _ask_otherwise(gateway, "grpc", untraced)


def nats_debits_twice(gateway: Gateway) -> None:
    """Every invocation is run, and charged, a second time."""

    async def twice(invoke: Invoke, call: Call, request: InvokeRequest) -> Any:
        await _settled(invoke(call, request))
        return await _settled(invoke(call, request))

    _ask_otherwise(gateway, "nats", twice)


def nats_leaves_no_audit_record(gateway: Gateway) -> None:
    """What came over it is not in the audit trail."""
    export = gateway.administration.export_audit

    async def without(query: AuditQuery) -> AuditExport:
        records = (await export(query)).records
        return AuditExport(records=[record for record in records if record.binding != "nats"])

    gateway.administration.export_audit = without  # type: ignore[method-assign]


def nats_lists_backwards(gateway: Gateway) -> None:
    """Capabilities are not sorted by id."""
    discover = gateway.discover

    def backwards(call: Call, request: DiscoverRequest) -> DiscoverResponse:
        response = discover(call, request)
        if call.binding == "nats":
            response.capabilities.reverse()
        return response

    gateway.discover = backwards  # type: ignore[method-assign]


DEFECTS: tuple[Defect, ...] = (
    http_forgets_the_session,
    http_tells_no_replay,
    websocket_swaps_frames,
    websocket_never_retries,
    grpc_has_another_code,
    grpc_reorders_events,
    grpc_loses_the_trace,
    nats_debits_twice,
    nats_leaves_no_audit_record,
    nats_lists_backwards,
)


def _ask_otherwise(gateway: Gateway, binding: str, ask: Callable[[Invoke, Call, InvokeRequest], Any]) -> None:
    invoke = gateway.invoke

    def spoilt(call: Call, request: InvokeRequest) -> Any:
        return ask(invoke, call, request) if call.binding == binding else invoke(call, request)

    gateway.invoke = spoilt


def _answer_otherwise(
    gateway: Gateway, binding: str, change: Callable[[InvokeResponse], InvokeResponse]
) -> None:
    async def later(answer: Awaitable[InvokeResponse]) -> InvokeResponse:
        return change(await answer)

    def ask(invoke: Invoke, call: Call, request: InvokeRequest) -> Any:
        answer = invoke(call, request)
        return later(answer) if inspect.isawaitable(answer) else change(answer)

    _ask_otherwise(gateway, binding, ask)


def _send_otherwise(gateway: Gateway, spoilt: ConnectionKind, change: Callable[[Send], Send]) -> None:
    open_session = gateway.open_session

    def opened(call: Call, send: Send, kind: ConnectionKind) -> StreamSession:
        return open_session(call, change(send) if kind is spoilt else send, kind)

    gateway.open_session = opened  # type: ignore[method-assign]


async def _settled(answer: Any) -> Any:
    return await answer if inspect.isawaitable(answer) else answer
