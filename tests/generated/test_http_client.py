"""The HTTP client stub against a real server made of the server stub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import aiohttp
import pytest

from mig_protocol import codec
from mig_protocol.asgi import AsgiAdapter, WebSocketPeer
from mig_protocol.errors import MigFault
from mig_protocol.http_client import HttpClient
from mig_protocol.http_server import Exchange, HttpStub
from mig_protocol.messages import (
    CancelRequest,
    ConnectionProtocol,
    ConnectionQuery,
    EventMessage,
    GapNotice,
    HealthState,
    HelloRequest,
    InvokeRequest,
    MigErrorCode,
    OrgCreation,
    RequestHeader,
    SubscribeRequest,
)
from support.aiohttp_transport import AiohttpTransport
from support.asgi_server import serving
from support.scripted_http import NOW, ScriptedHttp, answered

SOON_S = 10.0


class Remote:
    """A served service and a client of it."""

    def __init__(self, service: ScriptedHttp, transport: AiohttpTransport) -> None:
        self.service = service
        self.transport = transport
        self.client = HttpClient(transport, headers={"X-Tenant-ID": "acme"})


async def _no_websocket(peer: WebSocketPeer) -> None:
    await peer.close()


def _unobserved(_exchange: Exchange, _status: int, _seconds: float) -> None:
    return


async def _odd_pages(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 502, "headers": []})
    await send({"type": "http.response.body", "body": b"<h1>bad gateway</h1>"})


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[ScriptedHttp, int]]:
    service = ScriptedHttp()
    adapter = AsgiAdapter(
        HttpStub(service, max_body_bytes=1 << 20),
        pages=_odd_pages,
        pages_prefixes=("/proxy",),
        websocket=_no_websocket,
        observe=_unobserved,
        body_timeout_s=5,
    )
    with serving(adapter) as port:
        yield service, port


@pytest.fixture
async def remote(served: tuple[ScriptedHttp, int]) -> AsyncIterator[Remote]:
    service, port = served
    async with aiohttp.ClientSession() as session:
        yield Remote(service, AiohttpTransport(session, f"http://127.0.0.1:{port}"))


async def test_a_request_comes_back_as_a_typed_response(remote: Remote) -> None:
    request = InvokeRequest(capability="test.later", header=RequestHeader(message_id="m-1"), payload={"n": 1})
    response = await remote.client.invoke(request)
    assert response.payload == {"echo": {"n": 1}}
    assert (response.header.message_id, response.header.timestamp) == ("m-1", NOW)
    assert response.header.tenant_id == "acme"


async def test_a_request_without_what_its_path_needs_is_not_sent(remote: Remote) -> None:
    with pytest.raises(ValueError, match="capability"):
        await remote.client.invoke(InvokeRequest())


async def test_what_goes_into_the_path_is_escaped(remote: Remote) -> None:
    with pytest.raises(MigFault):
        await remote.client.cancel(CancelRequest(target_message_id="a%b?c#d/e"))
    assert remote.transport.requests[0][1] == "/mig/v0.1/cancel/a%25b%3Fc%23d%2Fe"


async def test_an_error_is_raised_with_all_that_the_server_said(remote: Remote) -> None:
    with pytest.raises(MigFault) as raised:
        await remote.client.invoke(InvokeRequest(capability="test.busy"))
    fault = raised.value
    assert (fault.code, fault.message, fault.retryable) == (MigErrorCode.MIG_RATE_LIMITED, "too many", True)
    assert fault.retry_after_s == 1
    assert fault.header is not None
    assert fault.header.tenant_id == "acme"


async def test_an_answer_that_is_not_migs_is_told_apart(remote: Remote) -> None:
    status, headers, body = await remote.transport.send("GET", "/proxy", "", (), b"")
    assert (status, body) == (502, b"<h1>bad gateway</h1>")

    class Elsewhere(AiohttpTransport):
        async def send(self, *_request: Any) -> Any:
            return status, headers, body

    with pytest.raises(MigFault) as raised:
        await HttpClient(Elsewhere(None, "")).hello(HelloRequest())  # type: ignore[arg-type]
    assert raised.value.code is MigErrorCode.MIG_UNAVAILABLE
    assert raised.value.message == "HTTP 502 without an ErrorEnvelope: '<h1>bad gateway</h1>'"


async def test_a_query_is_sent_as_parameters(remote: Remote) -> None:
    query = ConnectionQuery(tenant_id="acme", protocol=ConnectionProtocol.http)
    snapshot = await remote.client.list_connections(query)
    assert snapshot.connections == []
    assert remote.service.requests[-1] == query


async def test_created_status_and_text_answers(remote: Remote) -> None:
    assert (await remote.client.create_org(OrgCreation(name="Acme"))).id == "org-1"
    assert await remote.client.metrics() == "up 1\n"


async def test_an_answer_under_another_documented_status_is_an_answer(remote: Remote) -> None:
    assert (await remote.client.readiness()).status is HealthState.unavailable


def event(sequence: int) -> EventMessage:
    return EventMessage(
        header=answered(RequestHeader(), "acme"),
        topic="test.finite",
        event_id=f"e-{sequence}",
        sequence=sequence,
        payload={},
        published_at=NOW,
        replay=True,
    )


async def test_a_subscription_gives_events_and_gaps(remote: Remote) -> None:
    first, gap = event(1), GapNotice(from_sequence=2, to_sequence=8)
    remote.service.chunks = [
        b"id: 1\nevent: mig-event\ndata: %s\n\n" % codec.encode(first),
        b": keep-alive\n\n",
        b"event: mig-gap\ndata: %s\n\n" % codec.encode(gap),
    ]
    header = RequestHeader(session_id="s-1", deadline_ms=5)
    request = SubscribeRequest(topic="test.finite", resume_cursor="0", header=header)
    async with aclosing(remote.client.subscribe(request)) as events:
        assert [one async for one in events] == [first, gap]
    _, target, headers = remote.transport.requests[0]
    assert target == "/mig/v0.1/subscribe/test.finite?resume_cursor=0"
    assert headers == {"X-Tenant-ID": "acme", "MIG-Session-ID": "s-1", "MIG-Deadline-Ms": "5"}


async def test_closing_a_subscription_ends_it_at_the_server(remote: Remote) -> None:
    remote.service.chunks = [b"event: mig-event\ndata: %s\n\n" % codec.encode(event(1))]
    async with aclosing(remote.client.subscribe(SubscribeRequest(topic="test.endless"))) as events:
        assert await anext(events) == event(1)
    with pytest.raises(StopAsyncIteration):  # closed by the stub, not when it happens to be collected
        await anext(remote.transport.streams[0])
    closed = remote.service.happened["test.endless closed"]
    assert await asyncio.to_thread(closed.wait, SOON_S)


async def test_a_refused_subscription_raises_the_fault(remote: Remote) -> None:
    with pytest.raises(MigFault) as raised:
        await anext(remote.client.subscribe(SubscribeRequest(topic="test.refused")))
    assert raised.value.code is MigErrorCode.MIG_BACKPRESSURE
    assert raised.value.retry_after_s == 3
