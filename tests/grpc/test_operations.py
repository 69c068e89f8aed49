"""The protocol's unary operations over gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from grpc import StatusCode, aio

from mig_protocol.errors import MigFault
from mig_protocol.messages import MigErrorCode, QoSProfile
from mig_protocol.pb import mig_pb2 as pb
from support.gateway_under_test import Scripted, capability
from support.grpc_client import (
    REFERENCE,
    GrpcClient,
    connected,
    grpc_migd,
    header_in,
    message_header,
    plain,
    refused,
    trailing,
)
from support.running_migd import LocalMigd
from support.tokens import JWT_MODE, bearer

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
INVOKE = "/mig.v0_1.Invocation/Invoke"


@pytest.fixture
async def client() -> AsyncIterator[GrpcClient]:
    async with grpc_migd() as (_, each):
        yield each


async def test_hello_selects_grpc_because_it_is_on(client: GrpcClient) -> None:
    answer = await client.hello(
        supported_versions=["0.1"],
        requested_bindings=[pb.BINDING_TYPE_NATS, pb.BINDING_TYPE_GRPC, pb.BINDING_TYPE_HTTP],
        requested_features=["streaming", "unheard-of"],
    )

    assert (answer.selected_version, answer.selected_binding) == ("0.1", pb.BINDING_TYPE_GRPC)
    assert list(answer.enabled_features) == ["streaming"]
    assert answer.server_id


async def test_discover_gives_what_the_booleans_ask_for(client: GrpcClient) -> None:
    (bare,) = (await client.discover()).capabilities
    (full,) = (await client.discover(include_schema_refs=True, include_qos=True)).capabilities

    assert (bare.id, bare.input_schema_uri, bare.HasField("qos")) == (REFERENCE, "", False)
    assert full.qos.max_payload_bytes == 1048576
    assert full.output_schema_uri == "schema://observatory/models/infer-output/v1"


async def test_invoke_answers_with_the_payload_and_the_normalised_header(client: GrpcClient) -> None:
    payload = {"input": "hi", "n": [1, 2.5, None, True, {"deep": "ünï"}]}
    answer = await client.invoke(
        payload=payload,
        message_id="m-1",
        session_id="s-1",
        deadline_ms=1234,
        meta={"mine": {"a": 1}, "idg.product_tier": "forged"},
    )

    assert plain(answer.payload)["echo"] == payload
    header = answer.header
    assert (header.message_id, header.session_id, header.deadline_ms) == ("m-1", "s-1", 1234)
    assert (header.mig_version, header.tenant_id) == ("0.1", "acme")
    assert plain(header.meta)["mine"] == {"a": 1}
    assert plain(header.meta)["idg.product_tier"] == "core"


async def test_metadata_carries_the_trace_and_the_body_wins(client: GrpcClient) -> None:
    other = TRACE.replace("01", "00", 1)
    client.metadata += (("traceparent", TRACE),)

    assert (await client.invoke()).header.traceparent == TRACE
    assert (await client.invoke(traceparent=other)).header.traceparent == other
    assert (await client.hello()).header.traceparent == TRACE


async def test_publish_and_heartbeat_answer(client: GrpcClient) -> None:
    acks = [await client.publish("a.b", idempotency_key=key) for key in ("k-1", "k-1", "k-2")]

    assert [ack.sequence for ack in acks] == [1, 1, 2]
    assert all(ack.accepted for ack in acks)
    assert (await client.heartbeat(interval_ms=1)).suggested_interval_ms == 1000
    assert (await client.heartbeat()).suggested_interval_ms == 5000


async def test_two_tenants_do_not_see_each_other() -> None:
    async with grpc_migd() as (migd, acme), connected(migd, "globex") as globex:
        await acme.publish("a.b", {"whose": "acme"})
        await globex.publish("a.b", {"whose": "globex"})
        events = await globex.subscribe("a.b", resume_cursor="0")

        event = await events.read()
        assert (event.sequence, plain(event.payload)) == (1, {"whose": "globex"})
        events.cancel()


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda c: c.hello(supported_versions=["7"]), "MIG_VERSION_MISMATCH"),
        (lambda c: c.invoke(mig_version="0.2"), "MIG_VERSION_MISMATCH"),
        (lambda c: c.invoke("no.such.thing"), "MIG_UNSUPPORTED_CAPABILITY"),
        (lambda c: c.invoke(payload={"input": 7}), "MIG_INVALID_REQUEST"),
        (lambda c: c.invoke(tenant_id="globex"), "MIG_FORBIDDEN"),
        (lambda c: c.invoke(tenant_id="a b"), "MIG_INVALID_REQUEST"),
        (lambda c: c.invoke(message_id="a b"), "MIG_INVALID_REQUEST"),
        (lambda c: c.invoke(payload={"input": "x", "n": float("nan")}), "MIG_INVALID_REQUEST"),
        (lambda c: c.hello(requested_bindings=[99]), "MIG_INVALID_REQUEST"),
        (lambda c: c.publish("plain"), "MIG_INVALID_REQUEST"),
        (lambda c: c.publish(""), "MIG_INVALID_REQUEST"),
        (lambda c: c.cancel(""), "MIG_INVALID_REQUEST"),
        (lambda c: c.raw(INVOKE, b"\xff\xff\xff"), "MIG_INVALID_REQUEST"),
        (lambda c: c.raw("/mig.v0_1.Control/Cancel", b"\x0a\x05abc"), "MIG_INVALID_REQUEST"),
    ],
)
async def test_what_is_wrong_with_a_request_is_refused_in_the_documented_way(
    client: GrpcClient, call: Any, code: str
) -> None:
    _, error = await refused(call(client))

    assert pb.MigErrorCode.Name(error.code) == code
    assert error.retryable is False


async def test_a_violation_is_told_with_its_place_and_the_header_beside_it(client: GrpcClient) -> None:
    status, error = await refused(client.invoke(payload={"input": 7}, message_id="m-7"))

    (violation,) = plain(error.details)["violations"]
    assert violation["pointer"] == "/input"
    assert (header_in(status).message_id, header_in(status).tenant_id) == ("m-7", "acme")


@pytest.mark.parametrize("metadata", [{}, {"x-tenant-id": "a b"}, {"x-tenant-id": "x" * 65}])
async def test_a_call_needs_a_valid_tenant(metadata: dict[str, str]) -> None:
    async with grpc_migd() as (migd, _), connected(migd, None, **metadata) as client:
        _, error = await refused(client.invoke())

    assert pb.MigErrorCode.Name(error.code) == "MIG_INVALID_REQUEST"


@pytest.mark.parametrize("code", list(MigErrorCode))
async def test_every_code_has_its_status_and_says_whether_to_try_again(code: MigErrorCode) -> None:
    provider = Scripted()
    provider.error = MigFault(code, "a reason", details={"why": "because"}, retryable=True)
    async with grpc_migd(capability(provider)) as (_, client):
        status, error = await refused(client.invoke("test.scripted"))

    assert pb.MigErrorCode.Name(error.code) == code.value
    assert (error.retryable, plain(error.details)) == (True, {"why": "because"})
    waits = code in (MigErrorCode.MIG_RATE_LIMITED, MigErrorCode.MIG_BACKPRESSURE)
    assert trailing(status).get("retry-after") == ("1" if waits else None)


async def test_an_unexpected_failure_tells_nothing_and_the_log_has_it_under_the_message_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    provider = Scripted()
    provider.error = RuntimeError("the password is hunter2")
    async with grpc_migd(capability(provider)) as (_, client):
        status, error = await refused(client.invoke("test.scripted"))

    assert (status.code(), error.message) == (StatusCode.INTERNAL, "internal error")
    assert "hunter2" not in str(status)
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.__dict__["message_id"] == header_in(status).message_id
    assert "hunter2" in str(record.exc_info)


@pytest.mark.parametrize("soon", [{"deadline_ms": 20, "timeout": 3600}, {"timeout": 0.05}])
async def test_the_sooner_deadline_stops_the_work(soon: dict[str, Any]) -> None:
    provider = Scripted()
    provider.waits = True
    async with grpc_migd(capability(provider)) as (_, client):
        with pytest.raises(aio.AioRpcError) as raised:
            await client.invoke("test.scripted", **soon)
        await provider.stopped.wait()

    assert raised.value.code() is StatusCode.DEADLINE_EXCEEDED


async def test_the_provider_is_told_of_the_sooner_deadline() -> None:
    provider = Scripted()
    async with grpc_migd(capability(provider)) as (_, client):
        await client.invoke("test.scripted", timeout=5, deadline_ms=3_000_000)
        await client.invoke("test.scripted", timeout=3000, deadline_ms=5000)
        await client.invoke("test.scripted", deadline_ms=3_000_000)

    grpc_deadline, own, unbounded = (work.deadline - work.clock() for work in provider.seen)
    assert max(grpc_deadline, own) < 6 < 1000 < unbounded


async def test_a_client_that_cancels_its_call_stops_the_work(provider: Scripted) -> None:
    async with grpc_migd(capability(provider)) as (migd, client):
        call = client.invoke("test.scripted")
        await asyncio.wait_for(provider.started.wait(), 10)
        call.cancel()
        await provider.stopped.wait()

        assert await outcomes(migd, 1) == ["MIG_TIMEOUT"]


async def test_a_client_whose_connection_breaks_off_stops_its_work(provider: Scripted) -> None:
    async with grpc_migd(capability(provider)) as (migd, _):
        async with connected(migd) as leaving:
            call = asyncio.ensure_future(leaving.invoke("test.scripted"))
            await provider.started.wait()
        await provider.stopped.wait()

        await asyncio.gather(call, return_exceptions=True)
        assert await outcomes(migd, 1) == ["MIG_TIMEOUT"]


async def test_cancel_stops_a_call_and_its_error_says_so(provider: Scripted) -> None:
    async with grpc_migd(capability(provider)) as (_, client):
        running = asyncio.ensure_future(client.invoke("test.scripted", message_id="m-1"))
        await provider.started.wait()
        ack = await client.cancel("m-1", reason="enough")
        _, error = await refused(running)
        late = await client.cancel("m-1")
        early = await client.cancel("never-seen")

    assert [(one.accepted, one.status) for one in (ack, late, early)] == [
        (True, "cancelled"),
        (False, "completed"),
        (True, "pending"),
    ]
    assert (pb.MigErrorCode.Name(error.code), error.retryable) == ("MIG_TIMEOUT", False)
    assert plain(error.details) == {"cancelled": True, "reason": "enough"}


async def test_a_message_over_the_limit_is_refused_and_the_connection_stays() -> None:
    async with grpc_migd(MIGD_MAX_BODY_BYTES="2048", MIGD_MAX_FRAME_BYTES="2048") as (_, client):
        _, error = await refused(client.invoke(payload={"input": "x" * 2100}))
        with pytest.raises(aio.AioRpcError) as raised:
            await client.invoke(payload={"input": "x" * 100_000})

        assert error.message == "the message is larger than 2048 bytes"
        assert raised.value.code() is StatusCode.RESOURCE_EXHAUSTED
        assert (await client.invoke()).payload["result"] == "ok"


async def test_details_too_long_for_metadata_are_cut_and_say_so(client: GrpcClient) -> None:
    provider = Scripted()
    violations = [{"pointer": f"/{n}", "message": "x" * 200} for n in range(90)]
    provider.error = MigFault(MigErrorCode.MIG_INVALID_REQUEST, "no", details={"violations": violations})
    async with grpc_migd(capability(provider)) as (_, client):
        _, error = await refused(client.invoke("test.scripted"))

    details = plain(error.details)
    assert details["truncated"] is True
    assert details["violations"] == violations[: len(details["violations"])]
    assert len(details["violations"]) > 3


async def test_a_long_message_is_shortened_and_still_arrives() -> None:
    provider = Scripted()
    provider.error = MigFault(MigErrorCode.MIG_UNAVAILABLE, "ünï" * 5000, details={"more": "☕" * 5000})
    async with grpc_migd(capability(provider)) as (_, client):
        _, error = await refused(client.invoke("test.scripted"))

    assert error.message.startswith("ünïünï")
    assert plain(error.details) == {"truncated": True}


async def test_an_answer_that_protobuf_has_no_word_for_is_the_one_that_json_gives() -> None:
    provider = Scripted()
    provider.answer = {"nan": float("nan"), "lone": "\ud800", "keyed": {1: "one"}}
    async with grpc_migd(capability(provider)) as (migd, client):
        over_grpc = plain((await client.invoke("test.scripted")).payload)
        over_http = (await migd.invoke("test.scripted")).json["payload"]

    assert over_grpc == over_http == {"nan": None, "lone": "�", "keyed": {"1": "one"}}


async def test_an_unknown_method_is_unimplemented(client: GrpcClient) -> None:
    with pytest.raises(aio.AioRpcError) as raised:
        await client.raw("/mig.v0_1.Invocation/Revoke", b"")

    assert raised.value.code() is StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (None, "MIG_UNAUTHORIZED"),
        ("Bearer nonsense", "MIG_UNAUTHORIZED"),
        ("Basic eDp5", "MIG_UNAUTHORIZED"),
        (
            bearer("acme", "capability:infer", secret="somebody else's, 32 bytes or more"),
            "MIG_UNAUTHORIZED",
        ),
        (bearer("acme", "capability:infer", exp=1), "MIG_UNAUTHORIZED"),
        (bearer(None, "capability:infer"), "MIG_FORBIDDEN"),
        (bearer("globex", "capability:infer"), "MIG_FORBIDDEN"),
        (bearer("acme", "capability:other"), "MIG_FORBIDDEN"),
    ],
)
async def test_jwt_mode_refuses_whoever_may_not_call(token: str | None, code: str) -> None:
    given = {} if token is None else {"authorization": token}
    async with grpc_migd(**JWT_MODE) as (migd, _), connected(migd, "acme", **given) as client:
        _, error = await refused(client.invoke())

    assert pb.MigErrorCode.Name(error.code) == code


async def test_jwt_mode_takes_the_tenant_from_the_token() -> None:
    token = {"authorization": bearer("acme", "capability:infer")}
    async with grpc_migd(**JWT_MODE) as (migd, _), connected(migd, None, **token) as client:
        header = (await client.invoke()).header
        _, error = await refused(client.publish("a.b", tenant_id="globex"))

    assert (header.tenant_id, plain(header.meta)["idg.principal_subject"]) == ("acme", "alice")
    assert pb.MigErrorCode.Name(error.code) == "MIG_FORBIDDEN"


async def test_errors_are_counted_and_audited_as_over_http() -> None:
    async with grpc_migd() as (migd, client):
        await client.invoke()
        await refused(client.invoke("no.such.thing"))

        assert await outcomes(migd, 2) == ["success", "MIG_UNSUPPORTED_CAPABILITY"]
        metrics = (await migd.get("/metrics")).raw.decode()
    assert 'mig_gateway_errors_total{code="MIG_UNSUPPORTED_CAPABILITY",operation="INVOKE"} 1.0' in metrics


async def test_the_header_in_the_body_needs_no_metadata() -> None:
    async with grpc_migd() as (migd, _), connected(migd, None) as client:
        assert (await client.hello(header=message_header(tenant_id="acme"))).header.tenant_id == "acme"


@pytest.fixture
def provider() -> Scripted:
    scripted = Scripted()
    scripted.waits = True
    return scripted


async def outcomes(migd: LocalMigd, count: int) -> list[str]:
    """The audited outcomes, once there are so many."""
    while True:
        records = (await migd.get("/pro/v0.1/audit/export")).json["records"]
        if len(records) >= count:
            return [record["outcome"] for record in records]


@pytest.mark.parametrize("value", ["\0" * 20, [False] * 20, [1.7976931348623157e308] * 5])
async def test_a_payload_is_measured_as_json_where_protobuf_is_shorter(value: Any) -> None:
    small = capability(Scripted(), qos=QoSProfile(max_payload_bytes=100))
    async with grpc_migd(small) as (_, client):
        _, error = await refused(client.invoke("test.scripted", {"value": value}))
    assert error.code == pb.MIG_INVALID_REQUEST
    assert plain(error.details)["max_payload_bytes"] == 100
