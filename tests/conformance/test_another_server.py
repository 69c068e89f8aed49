"""The suite holds servers to the protocol, not to migd: one that shares no code with it, and broken ones."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

import pytest

from mig_conformance.cli import main
from support.document_blocks import ROOT

CORE_SERVER = ROOT / "examples" / "core_server"
Reply = Callable[[int], bytes | None]


@pytest.fixture(autouse=True)
def where_it_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifests start python3, from the folder of the repository."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


def run(*arguments: str) -> tuple[int, str, str]:
    """Status, output and error output of the command."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main(("run", *arguments))
    return int(ended.value.code or 0), out.getvalue(), err.getvalue()


def judged(tmp_path: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Status and report."""
    file = tmp_path / "report.json"
    status, _, err = run(*arguments, "--json", str(file))
    assert err == ""
    report: dict[str, Any] = json.loads(file.read_text())
    return status, report


@pytest.mark.parametrize(
    ("manifest", "kept"),
    [
        ("mig-sut.yaml", {"MIG-INV-008", "MIG-INV-010", "MIG-INV-012", "MIG-IDM-003", "MIG-AUT-001"}),
        ("mig-sut-jwt.yaml", {f"MIG-AUT-{number:03}" for number in (2, 3, 4, 5, 6, 7, 11, 12)}),
    ],
)
def test_a_server_that_shares_no_code_with_migd_is_conformant_to_core(
    manifest: str, kept: set[str], tmp_path: Path
) -> None:
    status, report = judged(tmp_path, "--sut", str(CORE_SERVER / manifest))
    wrong = [each for each in report["checks"] if each["outcome"] in ("failed", "broken")]
    assert (status, wrong) == (0, [])
    verdicts = {each["profile"]: each["verdict"] for each in report["profiles"]}
    assert verdicts == {"core": "partly checked"} | dict.fromkeys(
        ("streaming", "evented", "full"), "not declared"
    )
    assert report["selection"]["bindings"] == ["http"]
    unjudged = [each["why"] for each in report["checks"] if each["outcome"] == "unchecked"]
    assert all(why.startswith(("it needs admin, ", "it needs hidden, ")) for why in unjudged)
    assert kept <= {row["id"] for row in report["requirements"] if row["state"] == "passed"}


def test_a_server_with_one_capability_can_show_no_order_of_them(tmp_path: Path) -> None:
    manifest = tmp_path / "mig-sut.yaml"
    manifest.write_text((CORE_SERVER / "mig-sut.yaml").read_text().replace(" --fixture", ""))
    status, report = judged(tmp_path, "--sut", str(manifest), "--only", "discover/*")
    outcomes = {each["name"]: each["outcome"] for each in report["checks"]}
    assert (status, outcomes["discover/sorted@http"]) == (0, "unchecked")
    assert outcomes["discover/visible@http"] == "passed"


@contextmanager
def answering(reply: Reply, patience_s: float, folder: Path) -> Iterator[str]:
    """The manifest of a server that answers the N-th request with these bytes, from 0, or not at all."""
    numbers = iter(range(1_000_000))

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                name, _, value = line.lower().partition(b":")
                length = int(value) if name == b"content-length" else length
            if line:
                self.rfile.read(length)
                said = reply(next(numbers))
                # Whoever gets nothing goes away at some time, which ends the reading.
                self.rfile.read() if said is None else self.wfile.write(said)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        manifest = folder / "mig-sut.yaml"
        url = f"http://127.0.0.1:{server.server_address[1]}"
        manifest.write_text(f"endpoints: {{http: '{url}'}}\npatience_s: {patience_s}\n")
        yield str(manifest)
        server.shutdown()


def ok(body: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return (head + body).encode()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param(ok("[" * 3000 + "]" * 3000), "a body that is no JSON", id="nested too deeply"),
        pytest.param(ok('{"header": {}, "n": NaN}'), "a body that is no JSON", id="no number"),
        pytest.param(
            ok('{"header": 5, "enabled_features": [[]], "capabilities": 7}'),
            "HelloResponse/header",
            id="odd types",
        ),
        pytest.param(b"220 mail.example.org ESMTP\r\n", "is no HTTP", id="another protocol"),
        pytest.param(ok("{}").replace(b": 2", b": 99"), "payload is not completed", id="cut short"),
    ],
)
def test_whatever_a_server_answers_is_the_servers_fault_and_none_of_the_suite(
    said: bytes, told: str, tmp_path: Path
) -> None:
    with answering(lambda _: said, 10, tmp_path) as manifest:
        status, report = judged(tmp_path, "--sut", manifest, "--only", "hello/*@http")
    outcomes = {each["outcome"] for each in report["checks"]}
    assert (status, outcomes) == (1, {"failed"})
    assert any(told in each["why"] for each in report["checks"])


def test_a_server_that_never_answers_is_not_waited_for_by_every_check(tmp_path: Path) -> None:
    with answering(lambda _: None, 0.2, tmp_path) as manifest:
        status, out, err = run("--sut", manifest)
    assert (status, out) == (4, "")
    assert err == (
        "mig-conformance: the endpoint takes connections, and nothing comes: "
        "no answer to POST /mig/v0.1/hello within 0.2 seconds\n"
    )


def test_a_server_that_stops_answering_ends_the_run(tmp_path: Path) -> None:
    with answering(lambda number: None if number else ok("{}"), 0.2, tmp_path) as manifest:
        status, out, err = run("--sut", manifest)
    assert status == 4
    assert err.startswith("mig-conformance: the server has stopped answering: 16 checks in a row")
    assert err.count("\n") == 1
    assert 16 <= out.count("no answer to ") < 40
