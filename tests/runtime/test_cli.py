"""The `migd` command, as a person at a terminal meets it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from migd.version import __version__
from support.running_migd import running_migd, start_migd


def ended(*arguments: str, **environ: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a migd that ends by itself."""
    migd = start_migd(*arguments, cwd=None, **environ)
    status = migd.wait()
    return status, "".join(migd.stdout), "".join(migd.stderr)


def mistake(*arguments: str, **environ: str) -> str:
    """The one line that a mistake is answered with."""
    status, stdout, stderr = ended(*arguments, **environ)
    assert (status, stdout, stderr.count("\n")) == (2, "", 1), stderr
    assert stderr.startswith("migd: ")
    return stderr.removeprefix("migd: ").rstrip("\n")


def test_it_says_where_it_is_ready_serves_there_and_ends_on_sigterm() -> None:
    with running_migd() as migd:
        assert (
            "".join(migd.stdout) == f"migd {__version__} ready on {migd.url} "
            "(console /ui, reference /docs, data in memory only)\n"
        )
        with urllib.request.urlopen(f"{migd.url}/healthz") as answer:
            assert answer.status == 200

        assert migd.stop() == 0
        assert "going down signal=SIGTERM" in "".join(migd.stderr)


def test_the_address_of_the_command_line_wins() -> None:
    with running_migd("--addr", "127.0.0.1:0", MIGD_ADDR="256.0.0.1:1") as migd:
        assert migd.url.startswith("http://127.0.0.1:")


def test_every_interface_means_ipv4_and_ipv6() -> None:
    with running_migd(MIGD_ADDR=":0") as migd:
        port = int(migd.url.rpartition(":")[2])
        for host in ("127.0.0.1", *(["::1"] if socket.has_dualstack_ipv6() else [])):
            socket.create_connection((host, port)).close()


def test_an_ipv4_client_is_listed_by_its_ipv4_address() -> None:
    with running_migd(MIGD_ADDR=":0") as migd:
        subscribe = urllib.request.Request(
            f"{migd.url}/mig/v0.1/subscribe/a.b", headers={"X-Tenant-ID": "acme"}
        )
        with (
            urllib.request.urlopen(subscribe),
            urllib.request.urlopen(f"{migd.url}/admin/v0.1/connections") as answer,
        ):
            (connection,) = json.load(answer)["connections"]

    assert connection["remote_addr"].startswith("127.0.0.1:")


def test_a_port_in_use_is_one_line_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert mistake("--addr", f"127.0.0.1:{port}") == (
            f"can not listen on 127.0.0.1:{port}: the port is in use; "
            "stop what has it or choose another with --addr or MIGD_ADDR"
        )


@pytest.mark.parametrize(
    ("address", "reason"),
    [("no-such-host.invalid:80", "no such host"), ("192.0.2.1:80", "this machine has no such address")],
)
def test_an_address_that_is_not_ours_is_one_line(address: str, reason: str) -> None:
    assert mistake(MIGD_ADDR=address).startswith(f"can not listen on {address}: {reason}")


def test_a_bad_setting_is_one_line() -> None:
    assert (
        mistake(MIGD_AUTH_MODE="basic") == "MIGD_AUTH_MODE='basic' is not usable: expected none, jwt or mtls"
    )


def test_jwt_mode_without_a_secret_is_one_line() -> None:
    assert mistake(MIGD_AUTH_MODE="jwt").startswith("MIGD_AUTH_MODE=jwt needs MIGD_JWT_HS256_SECRET")


def test_an_unknown_option_is_one_line() -> None:
    assert "--port" in mistake("--port", "80")


def test_an_audit_file_that_can_not_be_written_is_one_line(tmp_path: Path) -> None:
    line = mistake(MIGD_AUDIT_LOG_PATH=str(tmp_path / "none" / "audit.jsonl"))

    assert line.startswith("MIGD_AUDIT_LOG_PATH=")
    assert line.endswith("can not be written: No such file or directory")


def test_what_it_keeps_is_in_the_users_data_folder_and_the_ready_line_says_so(tmp_path: Path) -> None:
    with running_migd(XDG_DATA_HOME=str(tmp_path)) as migd:
        assert f"data in {tmp_path}/migd)" in "".join(migd.stdout)
        assert (tmp_path / "migd" / "migd.sqlite3").is_file()


def test_a_data_home_that_is_relative_is_ignored(tmp_path: Path) -> None:
    with running_migd(cwd=tmp_path, XDG_DATA_HOME="here", HOME=str(tmp_path / "home")) as migd:
        assert f"data in {tmp_path}/home/.local/share/migd)" in "".join(migd.stdout)
    assert not (tmp_path / "here").exists()


def test_a_second_gateway_in_the_same_folder_is_one_line_with_what_to_do(tmp_path: Path) -> None:
    with running_migd(XDG_DATA_HOME=str(tmp_path)) as first:
        assert mistake(XDG_DATA_HOME=str(tmp_path)) == (
            f"{tmp_path}/migd is in use by another migd (process {first.process.pid}); "
            "choose another folder with MIGD_DATA_DIR, or set MIGD_STORE=memory to keep nothing"
        )
        with running_migd(XDG_DATA_HOME=str(tmp_path), MIGD_STORE="memory"):
            pass


def test_a_data_folder_that_can_not_be_written_is_one_line_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert mistake(XDG_DATA_HOME=str(tmp_path / "file")) == (
        f"{tmp_path}/file/migd/migd.sqlite3 can not be written: Not a directory; "
        "choose another folder with MIGD_DATA_DIR, or set MIGD_STORE=memory to keep nothing"
    )


