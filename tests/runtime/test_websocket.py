"""Stream frames over a WebSocket (protocol section 4)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator

import aiohttp
import pytest

from support.gateway_under_test import Eager, Scripted, capability
from support.running_migd import LocalMigd, local_migd
from support.tokens import JWT_MODE, bearer
from support.websocket_client import PATH, REFERENCE, Client, Frame, connected


@pytest.fixture
async def migd() -> AsyncIterator[LocalMigd]:
    async with local_migd() as running:
        yield running


@pytest.fixture
async def client(migd: LocalMigd) -> AsyncIterator[Client]:
    async with connected(migd) as each:
        yield each


async def test_a_stream_is_pieces_and_a_terminal_frame_with_the_unary_answer(client: Client) -> None:
    await client.start("s-1")

    *pieces, last = await client.until_end("s-1")

    assert [frame["payload"] for frame in pieces] == [{"delta": "a "}, {"delta": "b "}, {"delta": "c"}]
    assert {frame["kind"] for frame in (*pieces, last)} == {"response"}
    assert last["payload"]["echo"] == {"input": "a b c"}
    assert last["capability"] == REFERENCE
    assert last["header"]["tenant_id"] == "acme"


async def test_a_stream_without_a_name_is_named_after_its_message(client: Client) -> None:
    await client.start("", header={"tenant_id": "acme", "message_id": "m-7"})

    assert (await client.next())["stream_id"] == "stream-m-7"


async def test_a_binary_frame_is_read_as_well(client: Client) -> None:
    frame = {
        "header": {"tenant_id": "acme"},
        "kind": "request",
        "stream_id": "s-1",
        "capability": REFERENCE,
        "payload": {"input": "hi"},
    }
    await client.socket.send_bytes(json.dumps(frame).encode())

    assert (await client.until_end("s-1"))[-1]["payload"]["result"] == "ok"


async def test_many_streams_share_a_connection_and_each_makes_progress() -> None:
    slow = Scripted()
    slow.waits = True
    async with local_migd(capability(slow)) as migd, connected(migd) as client:
        await client.start("slow", "test.scripted")
        for number in range(100):
            await client.start(f"s-{number}", payload={"input": f"{number} x"})
        frames: dict[str, list[Frame]] = defaultdict(list)
        ended = 0
        while ended < 100:
            frame = await client.next()
            frames[frame["stream_id"]].append(frame)
            ended += frame["end_stream"]
        slow.release.set()

        assert (await client.until_end("slow"))[-1]["payload"] == {}
        for number in range(100):
            *pieces, last = frames[f"s-{number}"]
            assert "".join(piece["payload"]["delta"] for piece in pieces) == f"{number} x"
            assert last["payload"]["echo"] == {"input": f"{number} x"}


async def test_a_cancelled_stream_ends_with_its_error_frame_and_the_work_is_stopped() -> None:
    provider = Scripted()
    provider.waits = True
    async with local_migd(capability(provider)) as migd, connected(migd) as client:
        await client.start("s-1", "test.scripted")
        await provider.started.wait()
        await client.send("control", "s-1", payload={"action": "cancel", "reason": "enough"})
        frames = {frame["kind"]: frame for frame in [await client.next(), await client.next()]}

        assert provider.stopped.is_set()
        assert frames["control"]["payload"] == {"accepted": True, "status": "cancelled"}
        assert frames["error"]["end_stream"] is True
        assert frames["error"]["error"]["code"] == "MIG_TIMEOUT"
        assert frames["error"]["error"]["details"] == {"cancelled": True, "reason": "enough"}


async def test_input_frames_reach_a_bidirectional_capability_and_its_answers_come_back() -> None:
    provider = Scripted()
    async with local_migd(capability(provider, modes="bidi_stream")) as migd, connected(migd) as client:
        await client.start("s-1", "test.scripted", payload={"n": 0})
        await client.send("request", "s-1", payload={"n": 1})
        assert (await client.next())["payload"] == {"got": {"n": 1}}
        await client.send("request", "s-1", payload={"n": 2}, end_stream=True)

        frames = await client.until_end("s-1")

    assert [frame["payload"] for frame in frames] == [{"got": {"n": 2}}, {}]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "1",
        '{"kind":"shout"}',
        '{"kind":"request","payload":5}',
        '{"kind":null}',
        "[" * 500,
        '{"kind":"response"}',
    ],
)
async def test_a_malformed_frame_gets_an_error_frame_and_the_connection_stays_up(
    client: Client, text: str
) -> None:
    await client.socket.send_str(text)
    frame = await client.next()
    await client.start("s-1")

    assert (frame["kind"], frame["error"]["code"]) == ("error", "MIG_INVALID_REQUEST")
    assert frame["stream_id"].startswith("stream-")
    assert (await client.until_end("s-1"))[-1]["kind"] == "response"


async def test_a_malformed_frame_is_answered_on_the_stream_that_it_names(client: Client) -> None:
    await client.socket.send_str('{"kind":"request","stream_id":"s-9","payload":5}')

    frame = await client.next()

    assert (frame["stream_id"], frame["end_stream"]) == ("s-9", True)


async def test_an_unknown_capability_is_an_error_frame(client: Client) -> None:
    await client.start("s-1", "no.such.thing")

    (frame,) = await client.until_end("s-1")

    assert (frame["kind"], frame["error"]["code"]) == ("error", "MIG_UNSUPPORTED_CAPABILITY")


async def test_a_frame_over_the_limit_closes_the_connection_with_1009() -> None:
    async with local_migd(MIGD_MAX_FRAME_BYTES="2048") as migd, connected(migd) as client:
        await client.start("s-1", payload={"input": "x" * 3000})
        message = await client.socket.receive()

        assert message.type is aiohttp.WSMsgType.CLOSE
        assert client.socket.close_code == 1009


async def test_the_tenant_of_the_handshake_is_that_of_every_frame_and_may_not_be_contradicted(
    migd: LocalMigd,
) -> None:
    async with connected(migd, headers={"X-Tenant-ID": "acme"}) as client:
        await client.start("s-1", header={})
        assert (await client.until_end("s-1"))[-1]["header"]["tenant_id"] == "acme"
        await client.start("s-2", header={"tenant_id": "globex"})
        assert (await client.next())["error"]["code"] == "MIG_FORBIDDEN"


async def test_trace_and_session_of_the_handshake_are_those_of_frames_that_name_none(migd: LocalMigd) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    async with connected(migd, headers={"traceparent": trace, "MIG-Session-ID": "s-9"}) as client:
        await client.start("s-1")
        carried = (await client.until_end("s-1"))[-1]["header"]
        await client.start("s-2", header={"tenant_id": "acme", "session_id": "own"})
        own = (await client.until_end("s-2"))[-1]["header"]

    assert (carried["traceparent"], carried["session_id"]) == (trace, "s-9")
    assert (own["traceparent"], own["session_id"]) == (trace, "own")


@pytest.mark.parametrize(
    ("token", "tenant", "status", "code"),
    [
        (None, "acme", 401, "MIG_UNAUTHORIZED"),
        ("Bearer x", "acme", 401, "MIG_UNAUTHORIZED"),
        (bearer(None), "acme", 403, "MIG_FORBIDDEN"),
        (bearer("acme"), "globex", 403, "MIG_FORBIDDEN"),
    ],
)
async def test_who_may_not_connect_is_refused_before_the_upgrade(
    token: str | None, tenant: str, status: int, code: str
) -> None:
    async with local_migd(**JWT_MODE) as migd:
        headers = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "x" * 22 + "==",
            "X-Tenant-ID": tenant,
        }
        if token is not None:
            headers["Authorization"] = token
        async with migd.http.get(PATH, headers=headers) as response:
            body = json.loads(await response.read())

    assert (response.status, body["error"]["code"]) == (status, code)
    assert response.headers["content-type"] == "application/json"


async def test_a_browser_may_show_its_token_as_a_subprotocol_which_is_never_echoed() -> None:
    async with local_migd(**JWT_MODE) as migd:
        token = bearer("acme", "capability:infer").removeprefix("Bearer ")
        async with connected(migd, protocols=("mig.v0.1", f"mig.bearer.{token}")) as client:
            await client.start("s-1", header={})

            assert client.socket.protocol == "mig.v0.1"
            assert (await client.until_end("s-1"))[-1]["header"]["meta"]["idg.principal_subject"] == "alice"


async def test_a_stream_checks_scopes_like_any_invocation() -> None:
    async with local_migd(**JWT_MODE) as migd, connected(migd, headers={"Authorization": bearer()}) as client:
        await client.start("s-1", header={})

        assert (await client.next())["error"]["code"] == "MIG_FORBIDDEN"


async def test_there_is_a_websocket_at_one_path_only(migd: LocalMigd) -> None:
    for path, status in (("/mig/v0.1/hello", 405), ("/elsewhere", 404)):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await migd.http.ws_connect(path)
        assert refused.value.status == status


async def test_an_open_connection_is_listed(migd: LocalMigd, client: Client) -> None:
    await client.start("s-1")
    await client.until_end("s-1")

    (entry,) = (await migd.get("/admin/v0.1/connections?kind=ws_stream")).json["connections"]

    assert (entry["kind"], entry["protocol"], entry["actor"]) == ("ws_stream", "http", "anonymous")


async def test_a_reader_that_does_not_read_pauses_its_streams_and_nobody_elses() -> None:
    provider = Eager()
    async with local_migd(capability(provider)) as migd, connected(migd, max_msg_size=0) as client:
        await client.start("s-1", "test.scripted")
        first = await client.next()
        async with connected(migd) as other:
            await other.start("s-1")
            await other.until_end("s-1")
        taken_unread = provider.taken
        frames = [first, *await client.until_end("s-1")]

    assert taken_unread < 300
    assert [frame["payload"]["n"] for frame in frames[:-1]] == list(range(400))
