"""A WebSocket that says who is there in its first frame (MIG-AUT-009, 010)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from support.any_binding import STREAM
from support.running_migd import LocalMigd, local_migd
from support.tokens import JWT_MODE, bearer
from support.until import until

TOKEN = bearer("acme", "capability:infer")[7:]
START = {"kind": "request", "capability": "observatory.models.infer", "payload": {"input": "x"}}


@pytest.fixture
async def migd() -> AsyncIterator[LocalMigd]:
    async with local_migd(**JWT_MODE) as running:
        yield running


@asynccontextmanager
async def announced(migd: LocalMigd, *protocols: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    offered = protocols or ("mig.authenticate", "mig.v0.1")
    async with migd.http.ws_connect(STREAM, protocols=offered) as socket:
        yield socket


def authenticate(token: Any = TOKEN, **fields: Any) -> dict[str, Any]:
    return {"kind": "control", "payload": {"action": "authenticate", "token": token}, **fields}


async def frame(socket: aiohttp.ClientWebSocketResponse) -> Any:
    return json.loads(await socket.receive_str())


async def refusal(socket: aiohttp.ClientWebSocketResponse) -> str:
    """The code of the error frame; the connection is closed after it."""
    answer = await frame(socket)
    assert (answer["kind"], answer["end_stream"]) == ("error", True)
    assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    assert socket.close_code == 1008
    return str(answer["error"]["code"])


async def test_a_good_token_opens_the_connection_and_its_tenant_is_that_of_every_frame(
    migd: LocalMigd,
) -> None:
    async with announced(migd) as socket:
        await socket.send_json(authenticate(stream_id="hello"))
        answer = await frame(socket)
        await socket.send_json(START)
        piece = await frame(socket)

        assert socket.protocol == "mig.v0.1"
        assert (answer["kind"], answer["stream_id"], answer["end_stream"]) == ("control", "hello", True)
        assert answer["payload"] == {"accepted": True, "status": "authenticated"}
        assert piece["header"]["tenant_id"] == answer["header"]["tenant_id"] == "acme"


@pytest.mark.parametrize(
    "first",
    [
        START,
        authenticate("x.y.z"),
        authenticate(None),
        authenticate(TOKEN + "x" * 20_000),
        {"kind": "control", "payload": {"action": "cancel", "token": TOKEN}},
        {"kind": "request", "payload": {"action": "authenticate", "token": TOKEN}},
        {"kind": "control"},
        [],
    ],
)
async def test_nothing_else_is_taken_first(migd: LocalMigd, first: Any) -> None:
    async with announced(migd) as socket:
        await socket.send_json(first)

        assert await refusal(socket) == "MIG_UNAUTHORIZED"


async def test_another_tenant_in_the_first_frame_is_forbidden(migd: LocalMigd) -> None:
    async with announced(migd) as socket:
        await socket.send_json(authenticate(header={"tenant_id": "globex"}))

        assert await refusal(socket) == "MIG_FORBIDDEN"


async def test_who_says_nothing_is_not_waited_for() -> None:
    async with local_migd(**JWT_MODE, MIGD_WS_AUTH_TIMEOUT_S="0.1") as migd, announced(migd) as socket:
        assert await refusal(socket) == "MIG_UNAUTHORIZED"


async def test_a_handshake_that_announces_nothing_needs_its_credential(migd: LocalMigd) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with announced(migd, "mig.v0.1"):
            pass
    assert refused.value.status == 401


async def test_a_credential_in_the_handshake_is_looked_at_and_no_frame_waited_for(migd: LocalMigd) -> None:
    async with announced(migd, "mig.v0.1", "mig.authenticate", f"mig.bearer.{TOKEN}") as socket:
        await socket.send_json(START)
        assert (await frame(socket))["kind"] == "response"
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with announced(migd, "mig.authenticate", "mig.bearer.x.y.z"):
            pass


async def test_so_many_may_keep_the_gateway_waiting_and_no_more(migd: LocalMigd) -> None:
    # One session has a hundred connections at the most by itself.
    async with aiohttp.ClientSession(migd.url, connector=aiohttp.TCPConnector(limit=0)) as http:
        waiting = [await http.ws_connect(STREAM, protocols=["mig.authenticate"]) for _ in range(256)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(STREAM, protocols=["mig.authenticate"])
        assert refused.value.status == 503
        assert not any(socket.closed for socket in waiting)
    await until(lambda: not migd.edge.server_state.connections)
    async with announced(migd) as socket:
        await socket.send_json(authenticate())
        assert (await frame(socket))["kind"] == "control"


async def test_a_connection_that_waits_is_closed_when_the_gateway_goes_down(migd: LocalMigd) -> None:
    async with announced(migd) as socket:
        await until(lambda: migd.edge.server_state.connections)
        await migd.stop()

        message = await socket.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)


async def test_in_open_mode_the_frame_is_answered_as_well() -> None:
    async with local_migd() as migd, announced(migd) as socket:
        await socket.send_json(authenticate(header={"tenant_id": "acme"}))

        assert (await frame(socket))["payload"]["status"] == "authenticated"
