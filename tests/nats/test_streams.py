"""Streamed invocations over NATS: accepted on the reply subject, frames on the stream's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from migd.core.provider import Final, JsonObject, Work
from support.gateway_under_test import Scripted, capability
from support.nats_gateway import INFER, asked_migd
from support.nats_servers import NatsServer
from support.tokens import JWT_MODE, bearer
from support.until import until


@pytest.fixture
def provider() -> Scripted:
    return Scripted()


async def test_a_stream_goes_where_the_caller_said(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server) as (_, caller):
        frames = await caller.frames("s.1")
        accepted = await caller.stream(
            payload={"input": "one two"}, stream_id="s.1", message_id="m-1", session_id="x"
        )
        received = await frames.rest()

    assert (accepted.json["capability"], accepted.json["stream_id"]) == (INFER, "s.1")
    assert accepted.headers == {
        "mig_version": "0.1",
        "message_id": "m-1",
        "tenant_id": "acme",
        "session_id": "x",
    }
    assert frames.headers == [accepted.headers] * len(received)
    assert "".join(frame["payload"]["delta"] for frame in received[:-1]) == "one two"
    assert [frame["end_stream"] for frame in received] == [False] * (len(received) - 1) + [True]
    assert {(frame["stream_id"], frame["kind"], frame["capability"]) for frame in received} == {
        ("s.1", "response", INFER)
    }
    assert received[-1]["payload"]["echo"] == {"input": "one two"}


async def test_the_server_picks_a_stream_and_waits_for_the_caller_to_subscribe(
    nats_server: NatsServer,
) -> None:
    async with asked_migd(nats_server) as (_, caller):
        accepted = await caller.stream(payload={"input": "one two three"}, message_id="m-1")
        assert accepted.json["stream_id"] == "stream-m-1"
        frames = await caller.frames("stream-m-1")
        received = await frames.rest()
    assert "".join(frame["payload"]["delta"] for frame in received[:-1]) == "one two three"


async def test_a_stream_that_nobody_listens_to_is_run_all_the_same(
    nats_server: NatsServer, provider: Scripted
) -> None:
    provider.items = [{"n": 1}, Final({"n": 2})]
    async with asked_migd(nats_server, capability(provider)) as (migd, caller):
        await caller.stream("test.scripted")
        await until(lambda: provider.seen and not migd.gateway.in_flight())


async def test_a_message_id_that_makes_no_subject_does_not_name_the_stream(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server) as (_, caller):
        accepted = await caller.stream(message_id="a..b")
        stream_id = accepted.json["stream_id"]
        assert stream_id.startswith("stream-")
        assert (await (await caller.frames(stream_id)).rest())[-1]["header"]["message_id"] == "a..b"


async def test_a_unary_capability_gives_one_frame(nats_server: NatsServer, provider: Scripted) -> None:
    async with asked_migd(nats_server, capability(provider, modes="unary")) as (_, caller):
        frames = await caller.frames("s-1")
        await caller.stream("test.scripted", stream_id="s-1")
        received = await frames.rest()
    assert [(frame["payload"], frame["end_stream"]) for frame in received] == [({"done": True}, True)]


@pytest.mark.parametrize("stream_id", ["a b", "*", "a..b", "x" * 300])
async def test_a_stream_id_that_makes_no_subject_is_refused(nats_server: NatsServer, stream_id: str) -> None:
    async with asked_migd(nats_server) as (_, caller):
        assert (await caller.stream(stream_id=stream_id)).code == "MIG_INVALID_REQUEST"


async def test_what_refuses_the_invocation_is_told_instead_of_an_acceptance(
    nats_server: NatsServer, provider: Scripted
) -> None:
    provider.down = "out of order"
    async with asked_migd(nats_server, capability(provider)) as (migd, caller):
        assert (await caller.stream("no.such.one")).code == "MIG_UNSUPPORTED_CAPABILITY"
        assert (await caller.stream(payload={"input": 7})).code == "MIG_INVALID_REQUEST"
        assert (await caller.stream("test.scripted")).code == "MIG_UNAVAILABLE"
        await migd.post("/pro/v0.1/quotas", {"tenant_id": "acme", "max_invocations": 1})
        await caller.invoke()
        assert (await caller.stream()).code == "MIG_RATE_LIMITED"


async def test_a_failure_after_the_acceptance_is_the_terminal_frame(
    nats_server: NatsServer, provider: Scripted
) -> None:
    provider.items = [{"n": 1}]
    provider.error = RuntimeError("a secret of ours")
    async with asked_migd(nats_server, capability(provider)) as (_, caller):
        frames = await caller.frames("s-1")
        await caller.stream("test.scripted", stream_id="s-1", message_id="m-1")
        first, last = await frames.rest()
    assert (first["payload"], first["end_stream"]) == ({"n": 1}, False)
    assert (last["kind"], last["end_stream"], last["header"]["message_id"]) == ("error", True, "m-1")
    assert last["error"] == {"code": "MIG_INTERNAL", "message": "internal error", "retryable": False}


async def test_cancel_ends_a_stream_with_its_error_frame(nats_server: NatsServer, provider: Scripted) -> None:
    provider.waits = True
    async with asked_migd(nats_server, capability(provider)) as (_, caller):
        frames = await caller.frames("s-1")
        await caller.stream("test.scripted", stream_id="s-1", message_id="m-1")
        await provider.started.wait()
        ack = await caller.ask("control.cancel.m-1", {"reason": "enough"})
        (last,) = await frames.rest()
        assert provider.stopped.is_set()
    assert ack.json["status"] == "cancelled"
    assert (last["error"]["code"], last["error"]["details"]["reason"]) == ("MIG_TIMEOUT", "enough")


async def test_a_stream_id_is_free_again_after_the_terminal_frame(
    nats_server: NatsServer, provider: Scripted
) -> None:
    provider.waits = True
    async with asked_migd(nats_server, capability(provider)) as (_, caller):
        frames = await caller.frames("s-1")
        await caller.stream("test.scripted", stream_id="s-1")
        assert (await caller.stream(stream_id="s-1")).code == "MIG_INVALID_REQUEST"
        provider.release.set()
        await frames.rest()
        assert (await caller.stream(stream_id="s-1")).json["stream_id"] == "s-1"
        assert (await frames.rest())[-1]["payload"]["result"] == "ok"


async def test_streams_make_progress_independently(nats_server: NatsServer, provider: Scripted) -> None:
    provider.waits = True
    async with asked_migd(nats_server, capability(provider)) as (_, caller):
        slow, quick = await caller.frames("slow"), await caller.frames("quick")
        await caller.stream("test.scripted", stream_id="slow")
        await caller.stream(stream_id="quick")
        assert (await quick.rest())[-1]["payload"]["result"] == "ok"
        provider.release.set()
        assert (await slow.rest())[-1]["end_stream"] is True


async def test_a_frame_that_nats_can_not_carry_ends_the_stream(
    nats_server: NatsServer, provider: Scripted
) -> None:
    provider.items = [{"n": 1}, {"text": "x" * (1 << 20)}]
    async with asked_migd(nats_server, capability(provider)) as (_, caller):
        frames = await caller.frames("s-1")
        await caller.stream("test.scripted", stream_id="s-1")
        first, last = await frames.rest()
    assert (first["payload"], last["error"]["code"]) == ({"n": 1}, "MIG_INVALID_REQUEST")


async def test_a_stream_over_a_lost_connection_ends_with_an_error_and_not_with_a_hole(
    own_server: NatsServer, provider: Scripted
) -> None:
    provider.items = [{"n": 1}, Final({"n": 3})]
    provider.waits = True
    released = asyncio.Event()
    stream = provider.stream

    async def held(work: Work) -> AsyncIterator[JsonObject | Final]:
        async for item in stream(work):
            if isinstance(item, Final):
                await released.wait()
            yield item

    provider.stream = held  # type: ignore[method-assign]
    async with asked_migd(own_server, capability(provider)) as (migd, caller):
        frames = await caller.frames("s-1")
        await caller.stream("test.scripted", stream_id="s-1")
        assert (await frames.next())["payload"] == {"n": 1}
        own_server.stop()
        await until(lambda: migd.gateway.readiness().status != "ok")
        own_server.start()
        await until(lambda: migd.gateway.readiness().status == "ok" and caller.client.is_connected)
        await caller.client.flush()
        released.set()
        last = await frames.next()
    assert (last["kind"], last["end_stream"], last["error"]["code"]) == ("error", True, "MIG_UNAVAILABLE")


async def test_the_acceptance_comes_before_the_first_frame(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server) as (_, caller):
        # One subscription for both shows their order.
        everything = await caller.client.subscribe(caller.subject("stream.>"))
        body = {"payload": {"input": "hi"}, "stream_preference": "server_stream"}
        await caller.client.publish(
            caller.subject(f"invoke.{INFER}"),
            json.dumps(body).encode(),
            reply=caller.subject("stream.accepted"),
            headers={"stream_id": "s-1"},
        )
        kinds = [json.loads((await everything.next_msg(20)).data).get("kind") for _ in range(3)]
    assert kinds == [None, "response", "response"]


async def test_a_stream_without_a_reply_subject_goes_to_its_stream(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server) as (_, caller):
        frames = await caller.frames("s-1")
        body = {"payload": {"input": "hi"}, "stream_preference": "server_stream"}
        await caller.client.publish(
            caller.subject(f"invoke.{INFER}"), json.dumps(body).encode(), headers={"stream_id": "s-1"}
        )
        assert (await frames.rest())[-1]["payload"]["result"] == "ok"


async def test_in_jwt_mode_a_stream_needs_its_token(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server, **JWT_MODE) as (_, caller):
        assert (await caller.stream(stream_id="s-1")).code == "MIG_UNAUTHORIZED"
        frames = await caller.frames("s-1")
        token = bearer("acme", "capability:infer")
        assert (await caller.stream(stream_id="s-1", Authorization=token)).json["stream_id"] == "s-1"
        assert (await frames.rest())[-1]["end_stream"] is True


async def test_going_down_gives_every_stream_its_terminal_frame(
    nats_server: NatsServer, provider: Scripted
) -> None:
    provider.waits = True
    async with asked_migd(nats_server, capability(provider)) as (migd, caller):
        frames = await caller.frames("s-1")
        await caller.stream("test.scripted", stream_id="s-1")
        await provider.started.wait()
        await migd.stop()
        (last,) = await frames.rest()
    assert (last["kind"], last["error"]["code"]) == ("error", "MIG_UNAVAILABLE")
