"""`migd audit verify`, and a gateway whose files it is given: rotated, killed, shared."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from migd.core.audit import Chain, hash_of
from support.audit_trail import record
from support.running_migd import MigdProcess, running_migd

REFERENCE = "observatory.models.infer"


def verify(*arguments: str | Path, given: bytes = b"") -> tuple[int, str]:
    """Exit status, and the one line that it says, wherever it says it."""
    command = [sys.executable, "-m", "migd", "audit", "verify", *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode()
    assert said.count("\n") == 1, said
    return done.returncode, said.rstrip("\n")


@pytest.fixture
def trail(tmp_path: Path) -> Path:
    chain = Chain()
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"".join(chain.seal(record(f"m-{number}").text) + b"\n" for number in range(1, 6)))
    return path


def test_a_whole_trail_is_one_line_and_status_0(trail: Path) -> None:
    last = hash_of(trail.read_bytes().splitlines()[-1])
    summary = f"5 records, 1 to 5, last hash {last}"
    assert verify(trail) == (0, summary)
    assert verify("-", given=trail.read_bytes()) == (0, summary)
    assert verify(trail, "--expect", last.upper()) == (0, summary)


def test_a_broken_one_is_one_line_that_names_the_first_line_at_fault_and_status_1(trail: Path) -> None:
    trail.write_text(trail.read_text().replace("m-3", "m-x"))
    assert verify(trail) == (1, f"{trail}:3: record 3 was changed")
    assert verify("-", given=trail.read_bytes()) == (1, "<stdin>:3: record 3 was changed")
    trail.write_bytes(trail.read_bytes()[:-1])
    assert verify(trail) == (1, f"{trail}:3: record 3 was changed")


def test_a_cut_end_shows_by_the_hash_that_was_noted(trail: Path) -> None:
    lines = trail.read_bytes().splitlines(keepends=True)
    trail.write_bytes(b"".join(lines[:3]))
    assert verify(trail)[0] == 0
    status, said = verify(trail, "--expect", hash_of(lines[4].rstrip()))
    assert (status, said.partition(": no line has the hash ")[0]) == (1, f"{trail}:3")


def test_an_export_with_filters_is_partial(trail: Path) -> None:
    lines = trail.read_bytes().splitlines(keepends=True)
    some = b"".join([lines[0], lines[3], lines[4]])
    assert verify("-", given=some) == (1, "<stdin>:2: records 2 to 3 are missing before record 4")
    assert verify("-", "--partial", given=some)[0] == 0


def test_the_command_by_itself_says_what_there_is() -> None:
    command = [sys.executable, "-m", "migd", "audit"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "verify  Check that no line" in done.stdout


def test_a_mistake_is_status_2(trail: Path) -> None:
    assert verify(trail.parent / "none")[0] == 2
    assert verify()[0] == 2
    assert verify(trail, "--expect", "abc") == (
        2,
        "migd: Invalid value for '--expect': a hash is 64 hexadecimal digits",
    )


def invoke(migd: MigdProcess, message_id: str) -> None:
    body = {"header": {"tenant_id": "acme", "message_id": message_id}, "payload": {"input": "hi"}}
    request = urllib.request.Request(f"{migd.url}/mig/v0.1/invoke/{REFERENCE}", json.dumps(body).encode())
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


def exported(migd: MigdProcess) -> bytes:
    with urllib.request.urlopen(f"{migd.url}/pro/v0.1/audit/export?format=jsonl") as answer:
        lines: bytes = answer.read()
        return lines


def test_a_hangup_reopens_the_file_and_the_chain_goes_on(tmp_path: Path) -> None:
    path, old = tmp_path / "audit.jsonl", tmp_path / "audit.jsonl.1"
    with running_migd(MIGD_AUDIT_LOG_PATH=str(path)) as migd:
        invoke(migd, "a")
        path.rename(old)
        invoke(migd, "b")
        migd.send_signal(signal.SIGHUP)
        while not path.exists():
            assert migd.process.poll() is None
        invoke(migd, "c")
        assert migd.stop() == 0

    assert len(old.read_text().splitlines()) == 2
    assert verify(old, path)[1].startswith("3 records, 1 to 3, ")


def test_a_second_gateway_on_the_file_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with running_migd(MIGD_AUDIT_LOG_PATH=str(path)):
        environ = {"MIGD_AUDIT_LOG_PATH": str(path), "MIGD_ADDR": "127.0.0.1:0"}
        second = subprocess.run(
            [sys.executable, "-m", "migd"], env=environ, capture_output=True, text=True, check=False
        )
    assert second.returncode == 2
    assert second.stderr == (
        f"migd: MIGD_AUDIT_LOG_PATH={str(path)!r} is in use by another migd: "
        "give each gateway a file of its own\n"
    )


async def test_after_a_kill_under_load_both_homes_verify_and_go_on(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    environ: dict[str, Any] = {
        "MIGD_AUDIT_LOG_PATH": str(path),
        "MIGD_STORE": "sqlite",
        "MIGD_DATA_DIR": str(tmp_path / "data"),
    }
    answered: list[str] = []

    async def call(http: aiohttp.ClientSession, migd: MigdProcess, worker: int) -> None:
        while len(answered) < 600:
            message_id = f"{worker}-{len(answered)}"
            body = {"header": {"tenant_id": "acme", "message_id": message_id}, "payload": {"input": "hi"}}
            try:
                async with http.post(f"{migd.url}/mig/v0.1/invoke/{REFERENCE}", json=body) as answer:
                    await answer.read()
            except aiohttp.ClientError:
                return
            answered.append(message_id)
            if len(answered) == 500:
                migd.send_signal(signal.SIGKILL)

    for _ in range(2):
        answered.clear()
        with running_migd(**environ) as migd:
            async with aiohttp.ClientSession() as http:
                await asyncio.gather(*(call(http, migd, worker) for worker in range(8)))
    with running_migd(**environ) as migd:
        invoke(migd, "after")
        lines = exported(migd)
        migd.stop()

    assert verify(path)[0] == 0
    assert verify("-", given=lines)[0] == 0
