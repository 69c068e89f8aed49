"""The server by the commands of its manifest: started, restarted, and gone at the end, whatever happens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from mig_conformance.flaws import UnreachableError
from mig_conformance.subject.process import ServerProcess
from mig_conformance.subject.reach import reach
from mig_conformance.subject.subject import Command, Commands, Endpoints, Subject

SERVE = f"{sys.executable} -m http.server --bind 127.0.0.1"


@pytest.fixture
def port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        number: int = found.getsockname()[1]
        return number


def server(port: int, tmp_path: Path, **commands: Any) -> ServerProcess:
    given = {
        name: each if isinstance(each, Command) else Command(run=each) for name, each in commands.items()
    }
    subject = Subject(endpoints=Endpoints(http=f"http://127.0.0.1:{port}"), commands=Commands(**given))
    return ServerProcess(subject, tmp_path)


def listening(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


async def test_it_is_there_when_it_is_ready_and_gone_at_the_end(port: int, tmp_path: Path) -> None:
    ready = Command(run=f"{SERVE} {port}", ready=f"http://127.0.0.1:{port}/")
    async with server(port, tmp_path, start=ready):
        assert listening(port)
    assert not listening(port)


async def test_what_a_command_leaves_behind_is_ended_too(port: int, tmp_path: Path) -> None:
    async with server(port, tmp_path, start=f"{SERVE} {port} & exit 0"):
        assert listening(port)
    assert not listening(port)


async def test_a_server_that_ignores_sigterm_is_ended_all_the_same(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mig_conformance.subject.process._GRACE_S", 0.1)
    async with server(port, tmp_path, start=f"trap '' TERM; {SERVE} {port} & while :; do wait; done"):
        assert listening(port)
    assert not listening(port)


@pytest.mark.parametrize("how", ["by a command", "by stop and start"])
async def test_a_restart_brings_another_process(port: int, tmp_path: Path, how: str) -> None:
    start = f"{SERVE} {port} & echo $! > {tmp_path}/pid; wait"
    stopped = f"kill $(cat {tmp_path}/pid); while kill -0 $(cat {tmp_path}/pid); do :; done"
    again = (
        {"restart": f"{stopped}; {SERVE} {port} & echo $! > {tmp_path}/pid"} if how == "by a command" else {}
    )
    async with server(port, tmp_path, start=start, **again) as running:
        first = (tmp_path / "pid").read_text()
        await running.restart()
        assert listening(port)
        assert (tmp_path / "pid").read_text() != first
    assert not listening(port)


async def test_stop_is_run_at_the_end(port: int, tmp_path: Path) -> None:
    async with server(port, tmp_path, start=f"{SERVE} {port}", stop=f"touch {tmp_path}/stopped"):
        pass
    assert (tmp_path / "stopped").exists()


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (
            Command(run="echo no such port; exit 7"),
            "commands.start: ended with status 7; it printed:\nno such port",
        ),
        (
            Command(run="echo waiting; sleep 60", within_s=0.3),
            "commands.start: the server was not ready within 0.3 seconds; it printed:\nwaiting",
        ),
        (
            Command(run="echo $GREETING; exit 1", env={"GREETING": "from the manifest"}),
            "commands.start: ended with status 1; it printed:\nfrom the manifest",
        ),
    ],
)
async def test_a_server_that_does_not_start_says_why(
    command: Command, says: str, port: int, tmp_path: Path
) -> None:
    with pytest.raises(UnreachableError) as raised:
        async with server(port, tmp_path, start=command):
            pass
    assert str(raised.value) == says


async def test_nobody_at_an_endpoint_is_said(port: int) -> None:
    with pytest.raises(UnreachableError, match=f"nobody answers at 127.0.0.1:{port}; .* --grpc"):
        await reach(Endpoints(grpc=f"127.0.0.1:{port}"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_server_behind(
    number: signal.Signals, port: int, tmp_path: Path
) -> None:
    mark = tmp_path / "started"
    os.mkfifo(mark)
    manifest = tmp_path / "mig-sut.yaml"
    manifest.write_text(
        f"endpoints: {{http: 'http://127.0.0.1:{port}'}}\n"
        f"commands: {{start: 'echo $$ > {mark}; sleep 60 & sleep 60'}}\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-m", "mig_conformance", "run", "--sut", str(manifest)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    group = int(mark.read_text())
    run.send_signal(number)
    printed, _ = run.communicate(timeout=30)
    assert (run.returncode, printed) == (130, b"")
    assert [each.pid for each in psutil.process_iter() if _group(each) == group] == []


def _group(process: psutil.Process) -> int | None:
    try:
        return None if process.status() == psutil.STATUS_ZOMBIE else os.getpgid(process.pid)
    except (psutil.Error, ProcessLookupError):
        return None
