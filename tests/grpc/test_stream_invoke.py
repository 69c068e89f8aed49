"""Stream frames over StreamInvoke (protocol section 4)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import pytest
from grpc import StatusCode, aio

from mig_protocol.pb import mig_pb2 as pb
from support.gateway_under_test import Eager, Scripted, capability
from support.grpc_client import (
    REFERENCE,
    Frames,
    GrpcClient,
    connected,
    error_in,
    grpc_migd,
    message_header,
    plain,
)
from support.running_migd import LocalMigd
from support.tokens import JWT_MODE, bearer
from support.until import until

REQUEST, RESPONSE = pb.FRAME_KIND_REQUEST, pb.FRAME_KIND_RESPONSE
CONTROL, ERROR = pb.FRAME_KIND_CONTROL, pb.FRAME_KIND_ERROR


@pytest.fixture
async def client() -> AsyncIterator[GrpcClient]:
    async with grpc_migd() as (_, each):
        yield each


@pytest.fixture
def frames(client: GrpcClient) -> Frames:
    return client.frames()


@pytest.fixture
def provider() -> Scripted:
    scripted = Scripted()
    scripted.waits = True
    return scripted


def code_of(frame: Any) -> str:
    return str(pb.MigErrorCode.Name(frame.error.code))


async def connections(migd: LocalMigd, kind: str = "stream_invoke") -> list[dict[str, Any]]:
    listed = (await migd.get(f"/admin/v0.1/connections?kind={kind}")).json["connections"]
    return list(listed)


async def test_a_stream_is_pieces_and_a_terminal_frame_with_the_unary_answer(frames: Frames) -> None:
    await frames.start("s-1")

    *pieces, last = await frames.until_end("s-1")

    assert [plain(frame.payload) for frame in pieces] == [{"delta": "a "}, {"delta": "b "}, {"delta": "c"}]
    assert {frame.kind for frame in (*pieces, last)} == {RESPONSE}
    assert plain(last.payload)["echo"] == {"input": "a b c"}
    assert (last.capability, last.header.tenant_id) == (REFERENCE, "acme")


async def test_a_stream_without_a_name_is_named_after_its_message(frames: Frames) -> None:
    await frames.start("", header=message_header(message_id="m-7"))

    assert (await frames.next()).stream_id == "stream-m-7"


async def test_many_streams_share_a_call_and_each_makes_progress(provider: Scripted) -> None:
    async with grpc_migd(capability(provider)) as (_, client):
        frames = client.frames()
        await frames.start("slow", "test.scripted")
        for number in range(100):
            await frames.start(f"s-{number}", payload={"input": f"{number} x"})
        found: dict[str, list[Any]] = defaultdict(list)
        ended = 0
        while ended < 100:
            frame = await frames.next()
            found[frame.stream_id].append(frame)
            ended += frame.end_stream
        provider.release.set()

        assert (await frames.until_end("slow"))[-1].kind == RESPONSE
        for number in range(100):
            *pieces, last = found[f"s-{number}"]
            assert "".join(piece.payload["delta"] for piece in pieces) == f"{number} x"
            assert plain(last.payload)["echo"] == {"input": f"{number} x"}


async def test_a_cancelled_stream_ends_with_its_error_frame_and_the_work_is_stopped(
    provider: Scripted,
) -> None:
    async with grpc_migd(capability(provider)) as (_, client):
        frames = client.frames()
        await frames.start("s-1", "test.scripted")
        await provider.started.wait()
        await frames.send(CONTROL, "s-1", {"action": "cancel", "reason": "enough"})
        found = {frame.kind: frame for frame in [await frames.next(), await frames.next()]}

        assert provider.stopped.is_set()
        assert plain(found[CONTROL].payload) == {"accepted": True, "status": "cancelled"}
        assert (code_of(found[ERROR]), found[ERROR].end_stream) == ("MIG_TIMEOUT", True)
        assert plain(found[ERROR].error.details) == {"cancelled": True, "reason": "enough"}


async def test_dropping_the_call_stops_all_its_streams(provider: Scripted) -> None:
    async with grpc_migd(capability(provider)) as (migd, client):
        frames = client.frames()
        await frames.start("s-1", "test.scripted")
        await frames.start("s-2", "test.scripted")
        await until(lambda: migd.gateway.in_flight() == 2)
        frames.call.cancel()

        await until(lambda: migd.gateway.in_flight() == 0)
        assert provider.stopped.is_set()
        while await connections(migd):
            pass


async def test_dropping_the_call_after_the_last_frame_was_sent_stops_them_too(provider: Scripted) -> None:
    async with grpc_migd(capability(provider)) as (_, client):
        frames = client.frames()
        await frames.start("s-1", "test.scripted")
        await frames.call.done_writing()
        await provider.started.wait()
        frames.call.cancel()

        await provider.stopped.wait()


async def test_a_client_that_sends_no_more_still_gets_every_answer(provider: Scripted) -> None:
    async with grpc_migd(capability(provider)) as (_, client):
        frames = client.frames()
        await frames.start("s-1", "test.scripted")
        await frames.call.done_writing()
        await provider.started.wait()
        for _ in range(3):
            await client.invoke()  # behind it on the connection: the gateway knows of the end by now
        provider.release.set()

        assert (await frames.until_end("s-1"))[-1].kind == RESPONSE
        assert await frames.call.read() is aio.EOF  # type: ignore[attr-defined]
        assert await frames.call.code() is StatusCode.OK


async def test_the_grpc_deadline_ends_the_call_and_stops_its_streams(provider: Scripted) -> None:
    async with grpc_migd(capability(provider)) as (_, client):
        frames = client.frames(timeout=0.2)
        await frames.start("s-1", "test.scripted")

        assert await frames.call.code() is StatusCode.DEADLINE_EXCEEDED
        await provider.stopped.wait()


async def test_input_frames_reach_a_bidirectional_capability_and_its_answers_come_back() -> None:
    async with grpc_migd(capability(Scripted(), modes="bidi_stream")) as (_, client):
        frames = client.frames()
        await frames.start("s-1", "test.scripted", {"n": 0})
        await frames.send(REQUEST, "s-1", {"n": 1})
        assert plain((await frames.next()).payload) == {"got": {"n": 1}}
        await frames.send(REQUEST, "s-1", {"n": 2}, end_stream=True)

        assert [plain(frame.payload) for frame in await frames.until_end("s-1")] == [{"got": {"n": 2}}, {}]


@pytest.mark.parametrize(
    ("data", "stream_id"),
    [
        (b"\xff\xff", "stream-"),
        (b"\x12\x05s", "stream-"),
        (pb.StreamFrame(kind=77, stream_id="s-9").SerializeToString(), "s-9"),  # type: ignore[arg-type]
        (pb.StreamFrame(stream_id="s-9").SerializeToString(), "s-9"),
        (pb.StreamFrame(kind=REQUEST, stream_id="no good").SerializeToString(), "stream-"),
        (pb.StreamFrame(kind=RESPONSE, stream_id="s-9").SerializeToString(), "s-9"),
    ],
)
async def test_a_malformed_frame_gets_an_error_frame_and_the_call_stays_up(
    client: GrpcClient, data: bytes, stream_id: str
) -> None:
    raw: Any = client.channel.stream_stream(
        "/mig.v0_1.Invocation/StreamInvoke",
        request_serializer=None,
        response_deserializer=pb.StreamFrame.FromString,
    )
    frames = Frames(raw(metadata=client.metadata))
    await frames.call.write(data)
    refusal = await frames.next()
    good = pb.StreamFrame(kind=REQUEST, stream_id="s-1", capability=REFERENCE)
    good.payload.update({"input": "x"})
    await frames.call.write(good.SerializeToString())

    assert (refusal.kind, code_of(refusal)) == (ERROR, "MIG_INVALID_REQUEST")
    assert refusal.stream_id.startswith(stream_id)
    assert (await frames.until_end("s-1"))[-1].kind == RESPONSE


async def test_an_unknown_capability_and_a_foreign_tenant_are_error_frames(frames: Frames) -> None:
    await frames.start("s-1", "no.such.thing")
    await frames.start("s-2", header=message_header(tenant_id="globex"))

    codes = {frame.stream_id: code_of(frame) for frame in [await frames.next(), await frames.next()]}
    assert codes == {"s-1": "MIG_UNSUPPORTED_CAPABILITY", "s-2": "MIG_FORBIDDEN"}


async def test_a_frame_over_the_limit_ends_the_call() -> None:
    async with grpc_migd(MIGD_MAX_FRAME_BYTES="2048") as (_, client):
        frames = client.frames()
        await frames.start("s-1", payload={"input": "x" * 2100})
        with pytest.raises(aio.AioRpcError) as raised:
            await frames.call.read()

    assert error_in(raised.value).message == "the frame is larger than 2048 bytes"


async def test_a_call_has_its_limit_of_streams(provider: Scripted) -> None:
    settings = {"MIGD_MAX_STREAMS_PER_CONNECTION": "2"}
    async with grpc_migd(capability(provider), **settings) as (_, client):
        frames = client.frames()
        for number in range(3):
            await frames.start(f"s-{number}", "test.scripted")
        refusal = await frames.next()

    assert (refusal.stream_id, code_of(refusal)) == ("s-2", "MIG_BACKPRESSURE")


async def test_the_trace_of_the_call_is_that_of_frames_that_name_none(client: GrpcClient) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    client.metadata += (("traceparent", trace),)
    frames = client.frames()
    await frames.start("s-1")
    await frames.start("s-2", header=message_header(message_id="m-2"))

    for stream in ("s-1", "s-2"):
        assert (await frames.until_end(stream))[-1].header.traceparent == trace


@pytest.mark.parametrize(
    ("token", "tenant", "code"),
    [
        (None, "acme", "MIG_UNAUTHORIZED"),
        ("Bearer x", "acme", "MIG_UNAUTHORIZED"),
        (bearer(None), "acme", "MIG_FORBIDDEN"),
        (bearer("acme"), "globex", "MIG_FORBIDDEN"),
    ],
)
async def test_who_may_not_connect_is_refused_before_any_frame(
    token: str | None, tenant: str, code: str
) -> None:
    given = {} if token is None else {"authorization": token}
    async with grpc_migd(**JWT_MODE) as (migd, _), connected(migd, tenant, **given) as client:
        with pytest.raises(aio.AioRpcError) as raised:
            await client.frames().call.read()

    assert pb.MigErrorCode.Name(error_in(raised.value).code) == code


async def test_a_stream_checks_scopes_like_any_invocation() -> None:
    async with grpc_migd(**JWT_MODE) as (migd, _), connected(migd, authorization=bearer()) as client:
        frames = client.frames()
        await frames.start("s-1")

        assert code_of(await frames.next()) == "MIG_FORBIDDEN"


async def test_an_open_call_is_listed_with_who_is_at_the_other_end() -> None:
    async with grpc_migd() as (migd, client):
        frames = client.frames()
        await frames.start("s-1")
        await frames.until_end("s-1")
        (entry,) = await connections(migd)

    assert (entry["kind"], entry["protocol"], entry["tenant_id"]) == ("stream_invoke", "grpc", "acme")
    assert entry["remote_addr"].startswith("127.0.0.1:")


async def test_a_reader_that_does_not_read_pauses_its_streams_and_nobody_elses() -> None:
    provider = Eager()
    async with grpc_migd(capability(provider)) as (migd, client):
        frames = client.frames()
        await frames.start("s-1", "test.scripted")
        first = await frames.next()
        async with connected(migd) as other:
            answered = other.frames()
            await answered.start("s-1")
            await answered.until_end("s-1")
        taken_unread = provider.taken
        rest = await frames.until_end("s-1")

    assert taken_unread < 300
    assert [int(frame.payload["n"]) for frame in [first, *rest][:-1]] == list(range(400))


async def test_cancelling_a_stream_whose_reader_does_not_read_still_ends_it_with_its_error_frame() -> None:
    provider = Eager()
    async with grpc_migd(capability(provider)) as (migd, client):
        frames = client.frames()
        await frames.start("s-1", "test.scripted", header=message_header(message_id="m-1"))
        first = await frames.next()
        taken = -1
        while taken != provider.taken:  # until the reader's window is full, and a frame waits
            taken = provider.taken
            await migd.get("/healthz")
        await migd.post("/mig/v0.1/cancel/m-1", {}, x_tenant_id="acme")
        *pieces, last = [first, *await frames.until_end("s-1")]

    assert len(pieces) < 400
    assert (last.kind, code_of(last)) == (ERROR, "MIG_TIMEOUT")


async def test_thousands_of_streams_leave_nothing_behind() -> None:
    async with grpc_migd() as (migd, client):
        frames = client.frames()
        for batch in range(20):
            for number in range(100):
                await frames.start(f"s-{batch}-{number}", payload={"input": "x"})
            ended = 0
            while ended < 100:
                ended += (await frames.next()).end_stream
        others = [client.frames() for _ in range(100)]
        await asyncio.gather(*(each.start("s-1") for each in others))
        await asyncio.gather(*(each.until_end("s-1") for each in others))
        assert len(await connections(migd)) == 101
        for each in (*others, frames):
            each.call.cancel()

        while await connections(migd):
            pass
        assert migd.gateway.in_flight() == 0
        metrics = (await migd.get("/metrics")).raw.decode()
        await client.invoke()  # the connection serves on
    assert 'mig_gateway_active_streams{type="stream_invoke"} 0.0' in metrics
