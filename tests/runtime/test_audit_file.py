"""The audit file: every record a whole line, whatever else goes on."""

from __future__ import annotations

import asyncio
import json
import resource
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mig_protocol.messages import AuditRecord
from migd.stores.audit_file import AuditFile


def record(message_id: str) -> AuditRecord:
    return AuditRecord(
        actor="alice",
        tenant_id="acme",
        capability="a.b",
        outcome="success",
        timestamp=datetime(2026, 1, 15, 9, 30, tzinfo=UTC),
        message_id=message_id,
        binding="http",
        duration_ms=0.5,
    )


def written(path: Path) -> list[str]:
    """The message ids in the file, every line of which must be a record."""
    return [json.loads(line)["message_id"] for line in path.read_text().splitlines()]


async def test_a_record_is_one_json_line_with_the_protocols_fields(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    audit = AuditFile(path)

    audit.append(record("m-1"))
    await audit.close()

    assert path.read_text().endswith("}\n")
    line = json.loads(path.read_text())
    assert {"actor", "tenant_id", "capability", "outcome", "timestamp", "message_id"} <= line.keys()
    assert line["timestamp"] == "2026-01-15T09:30:00Z"


async def test_records_are_in_the_file_one_turn_of_the_event_loop_later(tmp_path: Path) -> None:
    audit = AuditFile(tmp_path / "audit.jsonl")

    for number in range(3):
        audit.append(record(f"m-{number}"))
    await asyncio.sleep(0)

    assert written(tmp_path / "audit.jsonl") == ["m-0", "m-1", "m-2"]
    await audit.close()


async def test_an_existing_file_is_appended_to_and_shared(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    first, second = AuditFile(path), AuditFile(path)

    for number in range(100):
        first.append(record(f"a-{number}"))
        second.append(record(f"b-{number}"))
        await asyncio.sleep(0)
    await first.close()
    await second.close()

    assert sorted(written(path)) == sorted(f"{who}-{number}" for who in "ab" for number in range(100))


async def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    audit = AuditFile(tmp_path / "audit.jsonl")
    await audit.close()

    assert stat.S_IMODE((tmp_path / "audit.jsonl").stat().st_mode) == 0o600


async def test_a_full_disk_is_logged_once_and_spoils_no_later_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "audit.jsonl"
    audit = AuditFile(path)
    audit.append(record("before"))
    await asyncio.sleep(0)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The kernel lets the file grow by ten bytes more, and then not at all.
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, limits[1]))
    try:
        for number in range(3):
            audit.append(record(f"lost-{number}"))
            await asyncio.sleep(0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    audit.append(record("after"))
    await audit.close()

    lines = path.read_text().splitlines()
    assert json.loads(lines[0])["message_id"] == "before"
    assert json.loads(lines[-1])["message_id"] == "after"
    assert [each.message for each in caplog.records] == [
        "audit records can not be written; at least 1 are lost"
    ]