def test_a_user_without_a_home_is_told_what_to_do() -> None:
    """Such as a number that the machine has no entry for, as which containers like to run."""
    script = (
        "import os, pwd, sys\n"
        "from migd.cli import main\n"
        "os.environ.pop('HOME', None)\n"
        "def unknown(uid): raise KeyError(uid)\n"
        "pwd.getpwuid = unknown\n"
        "sys.argv[1:] = ['--addr', '127.0.0.1:0']\n"
        "main()\n"
    )
    said = subprocess.run([sys.executable, "-c", script], env={}, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (
        2,
        "migd: there is no home folder to keep data in: "
        "choose another folder with MIGD_DATA_DIR, or set MIGD_STORE=memory to keep nothing\n",
    )


def test_a_restarted_gateway_is_the_same_server_unless_it_is_named(tmp_path: Path) -> None:
    names = []
    for name in ("", "", "gw-1", ""):
        with running_migd(XDG_DATA_HOME=str(tmp_path), MIGD_SERVER_ID=name) as migd:
            hello = urllib.request.Request(
                f"{migd.url}/mig/v0.1/hello", data=b"{}", headers={"X-Tenant-ID": "acme"}
            )
            with urllib.request.urlopen(hello) as answer:
                names.append(json.load(answer)["server_id"])
    first = names[0]
    assert first.startswith("migd-")
    assert names == [first, first, "gw-1", first]


def test_the_tests_gateways_can_not_write_into_the_home_of_whoever_runs_them() -> None:
    assert "this-test-gave-its-gateway-no-data-dir" in mistake(MIGD_STORE="sqlite")


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_store_that_keeps_nothing_is_not_backed_up(tmp_path: Path, command: str) -> None:
    assert mistake(command, str(tmp_path / "file"), MIGD_STORE="memory") == (
        "MIGD_STORE=memory keeps nothing that could be backed up or restored"
    )


def test_a_wrong_manifest_is_one_line_with_its_place(tmp_path: Path) -> None:
    manifest = tmp_path / "migd.yaml"
    manifest.write_text("migd: 1\ncapabilities:\n  - pyhton: nowhere:nothing\n")

    assert mistake("--config", str(manifest)).startswith(f"{manifest}:3: ")
    assert mistake("--config", str(manifest), "config", "check").startswith(f"{manifest}:3: ")


def test_an_unknown_variable_is_one_warning() -> None:
    with running_migd(MIGD_ADRESS=":1") as migd:
        migd.stop()

    assert "warning MIGD_ADRESS is not a setting of migd; did you mean MIGD_ADDR?" in migd.stderr[0]


def test_a_short_secret_is_one_warning_that_does_not_tell_it() -> None:
    with running_migd(MIGD_AUTH_MODE="jwt", MIGD_JWT_HS256_SECRET="hunter2") as migd:
        migd.stop()

    assert "MIGD_JWT_HS256_SECRET is shorter than the 32 bytes" in migd.stderr[0]
    assert "hunter2" not in "".join(migd.stderr)


def test_a_second_signal_ends_it_at_once() -> None:
    with (
        running_migd(MIGD_SHUTDOWN_GRACE_S="3600") as migd,
        socket.create_connection(("127.0.0.1", int(migd.url.rpartition(":")[2]))) as unfinished,
    ):
        unfinished.sendall(b"POST /mig/v0.1/hello HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        migd.send_signal(signal.SIGTERM)
        while not any("going down" in line for line in migd.stderr):
            assert migd.process.poll() is None
        migd.send_signal(signal.SIGINT)

        assert migd.wait() == -signal.SIGINT


def test_version_and_help_need_no_gateway() -> None:
    script = "; ".join(
        (
            "import atexit, sys",
            "from migd.cli import main",
            "atexit.register(lambda: print(*{'uvicorn', 'starlette', 'grpc'} & sys.modules.keys()))",
            "sys.argv[1:] = ['--help']",
            "main()",
        )
    )
    help_text = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout

    assert ended("--version")[:2] == (0, f"migd {__version__}\n")
    assert "--config" in help_text
    assert help_text.splitlines()[-1] == ""


def test_serving_http_imports_no_grpc_and_no_pages() -> None:
    script = (
        "import sys, migd.server\n"
        "print(*{'grpc', 'google.protobuf', 'starlette', 'jinja2', 'prometheus_client'} & sys.modules.keys())"
    )

    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
        == "\n"
    )


def test_the_conformance_fixture_is_listed_and_served_with_a_warning() -> None:
    listed = "mig.conformance.script 1.0.0 (unary, server_stream, client_stream, bidi_stream)\n"
    assert ended("config", "check", MIGD_CONFORMANCE_FIXTURE="true")[1].endswith(
        f"{listed}OK: the settings; there is no migd.yaml\n"
    )
    with running_migd(MIGD_CONFORMANCE_FIXTURE="true") as migd:
        assert migd.stop() == 0
    assert "warning MIGD_CONFORMANCE_FIXTURE=true: " in migd.stderr[0]
    assert "for testing only and must not be on in production" in migd.stderr[0]


@pytest.mark.parametrize("command", [[], ["config", "check"]])
def test_a_capability_with_the_name_of_the_conformance_fixture_is_one_line(
    tmp_path: Path, command: list[str]
) -> None:
    manifest = tmp_path / "migd.yaml"
    manifest.write_text(
        "migd: 1\ncapabilities:\n"
        "  - {http: http://127.0.0.1:1/, id: mig.conformance.script, version: 1.0.0, modes: [unary]}\n"
    )
    assert mistake("--config", str(manifest), *command, MIGD_CONFORMANCE_FIXTURE="true") == (
        "MIGD_CONFORMANCE_FIXTURE=true serves mig.conformance.script, which is declared already: "
        "take it out of the migd.yaml, or set MIGD_CONFORMANCE_FIXTURE=false"
    )
