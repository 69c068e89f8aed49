"""The hashes that chain an audit trail, made again from its lines [MIG-AUD-005, MIG-AUD-006]."""

from __future__ import annotations

import json
from hashlib import sha256

from mig_conformance.checks.trial import Trial
from mig_conformance.drivers.port import JsonObject
from mig_conformance.flaws import UncheckedError, expect, same
from mig_conformance.temporal.asking import invocation
from mig_conformance.temporal.auditing import export

_LINES = 50
_NO_LINE = "0" * 64
_PATH = "/pro/v0.1/audit/export"


async def beginning(trial: Trial) -> None:
    """From the first record that is held: the first of all is chained to nothing."""
    await _some_records(trial)
    lines = await _lines(trial, f"limit={_LINES}")
    _chained(lines)
    first = json.loads(lines[0])
    if first["sequence"] == 1:
        same("previous_hash of the first record", first["previous_hash"], _NO_LINE)


async def head(trial: Trial) -> None:
    """The end of the trail is what the hash of its last line says."""
    await _some_records(trial)
    end = (await export(trial, limit="1")).get("head")
    if end is None:
        raise UncheckedError("the export does not tell the head of the trail")
    after = max(0, end["sequence"] - _LINES)
    lines = await _lines(trial, f"after={after}")
    _chained(lines)
    hashes = {json.loads(line)["sequence"]: sha256(line).hexdigest() for line in lines}
    same("the hash of the last line", hashes.get(end["sequence"]), end["hash"])


async def _some_records(trial: Trial) -> None:
    for _ in range(3):
        (await trial.call("INVOKE", invocation())).accepted()


def _chained(lines: list[bytes]) -> None:
    expect(len(lines) > 1, f"the export has {len(lines)} lines after three invocations")
    records = [_record(line) for line in lines]
    for before, line, record in zip(records, lines, records[1:], strict=False):
        sequence = record["sequence"]
        same("the sequence of the next record", sequence, before["sequence"] + 1)
        same(f"previous_hash of record {sequence}", record["previous_hash"], sha256(line).hexdigest())


def _record(line: bytes) -> JsonObject:
    record: JsonObject = json.loads(line)
    if "sequence" not in record or "previous_hash" not in record:
        raise UncheckedError("the records of this server are not chained")
    return record


async def _lines(trial: Trial, query: str) -> list[bytes]:
    target = f"{_PATH}?format=jsonl&{query}"
    answer = await trial.http.request("GET", target, caller=trial.callers.named("admin"))
    same("the status of the export", answer.status, 200)
    expect(answer.body.endswith(b"\n"), "the last line of the export has no end")
    return answer.body.removesuffix(b"\n").split(b"\n")
