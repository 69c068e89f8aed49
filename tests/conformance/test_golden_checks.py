"""The golden messages as checks: all of them, on every binding that has their operation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mig_conformance.checks.load import load_checks
from mig_conformance.drivers.port import Answer
from mig_conformance.flaws import FlawError
from mig_conformance.golden.judging import judge_answer, judge_frames
from mig_conformance.golden.rows import vectors_of
from mig_conformance.running.result import Outcome
from mig_conformance.vectors import Malformed, Valid, load_vectors, packaged_vectors
from mig_protocol.operations import OPERATIONS, Operation
from support.nats_servers import running_nats
from support.running_migd import local_migd
from support.suite_checks import results
from support.until import until

CHECKS = [check for check in load_checks({}) if check.id.startswith("vectors/")]
VECTORS = {vectors.message: vectors for vectors in load_vectors(packaged_vectors())}
OPERATION = {operation.id: operation for operation in OPERATIONS}
FRAME = {"kind": "response", "stream_id": "s", "end_stream": True}


async def test_a_gateway_takes_and_refuses_what_they_say_also_the_second_time(tmp_path: Path) -> None:
    with running_nats(tmp_path) as nats:
        async with local_migd(MIGD_NATS_URL=nats.url, MIGD_GRPC_ADDR="127.0.0.1:0") as migd:
            await until(lambda: migd.gateway.readiness().status == "ok")
            assert migd.grpc is not None
            chosen = [(check, binding) for check in CHECKS for binding in check.bindings]
            endpoints = {"http": migd.url, "grpc": str(migd.grpc.address), "nats": nats.url}
            ended = [*await results(chosen, **endpoints), *await results(chosen, **endpoints)]
    assert [(each.name, each.why) for each in ended if each.outcome is not Outcome.passed] == []
    assert len(ended) == 2 * len(chosen)


def test_every_message_that_is_sent_is_judged_wherever_its_operation_is() -> None:
    judged = {message: set(check.bindings) for check in CHECKS for message in check.vars["messages"]}
    sent = {
        vectors.message: OPERATION[vectors.operation] for vectors in VECTORS.values() if vectors.operation
    }
    assert {message: judged.get(message) for message in sent} == {
        message: bindings_of(operation) for message, operation in sent.items()
    }


def bindings_of(operation: Operation) -> set[str]:
    over_http = {"SUBSCRIBE": "sse", "STREAM": "websocket"}.get(operation.id, "http")
    nats = operation.nats is not None and operation.shape == "unary"
    return {over_http} | ({"grpc"} if operation.rpc else set()) | ({"nats"} if nats else set())


def test_golden_headers_are_sent_as_the_header_of_hello() -> None:
    found = vectors_of("RequestHeader", {})
    assert found.operation == "HELLO"
    sent = {row.name: row for row in found.to_send}
    assert sent.keys() == {row.name for row in VECTORS["RequestHeader"].to_send}
    other = sent["another version is well formed"]
    assert isinstance(other, Malformed)
    assert other.code == "MIG_VERSION_MISMATCH"
    null = sent["tenant_id is null"]
    assert isinstance(null, Malformed)
    assert (null.pointer, json.loads(null.body)) == ("/header/tenant_id", {"header": {"tenant_id": None}})


def test_names_that_can_be_used_once_are_new_each_time() -> None:
    rows = vectors_of("OrgCreation", {"vectors-org": "fresh"})
    ids = {row.json.get("id") for row in rows.to_send}
    assert "vectors-org" not in ids
    assert "fresh" in ids


def valid(**said: Any) -> Valid:
    return Valid(name="a row", json=said, protobuf=None)


def malformed(pointer: str | None = "/a") -> Malformed:
    return Malformed(
        name="a row",
        json={"a": 1},
        body=b'{"a": 1}',
        is_json=True,
        code="MIG_INVALID_REQUEST",
        pointer=pointer,
        by_operation=False,
    )


def error(code: str = "MIG_INVALID_REQUEST", at: str = "/a", *, retryable: bool = False) -> dict[str, Any]:
    details = {"violations": [{"pointer": at}]}
    return {"code": code, "message": "it is wrong", "retryable": retryable, "details": details}


def test_a_refusal_with_its_code_and_place_is_right() -> None:
    judge_answer(malformed(), Answer(error=error(), status=400), "http")
    judge_answer(malformed(None), Answer(error=error(at="/b"), status=400), "http")
    judge_answer(valid(), Answer(message={}), "http")


@pytest.mark.parametrize(
    ("row", "answer", "why"),
    [
        (valid(), Answer(error=error(), status=400), "refused with"),
        (malformed(), Answer(message={}, status=200), "the request was accepted"),
        (malformed(), Answer(error=error("MIG_TIMEOUT"), status=504), "expected MIG_INVALID_REQUEST"),
        (malformed(), Answer(error=error(), status=500), "the status"),
        (malformed(), Answer(error=error(retryable=True), status=400), "/retryable is True"),
        (malformed(), Answer(error=error(at="/b"), status=400), "is said to be at ['/b'], not at '/a'"),
    ],
)
def test_an_answer_that_is_wrong_is_told_from_it(row: Valid | Malformed, answer: Answer, why: str) -> None:
    with pytest.raises(FlawError) as flaw:
        judge_answer(row, answer, "http")
    assert why in str(flaw.value)


@pytest.mark.parametrize(
    ("row", "frames"),
    [
        (valid(kind="request"), [{**FRAME, "kind": "error", "error": error()}]),
        (valid(kind="control"), [FRAME]),
        (valid(kind="request", stream_id="another"), [FRAME]),
        (malformed(), [FRAME]),
        (malformed(), [{**FRAME, "kind": "error", "error": error(at="/b")}]),
        (malformed(), [FRAME, {**FRAME, "kind": "error", "error": error()}]),
    ],
)
def test_frames_that_are_wrong_are_told_from_right_ones(row: Valid | Malformed, frames: Any) -> None:
    with pytest.raises(FlawError):
        judge_frames(row, frames)
