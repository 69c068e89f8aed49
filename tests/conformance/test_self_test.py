"""The self-test finds what is wrong with a suite: it can fail, and says why."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import psutil
import pytest
from jsonschema import Draft202012Validator

from mig_conformance.checks.load import every_check
from mig_conformance.drivers.port import BINDINGS
from mig_conformance.running.links import Links
from mig_conformance.running.session import Session
from mig_conformance.selfproof.command import command, status_of
from mig_conformance.selfproof.judge import Judge
from mig_conformance.selfproof.load import MutantError, load_mutants
from mig_conformance.selfproof.matrix import matrix_of, matrix_schema, schema_of_model, to_json
from mig_conformance.selfproof.page import to_page
from mig_conformance.selfproof.proof import Proof
from mig_conformance.selfproof.selection import Chosen
from mig_conformance.subject.subject import AuthMode
from mig_protocol.requirements import REQUIREMENTS
from support.nats_servers import NatsServer, running_nats
from support.right_server import right_server

ON_ALL = "invoke/unknown-capability"
LIVE = "subscribe/live"
DEADLINE = "invoke/deadline-exceeded"


@asynccontextmanager
async def session_of(nats_server: NatsServer, **environ: str) -> AsyncIterator[Session]:
    async with right_server(nats_server, **environ) as (subject, _), Links(subject) as links:
        yield Session(subject=subject, links=links, restart=None)


def chosen(folder: Path, *rows: dict[str, Any], checks: tuple[str, ...] = (ON_ALL,)) -> Chosen:
    """Mutants made of these members, against these checks."""
    defaults = {"title": "Something is wrong.", "breaks": "MIG-INV-002", "killed_by": [ON_ALL]}
    mutants = [{"id": f"mutant-{number}", **defaults, **row} for number, row in enumerate(rows)]
    (folder / "test.yaml").write_text(json.dumps({"area": "test", "mutants": mutants}))
    every = [check for check in every_check() if check.id in checks]
    requirements = [row.id for row in REQUIREMENTS]
    return Chosen(checks=every, mutants=load_mutants([each.id for each in every], requirements, folder))


async def proved(
    nats_server: NatsServer, tmp_path: Path, about: Chosen, subject: Mapping[str, Any] | None = None
) -> Proof:
    @asynccontextmanager
    async def further(_mode: AuthMode, env: Mapping[str, str]) -> AsyncIterator[Session]:
        # Two gateways at one NATS server would share the requests between them.
        with running_nats(tmp_path / "further") as own_server:
            async with session_of(own_server, **env) as session:
                yield session

    async with session_of(nats_server) as session:
        changed = replace(session, subject=replace(session.subject, **(subject or {})))
        return await Judge({"none": changed}, further, str).prove(about)


def change(at: str, *do: Mapping[str, Any], **further: Any) -> dict[str, Any]:
    return {"changes": [{"at": at, "do": list(do), **further}]}


async def test_a_mutant_of_each_kind_is_found_on_every_binding_that_its_check_runs_on(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    about = chosen(
        tmp_path,
        change("answer", {"set": {"/error/code": "MIG_NOT_FOUND"}}, when={"/error": {}}),
        change("answer", {"set": {"/error/retryable": True}}, when={"/error": {}}),
        change("request", {"set": {"/capability": "observatory.models.infer"}}, of=["INVOKE"]),
        change(
            "request", {"answer": {"error": {"code": "MIG_INTERNAL", "message": "x", "retryable": False}}}
        ),
        {"killed_by": [LIVE], **change("event", {"drop": True}, nth=1)},
        {"killed_by": [LIVE], **change("event", {"twice": True}, nth=1)},
        {"killed_by": [LIVE], **change("event", {"swap": True}, nth=1)},
        {"killed_by": [DEADLINE], "env": {"MIGD_CONFORMANCE_FIXTURE": "false"}},
        checks=(ON_ALL, LIVE, DEADLINE),
    )
    proof = await proved(nats_server, tmp_path, about)
    assert list(proof.faults()) == []
    assert {attempt.result.binding for attempt in proof.attempts} == set(BINDINGS)
    assert status_of(proof) == 0
    assert proof.summary() == "8 mutants, all killed; 10 checks, each red under at least one"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (change("answer", {"set": {"/header/meta/extra": 1}}), "the check did not notice"),
        (change("answer", {"remove": "/error"}, of=["HEARTBEAT"]), "changed nothing that this check sent"),
        (change("answer", {"set": {"/error/code": "x"}}, when={"status": 599}), "changed nothing that this"),
    ],
)
async def test_a_mutant_that_no_check_finds_is_told(
    nats_server: NatsServer, tmp_path: Path, row: dict[str, Any], says: str
) -> None:
    proof = await proved(nats_server, tmp_path, chosen(tmp_path, row))
    faults = list(proof.faults())
    assert faults[0].startswith(f"test.yaml:1: test/mutant-0 survived {ON_ALL}@")
    assert says in faults[0]
    assert f"{ON_ALL}@grpc is red under no mutant" in faults
    assert status_of(proof) == 1


async def test_a_check_that_only_some_bindings_prove_is_told_for_the_others(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    row = {"bindings": ["http", "nats"], **change("answer", {"set": {"/error/code": "MIG_NOT_FOUND"}})}
    proof = await proved(nats_server, tmp_path, chosen(tmp_path, row))
    assert list(proof.faults()) == [
        f"{ON_ALL}@{name} is red under no mutant" for name in ("websocket", "grpc")
    ]


async def test_a_right_server_that_is_not_green_is_told(nats_server: NatsServer, tmp_path: Path) -> None:
    row = change("answer", {"set": {"/error/code": "MIG_NOT_FOUND"}})
    proof = await proved(nats_server, tmp_path, chosen(tmp_path, row), {"tenant": "x" * 65})
    assert any(f"right server (none): {ON_ALL}@http failed" in fault for fault in proof.faults())
    assert status_of(proof) == 1


async def test_what_no_server_can_be_judged_by_is_not_green(nats_server: NatsServer, tmp_path: Path) -> None:
    proof = await proved(nats_server, tmp_path, chosen(tmp_path, checks=(LIVE,)), {"features": frozenset()})
    assert any("right server (none): subscribe/live@sse not applicable" in fault for fault in proof.faults())


async def test_a_mutant_that_can_not_be_made_is_a_fault_of_the_suite(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    row = change("answer", {"add": {"/error/code": 1}})
    proof = await proved(nats_server, tmp_path, chosen(tmp_path, row))
    assert "harness fault: test/mutant-0: add" in next(proof.faults())
    assert status_of(proof) == 3


async def test_a_check_that_can_not_run_against_its_mutant_is_refused(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    row = {"bindings": ["nats"], "killed_by": [LIVE], **change("event", {"drop": True})}
    with pytest.raises(
        MutantError, match=r"test\.yaml:1: subscribe/live runs on none of nats in the mode none"
    ):
        await proved(nats_server, tmp_path, chosen(tmp_path, row, checks=(LIVE,)))


async def test_the_kill_matrix_is_json_of_its_schema_and_a_page(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    rows = [
        change("answer", {"set": {"/error/code": "MIG_NOT_FOUND"}}),
        {"title": "<script>", **change("answer", {"set": {"/header/meta/extra": 1}})},
    ]
    proof = await proved(nats_server, tmp_path, chosen(tmp_path, *rows))
    matrix = matrix_of(proof, began="2026-01-02T00:00:00Z", seconds=1.5)
    assert matrix_schema() == schema_of_model()
    assert not list(Draft202012Validator(matrix_schema()).iter_errors(json.loads(to_json(matrix))))
    assert [row.killed for row in matrix.mutants] == [True, False]
    assert [row.killers for row in matrix.checks] == [("test/mutant-0",)] * 4
    page = to_page(matrix)
    assert "not proven" in page
    assert "<script" not in page


def test_the_command_proves_what_it_is_asked_about_and_leaves_nothing_running(tmp_path: Path) -> None:
    files = ("--json", str(tmp_path / "matrix.json"), "--html", str(tmp_path / "matrix.html"))
    done = subprocess.run(
        [sys.executable, "-m", "mig_conformance", "self-test", "--only", "errors/no-envelope", *files],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.fullmatch(r"\d+ mutants, all killed; \d+ checks, each red under at least one\n", done.stdout)
    assert json.loads((tmp_path / "matrix.json").read_text())["holds"] is True
    assert "proven" in (tmp_path / "matrix.html").read_text()
    assert sorted(left.name for left in tmp_path.iterdir()) == ["matrix.html", "matrix.json"]
    assert [process for process in psutil.process_iter() if keeps_data_in(process, tmp_path)] == []


def keeps_data_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.environ().get("MIGD_DATA_DIR", "").startswith(str(folder))
    except psutil.Error:
        return False


def test_a_pattern_that_matches_nothing_is_a_mistake_of_the_user() -> None:
    with pytest.raises(click.UsageError, match="--only: 'no/such' matches no"):
        command.main(["--only", "no/such"], standalone_mode=False)
