"""The same question over every binding: who am I to you?"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from grpc import aio

from mig_protocol.pb import mig_pb2 as pb
from support.grpc_client import GrpcClient, connected, error_in
from support.nats_gateway import NatsCaller, nats_client
from support.nats_servers import NatsServer
from support.running_migd import LocalMigd, local_migd
from support.until import until

Ask = Callable[[str | None], Awaitable[str]]
"""The code of the refusal of a caller with this token, or of none; "" for a caller who is taken."""

BINDINGS = (
    "http",
    "sse",
    "websocket",
    "websocket subprotocol",
    "websocket frame",
    "grpc",
    "grpc stream",
    "nats",
)
STREAM = "/mig/v0.1/stream"
_BY_STATUS = {
    401: "MIG_UNAUTHORIZED",
    403: "MIG_FORBIDDEN",
    413: "MIG_INVALID_REQUEST",
    503: "MIG_UNAVAILABLE",
}


@asynccontextmanager
async def everywhere(server: NatsServer, **environ: str) -> AsyncIterator[Any]:
    """A gateway that is served over every binding: gives `(migd, asks)`, an Ask for each of BINDINGS."""
    bound = {"MIGD_GRPC_ADDR": "127.0.0.1:0", "MIGD_NATS_URL": server.url}
    async with local_migd(**bound, **environ) as migd, nats_client(server) as client:
        await until(lambda: migd.gateway.readiness().status == "ok")
        yield migd, asks(migd, NatsCaller(client))


def asks(migd: LocalMigd, nats: NatsCaller, tenant: str | None = None) -> dict[str, Ask]:
    """By binding; `tenant` is what the transport says, where it does not have to say acme."""
    field = {} if tenant is None else {"X-Tenant-ID": tenant}

    async def http(token: str | None) -> str:
        return await _status(migd, "POST", "/mig/v0.1/discover", {**field, **_bearer(token)})

    async def sse(token: str | None) -> str:
        return await _status(migd, "GET", "/mig/v0.1/subscribe/a.b", {**field, **_bearer(token)})

    async def websocket(token: str | None) -> str:
        return await _handshake(migd, {**field, **_bearer(token)}, ["mig.v0.1"])

    async def subprotocol(token: str | None) -> str:
        offered = [] if token is None else [f"mig.bearer.{token}"]
        return await _handshake(migd, field, ["mig.v0.1", *offered])

    async def frame(token: str | None) -> str:
        return await _first_frame(migd, field, token)

    async def grpc(token: str | None) -> str:
        async with connected(migd, tenant, **_lower(_bearer(token))) as client:
            return await _grpc_code(client)

    async def grpc_stream(token: str | None) -> str:
        async with connected(migd, tenant, **_lower(_bearer(token))) as client:
            return await _stream_code(client)

    async def over_nats(token: str | None) -> str:
        caller = NatsCaller(nats.client, tenant or nats.tenant)
        return _code((await caller.ask("discover", {}, **_bearer(token))).json)

    return dict(
        zip(BINDINGS, (http, sse, websocket, subprotocol, frame, grpc, grpc_stream, over_nats), strict=True)
    )


def _bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def _lower(fields: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in fields.items()}


def _code(body: Any) -> str:
    return str(body["error"]["code"]) if body.get("error") else ""


async def _status(migd: LocalMigd, method: str, path: str, fields: dict[str, str]) -> str:
    async with migd.http.request(method, path, headers=fields) as response:
        return "" if response.status == 200 else _code(await response.json())


async def _handshake(migd: LocalMigd, fields: dict[str, str], protocols: list[str]) -> str:
    try:
        async with migd.http.ws_connect(STREAM, headers=fields, protocols=protocols) as socket:
            assert socket.protocol == "mig.v0.1"
            return await _invoked(socket)
    except aiohttp.WSServerHandshakeError as refusal:
        return _BY_STATUS[refusal.status]


async def _first_frame(migd: LocalMigd, fields: dict[str, str], token: str | None) -> str:
    offered = ["mig.v0.1", "mig.authenticate"]
    async with migd.http.ws_connect(STREAM, headers=fields, protocols=offered) as socket:
        await socket.send_json({"kind": "control", "payload": {"action": "authenticate", "token": token}})
        answer = await _frame(socket)
        if answer["kind"] == "error":
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
            assert socket.close_code == 1008
            return _code(answer)
        assert answer["payload"] == {"accepted": True, "status": "authenticated"}
        return await _invoked(socket)


async def _invoked(socket: aiohttp.ClientWebSocketResponse) -> str:
    """What a first invocation comes to: a tenant that is not the token's shows only there."""
    request = {"kind": "request", "capability": "observatory.models.infer", "payload": {"input": "x"}}
    await socket.send_json(request)
    return _code(await _frame(socket))


async def _frame(socket: aiohttp.ClientWebSocketResponse) -> Any:
    message = await socket.receive()
    assert message.type is aiohttp.WSMsgType.TEXT, message
    return json.loads(message.data)


async def _grpc_code(client: GrpcClient) -> str:
    try:
        await client.discover()
    except aio.AioRpcError as status:
        return pb.MigErrorCode.Name(error_in(status).code)
    return ""


async def _stream_code(client: GrpcClient) -> str:
    frames = client.frames()
    try:
        await frames.start("s-1")
        frame = await frames.next()
    except (aio.AioRpcError, AssertionError):
        details = str(await frames.call.details())
        # A status that comes while a frame is sent is lost in grpc's client, which says this instead.
        lost = details == "Internal error from Core"
        return await _stream_code(client) if lost else details.partition(":")[0]
    return pb.MigErrorCode.Name(frame.error.code) if frame.HasField("error") else ""
