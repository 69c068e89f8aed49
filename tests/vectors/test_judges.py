"""The judges would notice: vectors that say something wrong are not passed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from grpc.aio import Channel, insecure_channel
from nats import connect

from mig_conformance import reference
from mig_conformance.codecs import judge_codec
from mig_conformance.grpc_server import judge_grpc
from mig_conformance.grpc_streams import judge_grpc_frames, judge_grpc_subscriptions
from mig_conformance.http_server import judge_http
from mig_conformance.nats_server import judge_nats
from mig_conformance.protobuf import judge_protobuf
from mig_conformance.golden.protobuf_requests import fill
from mig_conformance.requests import NotExpressibleError
from mig_conformance.vectors import Malformed, Valid, Vectors
from mig_conformance.verdict import Verdict
from mig_conformance.websocket import judge_websocket
from mig_protocol.pb import mig_pb2 as pb
from support.nats_servers import running_nats
from support.running_migd import LocalMigd, local_migd
from support.until import until

HEARTBEAT = {"header": {"tenant_id": "acme"}, "interval_ms": 2000}
TOO_LARGE = {"header": {"tenant_id": "acme"}, "interval_ms": 2**32}
FRAME = {"kind": "request", "capability": "observatory.models.infer", "payload": {"input": "hello"}}


def heartbeat(*rows: Valid | Malformed) -> Vectors:
    return vectors("HeartbeatRequest", "HEARTBEAT", *rows)


def vectors(message: str, operation: str, *rows: Valid | Malformed) -> Vectors:
    return Vectors(
        message=message,
        operation=operation,
        valid=tuple(row for row in rows if isinstance(row, Valid)),
        malformed=tuple(row for row in rows if isinstance(row, Malformed)),
    )


def valid(value: dict[str, Any], protobuf: bytes | None = None) -> Valid:
    return Valid(name="a row", json=value, protobuf=protobuf)


def malformed(value: Any, pointer: str, code: str = "MIG_INVALID_REQUEST") -> Malformed:
    return Malformed(
        name="a row",
        json=value,
        body=json.dumps(value).encode(),
        is_json=True,
        code=code,
        pointer=pointer,
        by_operation=False,
    )


def channel_to(migd: LocalMigd) -> Channel:
    assert migd.grpc is not None
    return insecure_channel(str(migd.grpc.address))


def flaws(verdicts: list[Verdict]) -> str:
    [verdict] = verdicts
    return "; ".join(verdict.flaws)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (valid(TOO_LARGE), "its own schema refuses it; refused: HeartbeatRequest is not valid"),
        (malformed(HEARTBEAT, ""), "its own schema accepts it; accepted"),
        (malformed(TOO_LARGE, "/header"), "the fault is said to be at ['/interval_ms'], not at '/header'"),
        (
            malformed(TOO_LARGE, "/interval_ms", "MIG_TIMEOUT"),
            "refused with MIG_INVALID_REQUEST, not with MIG_TIMEOUT",
        ),
    ],
)
def test_a_codec_is_told_from_one_that_is_right(row: Valid | Malformed, says: str) -> None:
    assert flaws(judge_codec(heartbeat(row))).startswith(says)


def test_protobuf_bytes_of_another_message_are_noticed_in_both_stacks() -> None:
    other = bytes.fromhex("10b817")  # interval_ms 3000
    found = flaws(judge_protobuf(heartbeat(valid({"interval_ms": 2000}, other))))
    assert "the first stack reads" in found
    assert "the second stack reads" in found
    assert "writes another message" in found


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (valid(TOO_LARGE), "answered with status 400, not 200"),
        (malformed(HEARTBEAT, ""), "answered with status 200, not 400"),
        (malformed(TOO_LARGE, "/header"), "the fault is said to be at ['/interval_ms'], not at '/header'"),
        (malformed(TOO_LARGE, "/interval_ms", "MIG_VERSION_MISMATCH"), "refused with MIG_INVALID_REQUEST"),
    ],
)
async def test_a_server_is_told_from_one_that_is_right(row: Valid | Malformed, says: str) -> None:
    async with local_migd() as migd, ClientSession(migd.url) as session:
        assert flaws(await judge_http(heartbeat(row), session)).startswith(says)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (valid(FRAME | {"capability": "no.such.thing"}), "answered with a frame of kind error, not response"),
        (malformed(FRAME, ""), "answered with [{"),
        (malformed(FRAME | {"payload": 5}, "/kind"), "the fault is said to be at ['/payload']"),
    ],
)
async def test_a_stream_is_told_from_one_that_is_right(row: Valid | Malformed, says: str) -> None:
    async with local_migd() as migd, ClientSession(migd.url) as session:
        assert flaws(await judge_websocket(vectors("RequestFrame", "STREAM", row), session)).startswith(says)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (valid(TOO_LARGE, bytes.fromhex("10b817")), ""),
        (valid({"header": {"mig_version": "9.9"}}, bytes.fromhex("0a050a03392e39")), "refused: MIG_VERSION"),
        (malformed(HEARTBEAT, ""), "accepted"),
        (
            malformed({"header": {"message_id": "a b"}}, "/header"),
            "the fault is said to be at ['/header/mess",
        ),
        (
            malformed({"header": {"message_id": "a b"}}, "", "MIG_TIMEOUT"),
            "answered with StatusCode.INVALID_",
        ),
    ],
)
async def test_a_grpc_server_is_told_from_one_that_is_right(row: Valid | Malformed, says: str) -> None:
    async with local_migd(MIGD_GRPC_ADDR="127.0.0.1:0") as migd, channel_to(migd) as channel:
        assert flaws(await judge_grpc(heartbeat(row), channel)).startswith(says)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (malformed(FRAME, ""), "answered with [{"),
        (malformed(FRAME | {"stream_id": "a b"}, "/kind"), "the fault is said to be at ['/stream_id']"),
    ],
)
async def test_a_grpc_stream_is_told_from_one_that_is_right(row: Malformed, says: str) -> None:
    frames = vectors("RequestFrame", "STREAM", row)
    async with local_migd(MIGD_GRPC_ADDR="127.0.0.1:0") as migd, channel_to(migd) as channel:
        assert flaws(await judge_grpc_frames(frames, channel)).startswith(says)


async def test_a_subscription_that_is_refused_is_told_from_one_that_is_open() -> None:
    refused = vectors("SubscribeRequest", "SUBSCRIBE", valid({}, bytes.fromhex("2201" + "78")))
    async with local_migd(MIGD_GRPC_ADDR="127.0.0.1:0") as migd, channel_to(migd) as channel:
        assert flaws(await judge_grpc_subscriptions(refused, channel)).startswith("refused: MIG_INVALID")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (valid(TOO_LARGE), "the answer is no HeartbeatAck"),
        (malformed(HEARTBEAT, ""), "the answer is no ErrorEnvelope"),
        (malformed(TOO_LARGE, "/header"), "the fault is said to be at ['/interval_ms'], not at '/header'"),
        (malformed(TOO_LARGE, "/interval_ms", "MIG_VERSION_MISMATCH"), "refused with MIG_INVALID_REQUEST"),
    ],
)
async def test_a_nats_server_is_told_from_one_that_is_right(
    row: Valid | Malformed, says: str, tmp_path: Path
) -> None:
    with running_nats(tmp_path) as nats:
        async with local_migd(MIGD_NATS_URL=nats.url) as migd:
            await until(lambda: migd.gateway.readiness().status == "ok")
            client = await connect(nats.url)
            found = flaws(await judge_nats(heartbeat(row), client))
            await client.close()
    assert found.startswith(says)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([], "always an object"),
        ({"interval": 1}, "no field interval"),
        ({"interval_ms": "fast"}, "can not hold such a interval_ms"),
        ({"interval_ms": 0}, "can not tell an empty interval_ms from an absent one"),
        ({"header": {"meta": []}}, "meta is always an object"),
        ({"header": {"timestamp": "soon"}}, "can not hold such a timestamp"),
    ],
)
def test_what_protobuf_can_not_say_is_skipped_with_the_reason(value: Any, why: str) -> None:
    with pytest.raises(NotExpressibleError, match=re.escape(why)):
        fill(pb.HeartbeatRequest(), value)


@pytest.mark.parametrize(
    ("after", "says"),
    [
        ({"interval_ms": 2000}, "/header is lost"),
        ({"header": {"tenant_id": "acme"}, "interval_ms": 2001}, "/interval_ms was 2000 and is 2001"),
        (
            {"header": {"tenant_id": "acme", "deadline_ms": 5}, "interval_ms": 2000},
            "/header/deadline_ms is made up: 5",
        ),
        (HEARTBEAT | {"intervalMs": 2000}, "/intervalMs is no field"),
    ],
)
def test_a_message_that_changed_on_its_way_is_told_from_the_same(after: dict[str, Any], says: str) -> None:
    assert list(reference.differences("HeartbeatRequest", HEARTBEAT, after)) == [says]


def test_another_spelling_of_the_same_message_is_no_difference() -> None:
    header = {"tenant_id": "acme", "timestamp": "2026-01-15T10:30:00+01:00", "future": 1}
    before = {"header": header, "interval_ms": 2000}
    after = {"header": {"tenant_id": "acme", "timestamp": "2026-01-15T09:30:00Z"}, "interval_ms": 2000}
    assert not list(reference.differences("HeartbeatRequest", before, after))
