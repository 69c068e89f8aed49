"""The judges would notice: vectors that say something wrong are not passed."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from mig_conformance import reference
from mig_conformance.codecs import judge_codec
from mig_conformance.golden.protobuf_requests import fill
from mig_conformance.golden.saying import NotExpressibleError
from mig_conformance.protobuf import judge_protobuf
from mig_conformance.vectors import Malformed, Valid, Vectors
from mig_conformance.verdict import Verdict
from mig_protocol.pb import mig_pb2 as pb

HEARTBEAT = {"header": {"tenant_id": "acme"}, "interval_ms": 2000}
TOO_LARGE = {"header": {"tenant_id": "acme"}, "interval_ms": 2**32}


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
