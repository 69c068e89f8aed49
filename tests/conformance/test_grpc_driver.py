"""The suite's driver for gRPC, against a real gateway and against servers that are wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from google.protobuf import any_pb2
from google.rpc import status_pb2
from grpc import StatusCode

from mig_conformance.drivers.port import Caller, NotOnBindingError, RefusedError
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.flaws import ClosedError, FlawError, UnreachableError
from mig_protocol.pb import mig_pb2 as pb
from support.grpc_client import GRPC
from support.running_migd import local_migd
from support.scripted_grpc import Behaviour, scripted_grpc
from support.suite_drivers import ACME, REFERENCE, ask, driving, inference
from support.tokens import JWT_MODE, bearer

TOPIC = "garden.sensors"


@asynccontextmanager
async def driver(**environ: str) -> AsyncIterator[tuple[Any, Transcript]]:
    """Of a gateway; no message of it may break its schema."""
    async with local_migd(**GRPC, **environ) as migd:
        assert migd.grpc is not None
        async with driving("grpc", grpc=str(migd.grpc.address)) as (found, transcript):
            yield found, transcript
            assert transcript.violations == []


@asynccontextmanager
async def driver_of(behave: Behaviour, **options: Any) -> AsyncIterator[tuple[Any, Transcript]]:
    """Of a server that does as it is told."""
    async with scripted_grpc(behave) as address, driving("grpc", grpc=address, **options) as found:
        yield found


@pytest.mark.parametrize(
    ("asked", "field", "value"),
    [
        (ask("HELLO", requested_bindings=["nats", "grpc"]), "selected_binding", "grpc"),
        (inference("x"), "capability", REFERENCE),
        (ask("INVOKE", path={"capability": REFERENCE}, payload={"input": "x"}), "capability", REFERENCE),
        (ask("PUBLISH", topic=TOPIC, payload={}), "sequence", 1),
        (ask("CANCEL", target_message_id="m-1"), "status", "pending"),
        (ask("HEARTBEAT", interval_ms=7000), "suggested_interval_ms", 7000),
    ],
)
async def test_an_operation_is_answered_in_the_spelling_of_json(asked: Any, field: str, value: Any) -> None:
    async with driver() as (grpc, transcript):
        answer = await grpc.call(asked)
    assert (answer.status, answer.accepted()[field]) == ("OK", value)
    assert answer.header == answer.message["header"]
    assert answer.header["tenant_id"] == "acme"
    assert [line.way for line in transcript.lines] == ["sent", "received"]


async def test_a_refusal_has_status_error_header_and_trailing_metadata() -> None:
    async with driver() as (grpc, _):
        answer = await grpc.call(ask("INVOKE", capability="no.such", header={"message_id": "m-1"}))
    assert answer.refused("MIG_UNSUPPORTED_CAPABILITY")["retryable"] is False
    assert (answer.status, answer.header["message_id"]) == ("NOT_FOUND", "m-1")
    assert answer.fields["grpc-message"].startswith("MIG_UNSUPPORTED_CAPABILITY: ")


async def test_raw_bytes_and_requests_that_are_wrong_reach_the_server() -> None:
    async with driver() as (grpc, _):
        for wrong in (
            ask("INVOKE", body=b"\xff\xff"),
            ask("HELLO", requested_bindings=["pigeon"]),
            inference(header={"message_id": "m" * 129}),
        ):
            (await grpc.call(wrong)).refused("MIG_INVALID_REQUEST")


async def test_the_token_of_the_caller_and_what_is_carried_are_sent() -> None:
    token = bearer("acme", "capability:infer").removeprefix("Bearer ")
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    async with driver(**JWT_MODE) as (grpc, transcript):
        nobody = await grpc.call(inference(caller=ACME))
        somebody = await grpc.call(
            inference(caller=Caller(tenant=None, token=token), carried={"traceparent": trace})
        )
    nobody.refused("MIG_UNAUTHORIZED")
    assert somebody.accepted()["header"]["traceparent"] == trace
    assert token not in "".join(line.text for line in transcript.lines)


async def test_what_grpc_has_not_is_a_fault_of_the_case() -> None:
    async with driver() as (grpc, _):
        for absent in (ask("USAGE"), ask("SUBSCRIBE"), inference(path={"capability": "another.one"})):
            with pytest.raises(NotOnBindingError):
                await grpc.call(absent)


async def test_a_stream_is_given_to_its_end_under_the_name_that_the_server_makes() -> None:
    async with driver() as (grpc, _):
        stream = await grpc.stream(inference(header={"message_id": "m-1"}))
        frames = await stream.rest()
        await stream.close()
    assert stream.stream_id == "stream-m-1"
    assert [frame["payload"].get("delta") for frame in frames] == ["a ", "b ", "c", None]
    assert [frame["end_stream"] for frame in frames] == [False, False, False, True]


async def test_streams_of_one_call_are_told_apart_and_a_bad_frame_leaves_it_open() -> None:
    async with driver() as (grpc, _):
        connection = await grpc.connect(ACME)
        await connection.send({"kind": "control", "stream_id": "x", "payload": {"action": "dance"}})
        await connection.send(b"\xff\xff")
        for name in ("one", "two"):
            request = {"capability": REFERENCE, "payload": {"input": name}, "end_stream": True}
            await connection.send({"kind": "request", "stream_id": name, **request})
        ends = [(await connection.until_end(name))[-1] for name in ("two", "one")]
        refused = [await connection.next("x"), await connection.next()]
        await connection.close()
    assert [end["payload"]["echo"]["input"] for end in ends] == ["two", "one"]
    assert [frame["error"]["code"] for frame in refused] == ["MIG_INVALID_REQUEST"] * 2


async def test_a_call_that_is_refused_says_so_at_its_first_answer() -> None:
    async with driver(**JWT_MODE) as (grpc, _):
        stream = await grpc.stream(inference())
        with pytest.raises(RefusedError, match="MIG_UNAUTHORIZED") as refused:
            await stream.rest()
        await stream.close()
    assert refused.value.answer.status == "UNAUTHENTICATED"


async def send_for_ever(connection: Any, frame: bytes) -> None:
    while True:
        await connection.send(frame)


async def test_the_status_that_ends_a_call_while_frames_are_sent_is_known() -> None:
    async def end_at_once(_: Any, context: Any) -> None:
        await context.write(pb.StreamFrame(stream_id="s").SerializeToString())
        await context.abort(StatusCode.RESOURCE_EXHAUSTED, "enough")

    async with driver_of(end_at_once) as (grpc, _):
        connection = await grpc.connect(ACME)
        await connection.next()
        with pytest.raises(ClosedError) as closed:
            await send_for_ever(connection, b"x" * 1_000_000)
        assert closed.value.code == "RESOURCE_EXHAUSTED"
        assert await connection.closed() == "RESOURCE_EXHAUSTED"
        await connection.close()


async def test_a_subscription_gives_events_and_the_gap_before_the_event_that_tells_of_it() -> None:
    async with driver(MIGD_RETENTION_EVENTS="2") as (grpc, _):
        for number in range(5):
            (await grpc.call(ask("PUBLISH", topic=TOPIC, payload={"n": number}))).accepted()
        subscription = await grpc.subscribe(ask("SUBSCRIBE", topic=TOPIC, resume_cursor="1"))
        found = [await subscription.next() for _ in range(3)]
        assert await subscription.quiet(0.01) is None
        await grpc.call(ask("PUBLISH", topic=TOPIC, payload={"n": 5}))
        found.append(await subscription.next())
        await subscription.close()
    assert [event.kind for event in found] == ["gap", "event", "event", "event"]
    assert found[0].data == {"from_sequence": 2, "to_sequence": 3}
    assert [(event.data["sequence"], event.data["replay"]) for event in found[1:]] == [
        (4, True),
        (5, True),
        (6, False),
    ]


async def test_a_subscription_that_is_refused_is_not_opened() -> None:
    async with driver() as (grpc, _):
        with pytest.raises(RefusedError, match="MIG_INVALID_REQUEST") as refused:
            await grpc.subscribe(ask("SUBSCRIBE", topic="plain"))
    assert refused.value.answer.status == "INVALID_ARGUMENT"


async def test_a_refusal_right_behind_the_initial_metadata_is_one() -> None:
    refuse = aborting(StatusCode.NOT_FOUND, "MIG_NOT_FOUND: gone", ERROR)

    async def greet_and_refuse(requests: Any, context: Any) -> None:
        await context.send_initial_metadata(())
        await refuse(requests, context)

    async with driver_of(greet_and_refuse) as (grpc, _):
        with pytest.raises(RefusedError, match="MIG_NOT_FOUND"):
            await grpc.subscribe(ask("SUBSCRIBE", topic=TOPIC))


async def test_a_server_that_sends_initial_metadata_with_its_first_event_can_be_subscribed_to() -> None:
    published = asyncio.Event()

    async def late(_: Any, context: Any) -> None:
        await published.wait()
        await context.write(pb.EventMessage(sequence=7).SerializeToString())

    async with driver_of(late) as (grpc, transcript):
        subscription = await grpc.subscribe(ask("SUBSCRIBE", topic=TOPIC))
        published.set()
        assert (await subscription.next()).data["sequence"] == 7
        with pytest.raises(ClosedError) as ended:
            await subscription.next()
    assert ended.value.code == "OK"
    assert any("EventMessage" in flaw for flaw in transcript.violations)


def aborting(status: StatusCode, message: str, *details: Any, code: int | None = None) -> Behaviour:
    """A server that refuses every call, with these details in its google.rpc.Status, and another code."""
    rich = status_pb2.Status(code=code or status.value[0], message=message)
    for detail in details:
        packed = any_pb2.Any(type_url=f"type.googleapis.com/{detail.DESCRIPTOR.full_name}")
        packed.value = detail.SerializeToString()
        rich.details.append(packed)

    async def refuse(_: Any, context: Any) -> None:
        trailing = (("grpc-status-details-bin", rich.SerializeToString()),) if details else ()
        await context.abort(status, message, trailing)

    return refuse


ERROR = pb.MigError(code=pb.MIG_NOT_FOUND, message="gone")


@pytest.mark.parametrize(
    ("behave", "flaw"),
    [
        (aborting(StatusCode.INTERNAL, "oh"), r"INTERNAL \(oh\) has no MigError"),
        (aborting(StatusCode.UNAVAILABLE, "oh"), "UNAVAILABLE"),
        (aborting(StatusCode.NOT_FOUND, "oh", pb.MessageHeader()), "has no MigError as the first"),
        (aborting(StatusCode.NOT_FOUND, "oh", pb.MessageHeader(), ERROR), "has no MigError as the first"),
    ],
)
async def test_a_status_without_its_error_is_a_flaw(behave: Behaviour, flaw: str) -> None:
    async with driver_of(behave) as (grpc, _):
        for refused in (grpc.call(ask("HELLO")), grpc.subscribe(ask("SUBSCRIBE", topic=TOPIC))):
            with pytest.raises(FlawError, match=flaw):
                await refused


async def test_a_stream_whose_first_frame_can_not_be_sent_leaves_nothing_running() -> None:
    async with driver() as (grpc, _):
        with pytest.raises(NotOnBindingError):
            await grpc.stream(ask("INVOKE", capability=REFERENCE, payload="no object"))
        left = [task for task in asyncio.all_tasks() if "GrpcFrames" in repr(task.get_coro())]
    assert left == []


@pytest.mark.parametrize(
    ("behave", "violation"),
    [
        (aborting(StatusCode.NOT_FOUND, "gone", ERROR), "the status message is 'gone'"),
        (aborting(StatusCode.NOT_FOUND, "MIG_NOT_FOUND: gone", ERROR, code=3), "its details say (3, "),
        (aborting(StatusCode.NOT_FOUND, "MIG_NOT_FOUND: ", pb.MigError()), "MigError/code"),
        (aborting(StatusCode.NOT_FOUND, "x", ERROR, pb.MessageHeader()), "MessageHeader/message_id"),
    ],
)
async def test_a_status_that_disagrees_with_its_details_is_a_violation(
    behave: Behaviour, violation: str
) -> None:
    async with driver_of(behave) as (grpc, transcript):
        answer = await grpc.call(ask("HELLO"))
    assert answer.status == "NOT_FOUND"
    assert any(violation in found for found in transcript.violations), transcript.violations


async def test_an_answer_that_is_no_message_and_one_that_does_not_come_are_flaws() -> None:
    async def garbage(_: Any, context: Any) -> None:
        await context.write(b"\x0a\xff")

    async def silent(*_: Any) -> None:
        await asyncio.Event().wait()

    async with driver_of(garbage) as (grpc, _):
        with pytest.raises(FlawError, match="is no HelloResponse"):
            await grpc.call(ask("HELLO"))
    async with driver_of(silent, patience_s=0.1) as (grpc, _):
        with pytest.raises(FlawError, match=r"no answer to HELLO within 0\.1 seconds"):
            await grpc.call(ask("HELLO"))


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    async with driving("grpc", grpc="127.0.0.1:1") as (grpc, _):
        attempts: list[Callable[[], Awaitable[Any]]] = [
            lambda: grpc.call(ask("HELLO")),
            lambda: grpc.stream(inference()),
            lambda: grpc.subscribe(ask("SUBSCRIBE", topic=TOPIC)),
        ]
        for attempt in attempts:
            with pytest.raises(UnreachableError, match="nobody answers over gRPC"):
                await attempt()
