"""The suite's driver for NATS, against a real gateway, a real nats-server and answers that are wrong."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from nats.aio.msg import Msg

from mig_conformance.drivers.port import Caller, NotOnBindingError, RefusedError
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.flaws import FlawError, UncheckedError, UnreachableError
from support.nats_gateway import nats_client, nats_migd
from support.nats_servers import NatsServer, running_nats
from support.suite_drivers import REFERENCE, ask, driving, inference
from support.tokens import JWT_MODE, bearer

TOPIC = "garden.sensors"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with running_nats(tmp_path_factory.mktemp("nats")) as running:
        yield running


@asynccontextmanager
async def driver(server: NatsServer, **environ: str) -> AsyncIterator[tuple[Any, Transcript]]:
    """Of a gateway; no message of it may break its schema."""
    async with nats_migd(server, **environ), driving("nats", nats=server.url) as (found, transcript):
        yield found, transcript
        assert transcript.violations == []


@asynccontextmanager
async def driver_of(
    server: NatsServer, answer: bytes, headers: dict[str, str] | None = None, **options: Any
) -> AsyncIterator[tuple[Any, Transcript]]:
    """Of a server that answers every HELLO and INVOKE with these bytes."""

    async def reply(message: Msg) -> None:
        await client.publish(message.reply, answer, headers=headers)

    async with nats_client(server) as client, driving("nats", nats=server.url, **options) as found:
        for subject in ("hello", f"invoke.{REFERENCE}"):
            await client.subscribe(f"mig.v0_1.acme.{subject}", cb=reply)
        await client.flush()
        yield found


@pytest.mark.parametrize(
    ("asked", "field", "value"),
    [
        (ask("HELLO", requested_bindings=["nats", "grpc"]), "selected_binding", "nats"),
        (inference("x"), "capability", REFERENCE),
        (ask("INVOKE", path={"capability": REFERENCE}, payload={"input": "x"}), "capability", REFERENCE),
        (ask("INVOKE", body=b'{"payload":{"input":""}}', capability=REFERENCE), "capability", REFERENCE),
        (ask("PUBLISH", topic=TOPIC, payload={}), "sequence", 1),
        (ask("CANCEL", target_message_id="m-1"), "status", "pending"),
        (ask("HEARTBEAT", interval_ms=7000), "suggested_interval_ms", 7000),
    ],
)
async def test_an_operation_is_answered_with_message_and_nats_headers(
    server: NatsServer, asked: Any, field: str, value: Any
) -> None:
    async with driver(server) as (nats, _):
        answer = await nats.call(asked)
    assert (answer.status, answer.accepted()[field]) == (None, value)
    assert answer.header["tenant_id"] == answer.fields["tenant_id"] == "acme"
    assert json.loads(answer.body) == answer.message


async def test_a_refusal_is_an_error_with_its_header(server: NatsServer) -> None:
    async with driver(server) as (nats, _):
        answer = await nats.call(ask("INVOKE", capability="no.such", header={"message_id": "m-1"}))
    assert answer.refused("MIG_UNSUPPORTED_CAPABILITY")["retryable"] is False
    assert answer.header["message_id"] == "m-1"


async def test_what_is_wrong_on_purpose_is_sent_as_it_is(server: NatsServer) -> None:
    wrong = (
        ask("HELLO", caller=Caller(tenant="a$b")),
        inference(path={"capability": "another.one"}),
        inference(header={"tenant_id": "other"}),
        inference(carried={"tenant_id": "other"}),
        ask("CANCEL", path={"message_id": "a.*"}),
    )
    async with driver(server) as (nats, _):
        codes = [(await nats.call(one)).error["code"] for one in wrong]
    assert codes == [
        "MIG_INVALID_REQUEST",
        "MIG_INVALID_REQUEST",
        "MIG_FORBIDDEN",
        "MIG_FORBIDDEN",
        "MIG_INVALID_REQUEST",
    ]


async def test_the_token_of_the_caller_is_sent_and_not_told(server: NatsServer) -> None:
    token = bearer("acme", "capability:infer").removeprefix("Bearer ")
    async with driver(server, **JWT_MODE) as (nats, transcript):
        (await nats.call(inference())).refused("MIG_UNAUTHORIZED")
        (await nats.call(inference(caller=Caller(tenant="acme", token=token)))).accepted()
    assert token not in "".join(line.text for line in transcript.lines)


async def test_what_nats_has_not_is_a_fault_of_the_case(server: NatsServer) -> None:
    async with driver(server) as (nats, _):
        nowhere = ask("HELLO", caller=Caller(tenant=None))
        for absent in (
            ask("USAGE"),
            ask("SUBSCRIBE", topic=TOPIC),
            nowhere,
            ask("HELLO", path={"tenant": "a b"}),
        ):
            with pytest.raises(NotOnBindingError):
                await nats.call(absent)


@pytest.mark.parametrize("stream_id", ["", "mine"])
async def test_a_stream_is_given_from_its_first_frame_to_its_last(server: NatsServer, stream_id: str) -> None:
    async with driver(server) as (nats, _):
        stream = await nats.stream(inference(header={"message_id": "m-1"}), stream_id)
        frames = await stream.rest()
        await stream.close()
    assert stream.stream_id == stream.accepted.message["stream_id"] == (stream_id or "stream-m-1")
    assert [frame["payload"].get("delta") for frame in frames] == ["a ", "b ", "c", None]
    assert [frame["end_stream"] for frame in frames] == [False, False, False, True]


@pytest.mark.parametrize("stream_id", ["", "mine"])
async def test_a_stream_that_is_refused_says_so(server: NatsServer, stream_id: str) -> None:
    async with driver(server) as (nats, _):
        with pytest.raises(RefusedError, match="MIG_UNSUPPORTED_CAPABILITY"):
            await nats.stream(ask("INVOKE", capability="no.such"), stream_id)


async def test_mirrored_events_are_given_and_the_requests_on_their_subject_are_not(
    server: NatsServer,
) -> None:
    async with driver(server) as (nats, transcript), nats.mirrored("acme", TOPIC) as mirror:
        ack = (await nats.call(ask("PUBLISH", topic=TOPIC, payload={"n": 1}))).accepted()
        event = await mirror.next()
        await nats.send(f"mig.v0_1.acme.events.{TOPIC}", b"{}", {"mig-origin": "elsewhere"})
        sent = await mirror.next()
        assert await mirror.quiet(0.01) is None
        assert sent.headers == {"mig-origin": "elsewhere"}
        held = {flaw.partition(":")[0].partition("/")[0] for flaw in transcript.violations}
        assert held == {"EventMessage", "MirrorHeaders"}
        transcript.violations.clear()
    assert (event.headers["Nats-Msg-Id"], event.data["event_id"]) == (ack["event_id"],) * 2
    assert event.data["payload"] == {"n": 1}


async def test_the_services_on_nats_are_asked(server: NatsServer) -> None:
    async with driver(server) as (nats, _):
        found = await nats.services("PING")
    assert [service["name"] for service in found] == ["mig-gateway"]
    async with driving("nats", nats=server.url) as (nats, _):
        assert await nats.services() == []


@pytest.mark.parametrize(
    ("answer", "flaw"),
    [(b"nonsense", "an answer with a body that is no JSON"), (b"[]", "a body that is no object")],
)
async def test_an_answer_that_can_not_be_read_is_a_flaw(server: NatsServer, answer: bytes, flaw: str) -> None:
    async with driver_of(server, answer) as (nats, _):
        with pytest.raises(FlawError, match=flaw):
            await nats.call(ask("HELLO"))


async def test_what_breaks_a_schema_is_a_violation(server: NatsServer) -> None:
    async with driver_of(server, b'{"error": {"code": "MIG_TIRED"}}', {"tenant_id": "a b"}) as (nats, found):
        await nats.call(ask("HELLO"))
        assert any(flaw.startswith("ErrorEnvelope/error/code") for flaw in found.violations)
        assert any(flaw.startswith("NatsHeaders/tenant_id") for flaw in found.violations)
    async with driver_of(server, b"{}", patience_s=0.1) as (nats, found):
        with pytest.raises(FlawError, match="names no stream"):
            await nats.stream(inference())
        assert any(flaw.startswith("StreamAccepted") for flaw in found.violations)


async def test_frames_that_do_not_come_and_frames_that_are_none_are_flaws(server: NatsServer) -> None:
    async with driver_of(server, b'{"stream_id": "s"}', patience_s=0.1) as (nats, transcript):
        stream = await nats.stream(inference(), "s")
        with pytest.raises(FlawError, match=r"nothing on mig.v0_1.acme.stream.s within 0\.1 seconds"):
            await stream.next()
        await nats.send("mig.v0_1.acme.stream.s", b"[]")
        with pytest.raises(FlawError, match="a frame that is no JSON object"):
            await stream.next()
        await stream.close()
    assert any(flaw.startswith("StreamFrame") for flaw in transcript.violations)


async def test_nobody_on_a_subject_is_an_unreachable_server_unless_the_check_made_the_subject(
    server: NatsServer,
) -> None:
    async with driving("nats", nats=server.url) as (nats, _):
        with pytest.raises(UnreachableError, match=r"nobody takes requests on mig\.v0_1\.acme\.hello"):
            await nats.call(ask("HELLO"))
        with pytest.raises(FlawError, match="nobody takes requests"):
            await nats.call(ask("HELLO", path={"tenant": "a.b"}))
        with pytest.raises(UncheckedError, match="takes no message of 2000000 bytes"):
            await nats.call(ask("HELLO", body=b"x" * 2_000_000))


async def test_nats_that_is_not_there_is_unreachable_and_its_password_stays_unsaid() -> None:
    with pytest.raises(UnreachableError, match=r"nats://127\.0\.0\.1:1: ") as gone:
        async with driving("nats", nats="nats://me:secret@127.0.0.1:1"):
            pass
    assert "secret" not in str(gone.value)


async def test_nats_that_goes_away_is_unreachable(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_nats(tmp_path_factory.mktemp("nats")) as own:
        async with driving("nats", nats=own.url, patience_s=0.2) as (nats, _):
            await nats.send("x", b"")
            own.stop()
            with pytest.raises(UnreachableError, match="the connection to NATS broke"):
                await ask_for_ever(nats)


async def ask_for_ever(nats: Any) -> None:
    """A request that is under way when NATS goes is one without an answer."""
    while True:
        with suppress(FlawError):
            await nats.call(ask("HELLO"))
