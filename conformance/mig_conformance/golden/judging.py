"""What has to come back for a row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mig_conformance import reference
from mig_conformance.checks.expectation import answered
from mig_conformance.drivers.http import read_answer
from mig_conformance.drivers.port import Answer, BindingName, JsonObject
from mig_conformance.drivers.transcript import Transcript
from mig_conformance.flaws import expect, same
from mig_conformance.vectors import Malformed, Valid
from mig_protocol.operations import Operation

# What each line is of an answer that comes as lines.
_LINES = {"AuditExport": "AuditRecord"}
_NDJSON = "application/x-ndjson"
_ANSWERS = {"request": "response", "control": "control"}


def judge_answer(row: Valid | Malformed, answer: Answer, binding: BindingName) -> None:
    """Accepted, or refused for the fault of the row, at the place of the fault."""
    if isinstance(row, Valid):
        answer.accepted()
        return
    answered(answer, {"error": row.code}, binding)
    _at_its_place(row, answer.refused(row.code))


def judge_frames(row: Valid | Malformed, frames: Sequence[JsonObject]) -> None:
    """The frames of a stream up to its end: answers on the stream that was asked for, or one error."""
    if isinstance(row, Malformed):
        same("the kinds of the frames that answer", [frame["kind"] for frame in frames], ["error"])
        judge_answer(row, Answer(error=frames[0]["error"]), "websocket")
        return
    for frame in frames:
        same("the kind of the frame that answers", frame["kind"], _ANSWERS[row.json["kind"]])
        if row.json.get("stream_id"):
            same("the stream that it answers on", frame["stream_id"], row.json["stream_id"])


def read_get(operation: Operation, answer: Answer, transcript: Transcript) -> Answer:
    """The answer to a GET: one message, or one a line."""
    name = operation.response.__name__ if operation.response is not None else ""
    if answer.status != operation.status:
        return read_answer(answer, "", transcript)
    if answer.fields.get("content-type", "").partition(";")[0] != _NDJSON:
        return read_answer(answer, name, transcript)
    for line in answer.body.splitlines():
        flaws = reference.violations(_LINES[name], json.loads(line))
        expect(not flaws, f"the line {line[:300]!r} is no {_LINES[name]}: {'; '.join(flaws)}")
    return Answer(message={}, status=answer.status, fields=answer.fields, body=answer.body)


def _at_its_place(row: Malformed, error: Mapping[str, Any]) -> None:
    violations = (error.get("details") or {}).get("violations", [])
    found = [violation.get("pointer") for violation in violations]
    why = f"the fault is said to be at {found}, not at {row.pointer!r}: {error.get('message')}"
    expect(row.pointer is None or row.pointer in found, why)
