"""`examples/run.py`, which is `make run`: it starts both, stops both, and says what is wrong."""

from __future__ import annotations

import re
import signal
import socket
import subprocess

import pytest

from support.curl import read_curl

from .conftest import Started, start_run


def test_it_says_what_to_try_first_and_that_works() -> None:
    with start_run("--addr", "127.0.0.1:0") as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        command = said[said.index("curl") : said.index("\n\nMore")]
        status, answer = read_curl(command).send()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert status == 200
    assert '"language":"nl"' in answer


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_both_of_its_processes(number: signal.Signals) -> None:
    with start_run("--addr", "127.0.0.1:0", MARKDOWN_PORT=str(port := free_port())) as process:
        assert process.stdout is not None
        ready = next(line for line in process.stdout if "ready on" in line)
        migd = int(ready.split("http://127.0.0.1:")[1].split()[0])
        assert [listens(migd), listens(port)] == [True, True]
        process.send_signal(number)
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert [listens(migd), listens(port)] == [False, False]


def test_a_port_of_migd_that_is_taken_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finished = finish(start_run("--addr", f"127.0.0.1:{port}"))
    assert finished.returncode == 2
    assert re.fullmatch(rf"migd: can not listen on 127\.0\.0\.1:{port}: .*MIGD_ADDR\n", finished.stderr)


def test_a_port_of_the_service_that_is_taken_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finished = finish(start_run("--addr", "127.0.0.1:0", MARKDOWN_PORT=str(port)))
    assert finished.returncode == 1
    assert finished.stderr == f"markdown service: no listening on 127.0.0.1:{port}: Address already in use\n"


def test_the_example_configuration_passes_its_own_check(started: Started) -> None:
    status, answer = read_curl(
        f"curl -s {started.url}/mig/v0.1/discover -H 'X-Tenant-ID: acme' -d '{{\"query\": \"text.\"}}'"
    ).send()
    assert status == 200
    assert re.findall(r'"id":"([^"]+)"', answer) == ["text.language.identify", "text.markdown.render"]


def finish(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    with process:
        stdout, stderr = process.communicate(timeout=30)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
