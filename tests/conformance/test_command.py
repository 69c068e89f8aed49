"""`mig-conformance` as its users run it, against real servers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import mig_conformance
import mig_protocol
from mig_conformance.checks.load import every_check
from mig_conformance.cli import main
from mig_conformance.report.as_json import report_schema
from mig_conformance.version import SUITE_VERSION
from migd.version import __version__
from support.running_migd import MigdProcess, running_migd
from support.tokens import JWT_MODE, SECRET, bearer

ANSWER, UNKNOWN = "invoke/reference-answer@http", "invoke/unknown-capability@http"
CLOSED = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str) -> Done:
    """What the command does when it is given these."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main(arguments)
    return Done(int(ended.value.code or 0), out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def migd() -> Iterator[MigdProcess]:
    with running_migd(MIGD_CONFORMANCE_FIXTURE="true", MIGD_GRPC_ADDR="127.0.0.1:0") as found:
        yield found


def test_checks_that_pass_are_status_0(migd: MigdProcess) -> None:
    done = run("run", "--http", migd.url, "--only", "invoke/*")
    assert (done.returncode, done.stderr) == (0, "")
    assert "failed" not in done.stdout
    assert "a selection of the checks: it says nothing about a profile" in done.stdout


def test_a_check_that_fails_is_status_1_with_all_that_is_needed_to_mend_it(tmp_path: Path) -> None:
    with running_migd(cwd=None, **JWT_MODE) as migd:
        token = bearer("umbrella", "capability:infer").removeprefix("Bearer ")
        files = [str(tmp_path / name) for name in ("r.json", "r.xml", "r.html", "r.svg")]
        asked = ("--http", migd.url, "--token", token, "--only", ANSWER)
        forms = zip(("--json", "--junit", "--html", "--badge"), files, strict=True)
        done = run("run", *asked, *(each for form in forms for each in form))
    assert done.returncode == 1
    assert f"FAILED {ANSWER}" in done.stdout
    assert "MIG_FORBIDDEN" in done.stdout
    assert "sent        POST /mig/v0.1/invoke/observatory.models.infer" in done.stdout
    again = f'mig-conformance run --http {migd.url} --token "$TOKEN" --only {ANSWER}'
    assert f"again       {again}\n" in done.stdout
    written = [Path(file).read_text() for file in files]
    Draft202012Validator(report_schema()).validate(json.loads(written[0]))
    assert token not in "".join((done.stdout, *written))


def test_a_secret_in_the_environment_is_what_tokens_are_made_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", SECRET)
    manifest = tmp_path / "mig-sut.yaml"
    with running_migd(cwd=None, **JWT_MODE) as migd:
        manifest.write_text(
            f"endpoints: {{http: '{migd.url}'}}\nauth: {{mode: jwt, hs256_secret: '${{env.SECRET}}'}}\n"
        )
        done = run("run", "--sut", str(manifest), "--only", ANSWER)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("lines", "status", "says"),
    [
        (f"{ANSWER}\n", 1, f"unexpected pass {ANSWER}"),
        ("invoke/no-such-check\n", 2, "'invoke/no-such-check' matches no check"),
    ],
)
def test_the_list_of_known_failures_is_kept_true(
    lines: str, status: int, says: str, migd: MigdProcess, tmp_path: Path
) -> None:
    known = tmp_path / "known.txt"
    known.write_text(lines)
    done = run("run", "--http", migd.url, "--only", "invoke/*@http", "--known-failing", str(known))
    assert done.returncode == status
    assert says in done.stdout + done.stderr


def test_a_known_failure_is_status_0(tmp_path: Path) -> None:
    """The caller is of another tenant than the token: no check of it can pass."""
    known = tmp_path / "known.txt"
    known.write_text(f"{ANSWER}  # as it should\n{UNKNOWN}\n")
    with running_migd(cwd=None, **JWT_MODE) as guarded:
        token = bearer("umbrella", "capability:infer").removeprefix("Bearer ")
        done = run(
            "run", "--http", guarded.url, "--token", token, "--only", ANSWER, "--known-failing", str(known)
        )
    assert done.returncode == 0
    assert "1 failed as known" in done.stdout


def test_what_did_not_run_is_not_status_0(migd: MigdProcess) -> None:
    done = run("run", "--http", migd.url, "--only", "invoke/*@nats")
    assert done.returncode == 1
    assert "not applicable" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run",), "no endpoint is said"),
        (("run", "--http", "localhost:8080"), "--http: expected a URL"),
        (("run", "--http", CLOSED, "--only", "x/*"), "--only: 'x/*' matches no check"),
        (("run", "--http", CLOSED, "--profile", "best"), "'--profile': 'best' is not one of"),
        (("run", "--http", CLOSED, "--json", "/no/such/r.json"), "there is no folder /no/such"),
        (("run", "--sut", "/no/such.yaml"), "'/no/such.yaml' does not exist"),
        (("explain", "MIG-XYZ-001"), "MIG-XYZ-001: neither a requirement nor a check"),
        (("report", __file__), "no report of this suite"),
        (("judge",), "No such command 'judge'"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(arguments: tuple[str, ...], says: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mig-conformance: ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("word", ["run", "list"])
def test_nobody_there_is_status_4(word: str) -> None:
    done = run(word, "--http", CLOSED)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == (
        "mig-conformance: nobody answers at 127.0.0.1:9; is the server running, and is --http right?\n"
    )


def test_list_says_what_would_run_and_why_not(migd: MigdProcess) -> None:
    listed = {each["name"]: each for each in json.loads(run("list", "--http", migd.url, "--json").stdout)}
    assert set(listed) == {check.on(binding) for check in every_check() for binding in check.bindings}
    assert listed[ANSWER]["runs"] is True
    assert (listed[ANSWER.replace("http", "nats")]["why"]) == "no endpoint for nats"
    known_of_none = json.loads(run("list", "--json", "--only", ANSWER).stdout)
    assert [each["runs"] for each in known_of_none] == [None]


def test_explain_shows_a_requirement_and_a_check() -> None:
    assert "deadline_ms bounds the whole invocation" in run("explain", "MIG-INV-010").stdout
    explained = run("explain", ANSWER).stdout
    assert explained.startswith("invoke/reference-answer  on http, websocket, grpc, nats\n")
    assert "    steps:\n      - call: INVOKE\n" in explained


def test_an_earlier_report_is_rendered_again(migd: MigdProcess, tmp_path: Path) -> None:
    kept, page = tmp_path / "r.json", tmp_path / "r.html"
    run("run", "--http", migd.url, "--only", ANSWER, "--json", str(kept))
    done = run("report", str(kept), "--html", str(page))
    assert done.returncode == 0
    assert ANSWER in page.read_text()


def test_the_suite_has_the_version_that_it_came_with() -> None:
    assert __version__ == SUITE_VERSION
    assert run("--version").stdout == f"mig-conformance {__version__}\n"


def test_the_suite_runs_where_no_gateway_can_be_imported(migd: MigdProcess, tmp_path: Path) -> None:
    for package in (mig_conformance, mig_protocol):
        (tmp_path / package.__name__).symlink_to(Path(str(package.__file__)).parent)
    blocked = (
        "import sys, runpy\n"
        "sys.modules['migd'] = sys.modules['mig_codegen'] = None\n"
        f"sys.argv = ['x', 'run', '--http', '{migd.url}', '--only', '{ANSWER}']\n"
        "runpy.run_module('mig_conformance', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", blocked],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
