"""Requests over NATS: answered on the reply subject, as over HTTP, whatever is wrong with them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from support.gateway_under_test import Scripted, capability
from support.nats_gateway import INFER, NatsCaller, asked_migd, nats_client, nats_migd
from support.nats_servers import NatsServer
from support.sse import subscribed
from support.tokens import JWT_MODE, bearer
from support.until import until

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
HEADERS = {
    "mig_version": "0.1",
    "message_id": "m-1",
    "session_id": "s-1",
    "traceparent": TRACE,
    "idempotency_key": "k-1",
}


async def test_every_operation_is_answered_on_its_subject(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server, MIGD_SERVER_ID="one") as (_, caller):
        hello = await caller.ask("hello", {"requested_bindings": ["grpc", "nats", "http"]})
        discover = await caller.ask("discover", {"query": "INFER"})
        invoke = await caller.invoke(payload={"input": "é"})
        publish = await caller.ask("events.a.b", {"payload": {"n": 1}})
        cancel = await caller.ask("control.cancel.never-seen", {"reason": "why"})
        heartbeat = await caller.ask("control.heartbeat", {"interval_ms": 2000})

    assert (hello.json["selected_binding"], hello.json["server_id"]) == ("nats", "one")
    assert [found["id"] for found in discover.json["capabilities"]] == [INFER]
    assert (invoke.json["capability"], invoke.json["payload"]["echo"]) == (INFER, {"input": "é"})
    assert (publish.json["topic"], publish.json["sequence"], publish.json["accepted"]) == ("a.b", 1, True)
    assert (cancel.json["target_message_id"], cancel.json["status"]) == ("never-seen", "pending")
    assert heartbeat.json["suggested_interval_ms"] == 2000
    assert {one.json["header"]["tenant_id"] for one in (hello, discover, invoke, publish)} == {"acme"}


async def test_an_empty_body_is_an_empty_object(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server) as (_, caller):
        answers = [await caller.ask(rest, b"") for rest in ("hello", "discover", "events.a.b")]
    assert [one.headers["tenant_id"] for one in answers] == ["acme"] * 3


async def test_header_fields_are_taken_from_nats_headers_and_given_back_in_them(
    nats_server: NatsServer,
) -> None:
    async with asked_migd(nats_server) as (_, caller):
        answer = await caller.invoke(**HEADERS)
        refusal = await caller.invoke("no.such.capability", **HEADERS)
        own = await caller.invoke()
    for one in (answer, refusal):
        assert one.headers == {**HEADERS, "tenant_id": "acme"}
        assert {name: one.json["header"][name] for name in HEADERS} == HEADERS
    assert own.headers == {
        "mig_version": "0.1",
        "message_id": own.json["header"]["message_id"],
        "tenant_id": "acme",
    }


async def test_the_body_wins_over_nats_headers(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server) as (_, caller):
        body = {"header": {"message_id": "of-the-body"}, "payload": {"input": "x"}}
        answer = await caller.ask(f"invoke.{INFER}", body, message_id="of-the-header", session_id="s")
    header = answer.json["header"]
    assert (header["message_id"], header["session_id"]) == ("of-the-body", "s")
    assert answer.headers["message_id"] == "of-the-body"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"header": {"tenant_id": "other"}}, {}),
        ({}, {"tenant_id": "other"}),
        ({"header": {"tenant_id": "acme"}}, {"tenant_id": "other"}),
    ],
)
async def test_a_tenant_that_is_not_the_subjects_is_forbidden(
    nats_server: NatsServer, body: Any, headers: dict[str, str]
) -> None:
    async with asked_migd(nats_server) as (_, caller):
        for rest in ("hello", f"invoke.{INFER}", "events.a.b", "control.cancel.m"):
            assert (await caller.ask(rest, body, **headers)).code == "MIG_FORBIDDEN"


@pytest.mark.parametrize(
    ("rest", "body", "pointer"),
    [
        (f"invoke.{INFER}", {"capability": "some.other"}, "/capability"),
        ("events.a.b", {"topic": "a.c"}, "/topic"),
        ("control.cancel.m-1", {"target_message_id": "m-2"}, "/target_message_id"),
        ("events.plain", {}, "/topic"),
        ("invoke.a b", {}, "/capability"),
        (f"invoke.{INFER}", b"{nope", ""),
        (f"invoke.{INFER}", b"\xff", ""),
        (f"invoke.{INFER}", b"[" * 5000, ""),
        (f"invoke.{INFER}", {"payload": 7}, "/payload"),
        ("events.a.b", {"header": {"idempotency_key": "a b"}}, "/header/idempotency_key"),
    ],
)
async def test_a_malformed_request_is_told_what_is_wrong_and_where(
    nats_server: NatsServer, rest: str, body: Any, pointer: str
) -> None:
    rest = rest.replace(" ", "é")
    async with asked_migd(nats_server) as (_, caller):
        answer = await caller.ask(rest, body)
        assert (answer.code, answer.pointers) == ("MIG_INVALID_REQUEST", [pointer])
        assert (await caller.invoke()).json["payload"]["result"] == "ok"


@pytest.mark.parametrize(
    ("name", "value", "pointer"),
    [
        ("message_id", "a b", "/header/message_id"),
        ("message_id", "x" * 129, "/header/message_id"),
        ("tenant_id", "a.b", "/header/tenant_id"),
        ("session_id", "é", "/header/session_id"),
        ("traceparent", "00-zz", "/header/traceparent"),
        ("idempotency_key", "", "/header/idempotency_key"),
        ("mig_version", "x" * 17, "/header/mig_version"),
    ],
)
async def test_nats_headers_have_the_bounds_of_their_fields(
    nats_server: NatsServer, name: str, value: str, pointer: str
) -> None:
    async with asked_migd(nats_server) as (_, caller):
        answer = await caller.invoke(**{name: value})
    assert (answer.code, answer.pointers) == ("MIG_INVALID_REQUEST", [pointer])


async def test_a_tenant_that_is_no_tenant_is_refused_in_the_subject(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server) as (_, caller):
        answer = await NatsCaller(caller.client, "x" * 65).invoke()
    assert (answer.code, answer.pointers) == ("MIG_INVALID_REQUEST", ["/tenant"])
    assert answer.headers["tenant_id"] == "unknown"


async def test_another_version_is_refused_wherever_it_is_said(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server) as (_, caller):
        assert (await caller.invoke(mig_version="0.2")).code == "MIG_VERSION_MISMATCH"


async def test_a_body_over_the_limit_is_refused(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server, MIGD_MAX_BODY_BYTES="2048") as (_, caller):
        answer = await caller.invoke(payload={"input": "x" * 2048})
    assert (answer.code, answer.json["error"]["message"]) == (
        "MIG_INVALID_REQUEST",
        "the body is larger than 2048 bytes",
    )


async def test_an_answer_that_nats_can_not_carry_is_refused_and_the_connection_stays(
    nats_server: NatsServer,
) -> None:
    provider = Scripted()
    provider.answer = {"text": "x" * (1 << 20)}
    async with asked_migd(nats_server, capability(provider)) as (_, caller):
        at_once = await caller.invoke("test.scripted")
        provider.waits = True
        provider.release.set()
        later = await caller.invoke("test.scripted")
        assert (await caller.invoke()).json["payload"]["result"] == "ok"
    for answer in (at_once, later):
        assert answer.code == "MIG_INVALID_REQUEST"
        assert answer.json["error"]["details"]["max_bytes"] == 1 << 20


async def test_what_was_not_expected_is_told_without_its_detail(nats_server: NatsServer) -> None:
    provider = Scripted()
    provider.error = RuntimeError("a secret of ours")
    async with asked_migd(nats_server, capability(provider)) as (_, caller):
        answer = await caller.invoke("test.scripted")
    assert answer.json["error"] == {"code": "MIG_INTERNAL", "message": "internal error", "retryable": False}


async def test_a_request_without_a_reply_subject_is_served(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server) as (migd, caller), subscribed(migd.http, "a.b") as events:
        await caller.client.publish(caller.subject("events.a.b"), b'{"payload": {"n": 1}}')
        assert (await events.next()).data["payload"] == {"n": 1}


async def test_a_mirrored_event_is_no_request(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server) as (_, caller):
        mirrored = {"mig-origin": "another", "Nats-Msg-Id": "e-1"}
        inbox = caller.client.new_inbox()
        answers = await caller.client.subscribe(inbox)
        await caller.client.publish(caller.subject("events.a.b"), b"{}", reply=inbox, headers=mirrored)
        # The same subscription takes both, in their order.
        assert (await caller.ask("events.a.b", {})).json["sequence"] == 1
        assert answers.pending_msgs == 0
        # On another subject the header means nothing.
        assert (await caller.ask("hello", {}, **mirrored)).json["selected_version"] == "0.1"


async def test_a_deadline_ends_the_work(nats_server: NatsServer) -> None:
    provider = Scripted()
    provider.waits = True
    async with asked_migd(nats_server, capability(provider)) as (_, caller):
        answer = await caller.ask("invoke.test.scripted", {"header": {"deadline_ms": 20}})
        assert answer.code == "MIG_TIMEOUT"
        assert provider.stopped.is_set()


async def test_work_that_waits_holds_up_no_other_request(nats_server: NatsServer) -> None:
    provider = Scripted()
    provider.waits = True
    async with asked_migd(nats_server, capability(provider)) as (_, caller):
        slow = asyncio.create_task(caller.invoke("test.scripted"))
        await provider.started.wait()
        assert (await caller.invoke()).json["payload"]["result"] == "ok"
        provider.release.set()
        assert (await slow).json["payload"] == {"done": True}


async def test_past_the_limit_of_waiting_requests_they_are_refused_at_once(nats_server: NatsServer) -> None:
    provider = Scripted()
    provider.waits = True
    limits = {"MIGD_MAX_CONCURRENT_INVOCATIONS": "1"}
    async with asked_migd(nats_server, capability(provider), **limits) as (migd, caller):
        # The first one runs; the second, of the same key, waits for its answer.
        waiting = [asyncio.create_task(caller.invoke("test.scripted", idempotency_key="k")) for _ in range(2)]
        await until(lambda: migd.gateway.in_flight() == 2)
        refused = await caller.ask("hello")
        provider.release.set()
        answers = await asyncio.gather(*waiting)
        assert refused.code == "MIG_BACKPRESSURE"
        assert refused.json["error"]["retryable"] is True
        assert [one.json["payload"] for one in answers] == [{"done": True}] * 2
        assert (await caller.ask("hello")).json["selected_version"] == "0.1"


async def test_in_jwt_mode_a_token_of_the_subjects_tenant_is_needed(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server, **JWT_MODE) as (_, caller):
        assert (await caller.invoke()).code == "MIG_UNAUTHORIZED"
        assert (await caller.ask("hello", Authorization="Bearer nonsense")).code == "MIG_UNAUTHORIZED"
        assert (await caller.ask("hello", Authorization=bearer("other"))).code == "MIG_FORBIDDEN"
        assert (await caller.ask("hello", Authorization=bearer(None))).code == "MIG_FORBIDDEN"
        assert (await caller.invoke(Authorization=bearer("acme"))).code == "MIG_FORBIDDEN"
        allowed = await caller.invoke(Authorization=bearer("acme", "capability:infer"))
        assert allowed.json["header"]["meta"]["idg.principal_subject"] == "alice"
        assert "Authorization" not in allowed.headers


async def test_one_of_several_gateways_takes_each_request(nats_server: NatsServer) -> None:
    async with (
        nats_migd(nats_server, MIGD_SERVER_ID="one"),
        nats_migd(nats_server, MIGD_SERVER_ID="two"),
        nats_client(nats_server) as client,
    ):
        inbox = client.new_inbox()
        answers = await client.subscribe(inbox)
        for _ in range(100):
            await client.publish("mig.v0_1.acme.hello", b"{}", reply=inbox)
        servers = [json.loads((await answers.next_msg(20)).data)["server_id"] for _ in range(100)]
        assert set(servers) == {"one", "two"}
        await client.flush()
        assert answers.pending_msgs == 0


async def test_cancel_stops_what_runs_whoever_started_it(nats_server: NatsServer) -> None:
    provider = Scripted()
    provider.waits = True
    async with asked_migd(nats_server, capability(provider)) as (migd, caller):
        running = asyncio.create_task(migd.invoke("test.scripted", message_id="m.1"))
        await provider.started.wait()
        ack = await caller.ask("control.cancel.m.1", {"reason": "enough"})
        ended = await running
        again = await caller.ask("control.cancel.m.1")
        other = await NatsCaller(caller.client, "other").ask("control.cancel.m.1")
    assert (ack.json["accepted"], ack.json["status"]) == (True, "cancelled")
    assert ended.json["error"]["details"] == {"cancelled": True, "reason": "enough"}
    assert (again.json["status"], other.json["status"]) == ("completed", "pending")


async def test_what_was_cancelled_beforehand_is_refused_when_it_comes(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server) as (_, caller):
        await caller.ask("control.cancel.early", {"reason": "no"})
        answer = await caller.invoke(message_id="early")
    assert (answer.code, answer.json["error"]["retryable"]) == ("MIG_TIMEOUT", False)


async def test_json_that_nests_deeper_than_its_bound_is_refused(nats_server: NatsServer) -> None:
    async with asked_migd(nats_server) as (_, caller):
        for levels in (200, 50_000):
            body = b'{"payload":%b{}%b}' % (b'{"a":' * levels, b"}" * levels)
            answer = await caller.ask(f"invoke.{INFER}", body)
            assert answer.json["error"]["code"] == "MIG_INVALID_REQUEST"
            assert "deeper than 128 levels" in answer.json["error"]["message"]
