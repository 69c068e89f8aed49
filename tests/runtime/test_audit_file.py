"""The audit file: every record a whole line of one chain, whatever else goes on."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from migd.core.audit import hash_of
from migd.core.audit_verification import BrokenTrailError, Verification
from migd.stores.audit_backlog import MOST_HELD
from migd.stores.audit_file import AuditFile
from support.audit_trail import record
from support.full_disk import no_room
from support.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def lines(path: Path) -> list[bytes]:
    """Each with its newline."""
    return path.read_bytes().splitlines(keepends=True)


def overwrite(path: Path, content: bytes) -> None:
    """In place, as an editor or copytruncate would."""
    with path.open("wb") as file:
        file.write(content)


def moved(path: Path) -> Path:
    """What logrotate does first."""
    return path.rename(path.with_name(f"{path.name}.1"))


def ids(path: Path) -> list[str]:
    """The message ids in the file, every line of which must be a record."""
    return [json.loads(line)["message_id"] for line in lines(path)]


def verified(*paths: Path) -> str:
    verification = Verification()
    for path in paths:
        for number, line in enumerate(lines(path), 1):
            verification.feed(f"{path.name}:{number}", line)
    return verification.summary()


async def write(path: Path, clock: ManualClock, *message_ids: str) -> None:
    """As a gateway that starts, records, and ends in order."""
    audit = AuditFile(path, clock)
    for message_id in message_ids:
        audit.append(record(message_id))
    await audit.close()


def room_for(path: Path, more: int) -> AbstractContextManager[None]:
    """The disk fills up when this file has grown by so many bytes."""
    return no_room(path.stat().st_size + more)


async def test_a_record_is_one_json_line_with_the_protocols_fields(path: Path, clock: ManualClock) -> None:
    await write(path, clock, "m-1")

    assert lines(path)[-1].endswith(b"}\n")
    line = json.loads(lines(path)[0])
    assert {"actor", "tenant_id", "capability", "outcome", "timestamp", "message_id"} <= line.keys()
    assert line["timestamp"] == "2026-01-01T00:00:00Z"
    assert (line["sequence"], line["previous_hash"]) == (1, "0" * 64)


async def test_records_are_in_the_file_one_turn_of_the_event_loop_later(
    path: Path, clock: ManualClock
) -> None:
    audit = AuditFile(path, clock)
    for number in range(3):
        audit.append(record(f"m-{number}"))
    await asyncio.sleep(0)

    assert ids(path) == ["m-0", "m-1", "m-2"]
    await audit.close()


async def test_a_file_has_one_writer(path: Path, clock: ManualClock) -> None:
    audit = AuditFile(path, clock)
    with pytest.raises(BlockingIOError):
        AuditFile(path, clock)
    await audit.close()
    await write(path, clock, "later")


async def test_only_its_owner_may_read_it_and_its_head(path: Path, clock: ManualClock) -> None:
    await write(path, clock, "m-1")

    for file in (path, path.with_name("audit.jsonl.head")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_the_chain_goes_on_after_a_restart(path: Path, clock: ManualClock) -> None:
    await write(path, clock, "a", "b")
    await write(path, clock, "c")

    assert verified(path).startswith("3 records, 1 to 3, last hash ")


async def test_the_head_is_beside_the_file_a_second_later_and_at_the_end(
    path: Path, clock: ManualClock
) -> None:
    def kept() -> dict[str, Any]:
        head: dict[str, Any] = json.loads(lines(path.with_name("audit.jsonl.head"))[0])
        return head

    def end(sequence: int) -> dict[str, Any]:
        return {"sequence": sequence, "hash": hash_of(lines(path)[-1].rstrip(b"\n"))}

    audit = AuditFile(path, clock)
    for number in (1, 2):
        audit.append(record("a"))
        await asyncio.sleep(0)
        clock.advance(1)
        assert kept() == end(number)
    audit.append(record("b"))
    await audit.close()
    assert kept() == end(3)
    assert clock.pending == 0


@pytest.mark.parametrize("torn", [b'{"actor":"al', b"\x00\x00\x00", b'{"actor":"x"}'])
async def test_a_line_torn_by_a_crash_is_cut_off(
    path: Path, clock: ManualClock, torn: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    await write(path, clock, "a", "b")
    overwrite(path, b"".join(lines(path)) + torn)
    await write(path, clock, "c")

    assert ids(path) == ["a", "b", "c"]
    assert verified(path).startswith("3 records, 1 to 3, ")
    assert [each.message for each in caplog.records] == [f"{len(torn)} bytes of a torn line were cut off"]


async def test_a_record_that_lacks_only_its_newline_is_kept(path: Path, clock: ManualClock) -> None:
    await write(path, clock, "a", "b")
    overwrite(path, b"".join(lines(path))[:-1])
    await write(path, clock, "c")

    assert verified(path).startswith("3 records, 1 to 3, ")


async def test_a_last_line_longer_than_is_read_at_once_is_found(path: Path, clock: ManualClock) -> None:
    await write(path, clock, "a")
    audit = AuditFile(path, clock)
    audit.append(record("long", actor="x" * 300_000))
    await audit.close()
    await write(path, clock, "b")

    assert verified(path).startswith("3 records, 1 to 3, ")


async def test_the_chain_begins_after_lines_of_before_there_was_one(path: Path, clock: ManualClock) -> None:
    overwrite(path, b'{"actor":"alice","message_id":"old"}\n')
    await write(path, clock, "a")
    await write(path, clock, "b")

    assert ids(path) == ["old", "a", "b"]
    assert verified(path).startswith("2 records, 1 to 2 after ")
    assert verified(path).endswith("; 1 line before it in no chain")
    overwrite(path, b"".join(lines(path)).replace(b"old", b"new"))
    with pytest.raises(BrokenTrailError, match=r"audit.jsonl:2: the chain does not begin at the line before"):
        verified(path)


async def test_a_rotation_goes_on_with_the_chain_in_the_new_file(path: Path, clock: ManualClock) -> None:
    audit = AuditFile(path, clock)
    audit.append(record("a"))
    old = moved(path)
    audit.append(record("b"))
    audit.reopen()
    audit.append(record("c"))
    await audit.close()

    assert (ids(old), ids(path)) == (["a", "b"], ["c"])
    assert verified(old, path).startswith("3 records, 1 to 3, ")
    last = lines(old)[-1].rstrip(b"\n")
    assert verified(path).startswith(f"1 record, 3 to 3 after {hash_of(last)}, ")


async def test_a_file_that_was_copied_and_emptied_goes_on(path: Path, clock: ManualClock) -> None:
    old = path.with_name("audit.jsonl.1")
    audit = AuditFile(path, clock)
    audit.append(record("a"))
    await asyncio.sleep(0)
    overwrite(old, b"".join(lines(path)))
    overwrite(path, b"")
    audit.reopen()
    audit.append(record("b"))
    await audit.close()

    assert verified(old, path).startswith("2 records, 1 to 2, ")


async def test_a_restart_goes_on_with_the_chain_though_the_file_was_moved_away(
    path: Path, clock: ManualClock
) -> None:
    await write(path, clock, "a", "b")
    old = moved(path)
    await write(path, clock, "c")

    assert verified(old, path).startswith("3 records, 1 to 3, ")


async def test_without_its_head_a_restart_after_a_rotation_breaks_the_chain_in_sight(
    path: Path, clock: ManualClock
) -> None:
    await write(path, clock, "a", "b")
    old = moved(path)
    moved(path.with_name("audit.jsonl.head"))
    await write(path, clock, "c")

    with pytest.raises(BrokenTrailError, match=r"audit.jsonl:1: a new chain begins after record 2"):
        verified(old, path)


async def test_a_file_that_was_cut_while_nobody_wrote_it_is_told_of_and_not_mended(
    path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    await write(path, clock, "a", "b", "c")
    overwrite(path, lines(path)[0])
    await write(path, clock, "d")

    assert "does not end with the record that was written last" in caplog.text
    with pytest.raises(BrokenTrailError, match=r"audit.jsonl:2: records 2 to 3 are missing before record 4"):
        verified(path)


async def test_a_rotation_to_where_nothing_can_be_written_stays_with_the_old_file(
    path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    folder = path.parent / "logs"
    folder.mkdir()
    audit = AuditFile(folder / "audit.jsonl", clock)
    folder.rename(path.parent / "moved")
    audit.reopen()
    audit.append(record("a"))
    await audit.close()

    assert "can not be reopened" in caplog.text
    assert ids(path.parent / "moved" / "audit.jsonl") == ["a"]


async def test_what_has_no_room_is_held_and_written_when_there_is(
    path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    audit = AuditFile(path, clock)
    audit.append(record("before"))
    await asyncio.sleep(0)
    with room_for(path, 10):
        for number in range(3):
            audit.append(record(f"held-{number}"))
            await asyncio.sleep(0)
            clock.advance(1)
        assert "too large" in (audit.failure or "")
        assert lines(path)[-1].endswith(b"}\n")
    clock.advance(1)

    assert (audit.failure, audit.lost) == (None, 0)
    assert ids(path) == ["before", "held-0", "held-1", "held-2"]
    assert verified(path).startswith("4 records, 1 to 4, ")
    assert [each.message for each in caplog.records] == [
        "audit records can not be written and are held",
        "audit records are written again; 0 were lost",
    ]
    await audit.close()


async def test_more_than_may_be_held_is_lost_counted_and_told(
    path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    audit = AuditFile(path, clock)
    with room_for(path, 10):
        for number in range(MOST_HELD + 7):
            audit.append(record(str(number)))
        await asyncio.sleep(0)
        assert audit.lost == 7
    clock.advance(1)

    assert ids(path) == [str(number) for number in range(MOST_HELD)]
    assert "as many audit records are held as may be: newer ones are lost" in caplog.messages
    assert caplog.messages[-1] == "audit records are written again; 7 were lost"
    await audit.close()


async def test_what_can_not_be_written_at_the_end_is_told(
    path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    audit = AuditFile(path, clock)
    with room_for(path, 10):
        audit.append(record("a"))
        await audit.close()

    assert audit.lost == 1
    assert caplog.messages[-1] == "1 audit records can not be written and are lost"
    assert clock.pending == 0


async def test_a_device_takes_records_as_a_file_does(clock: ManualClock) -> None:
    full = AuditFile(Path("/dev/full"), clock)
    full.append(record("a"))
    await asyncio.sleep(0)
    assert full.failure == "No space left on device"
    await full.close()
    assert "full.head" not in os.listdir("/dev")
