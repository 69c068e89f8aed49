"""The command line links the real spec, tells every problem and never shows a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mig_codegen.cli import main
from support.broken_spec import SPEC, copy_spec, replace


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_the_real_spec_links() -> None:
    done = run("check", "--spec", str(SPEC))
    assert (done.exit_code, done.stderr) == (0, "")
    assert "19 messages" in done.stdout
    assert done.stdout.endswith("the spec agrees with itself\n")


def test_every_problem_is_told_in_order_of_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = copy_spec(tmp_path)
    replace(spec / "registry/features.yaml", "requires: [events],", "requires: [eventing],")
    replace(spec / "registry/features.yaml", "requires: [streaming, cancel],", "requires: [streams, cancel],")
    replace(spec / "registry/errors.yaml", "grpc: DEADLINE_EXCEEDED", "grpc: TOO_LATE")
    monkeypatch.chdir(tmp_path)
    done = run("check")
    assert (done.exit_code, done.stdout) == (1, "")
    told = [line.rpartition("; ")[0].partition(", which")[0] for line in done.stderr.splitlines()]
    assert [line.split(": ", 1)[1] for line in told] == [
        "'TOO_LATE' is no gRPC status",
        "the profile 'streaming' requires 'streams'",
        "the profile 'evented' requires 'eventing'",
    ]


def test_paths_are_told_as_seen_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = copy_spec(tmp_path)
    (spec / "registry/errors.yaml").write_text("errors: ]")
    inside = tmp_path / "somewhere" / "inside"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert run("check").stderr.startswith("../../spec/registry/errors.yaml:1: not valid YAML")
    monkeypatch.chdir(tmp_path)
    assert run("check", "--spec", "spec").stderr.startswith("spec/registry/errors.yaml:1: not valid YAML")


def test_outside_of_a_repository_the_command_says_where_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("check")
    assert done.exit_code == 2
    assert done.stderr.endswith(
        f"Error: no spec/proto in {tmp_path} or above it; change into the repository or give --spec DIR\n"
    )


def test_generating_writes_the_package_and_the_surface_beside_the_spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = copy_spec(tmp_path)
    (spec / "SURFACE.txt").unlink(missing_ok=True)
    monkeypatch.chdir(tmp_path)
    done = run("generate")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.endswith("wrote generated/mig_protocol and spec/SURFACE.txt\n")
    assert (tmp_path / "generated/mig_protocol/messages.py").is_file()
    assert "error MIG_TIMEOUT http 504\n" in (spec / "SURFACE.txt").read_text()


def test_a_spec_that_is_refused_generates_nothing(tmp_path: Path) -> None:
    spec = copy_spec(tmp_path)
    (spec / "SURFACE.txt").unlink(missing_ok=True)
    replace(spec / "registry/errors.yaml", "grpc: DEADLINE_EXCEEDED", "grpc: TOO_LATE")
    done = run("generate", "--spec", str(spec), "--out", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert not (tmp_path / "out").exists()
    assert not (spec / "SURFACE.txt").exists()
