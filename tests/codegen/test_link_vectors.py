"""The linker refuses golden vectors that are too few or that name what does not exist."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.broken_spec import PROTO, Break, assert_told, named, told

ACK = "vectors/cancel-ack.json"

MISTAKES = [
    Break(
        name="a message that does not exist",
        file=ACK,
        old='"message": "CancelAck"',
        new='"message": "CancelAcknowledgement"',
        says="the vectors are of 'CancelAcknowledgement', which has no schema file; "
        "correct the name or add the schema",
    ),
    Break(
        name="a message and a file name",
        file=ACK,
        old='"message": "CancelAck"',
        new='"message": "PublishAck"',
        says="the message 'PublishAck' does not go with the file name; name the file publish-ack.json",
    ),
    Break(
        name="an operation that does not exist",
        file=ACK,
        old='"operation": null',
        new='"operation": "STOP"',
        says="the vectors are for 'STOP', which is no operation; "
        "write an id of spec/registry/operations.yaml, or null",
    ),
]


@pytest.mark.parametrize("case", MISTAKES, ids=named)
def test_mistaken_vectors_are_refused_with_their_line(case: Break, tmp_path: Path) -> None:
    assert_told(tmp_path, case)


def edited(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """Apply a change to the parsed vectors of CancelAck."""

    def write(spec: Path) -> None:
        document = json.loads((spec / ACK).read_text())
        change(document)
        (spec / ACK).write_text(json.dumps(document, indent=2))

    return write


@pytest.mark.parametrize(("key", "least"), [("valid", 1), ("malformed", 3)])
def test_too_few_vectors_are_refused(tmp_path: Path, key: str, least: int) -> None:
    def change(document: dict[str, Any]) -> None:
        document[key] = document[key][: least - 1]

    found = told(tmp_path, edited(change))
    assert [line.partition(": ")[2] for line in found] == [
        f"CancelAck has {least - 1} {key} vectors; write {least} at the least"
    ]
    assert found[0].startswith(f"spec/{ACK}:")


def test_an_error_code_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["malformed"][0]["code"] = "MIG_TEAPOT"

    name = "header is missing"
    assert [line.partition(": ")[2] for line in told(tmp_path, edited(change))] == [
        f"the vector {name!r} expects 'MIG_TEAPOT', which is no error code; "
        "write a code of spec/registry/errors.yaml"
    ]


def test_a_name_that_two_vectors_have_is_refused(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["malformed"][1]["name"] = document["malformed"][0]["name"]

    assert [line.partition(": ")[2] for line in told(tmp_path, edited(change))] == [
        f"the name 'header is missing' is also that of spec/{ACK}:N; give one of them another"
    ]


def test_a_malformed_vector_has_exactly_one_form(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["malformed"][0]["raw"] = "{"

    found = told(tmp_path, edited(change))
    assert len(found) == 1
    assert "malformed.0: " in found[0]
    assert found[0].endswith("; write the row as the others are")


def test_a_message_without_vectors_is_refused(tmp_path: Path) -> None:
    found = told(tmp_path, lambda spec: (spec / ACK).unlink())
    assert len(found) == 1
    assert found[0].startswith(f"spec/{PROTO}:")
    assert found[0].endswith(": CancelAck has no vectors; add spec/vectors/cancel-ack.json")
