"""The linker refuses requirements that no check of the suite covers or explains, and checks of nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from mig_codegen.cli import main
from mig_codegen.link import link
from mig_codegen.load import load
from mig_codegen.model import Requirement
from mig_codegen.surface import surface
from support.broken_spec import SPEC, copy_spec, problems

ROWS = "spec/requirements/zzz.yaml"
CASES = "conformance/mig_conformance/cases/greeting.yaml"

ROW = """\
requirements:
  - id: MIG-ZZZ-001
    level: MUST
    text: A greeting is returned.
    source: section 1
    profile: core
    bindings: [http, nats]
    checks: [greeting/returned]
"""
CASE = """\
area: greeting
cases:
  - id: returned
    title: A greeting is returned.
    bindings: [http, nats]
    send: {message: !any , to: !regex "^[a-z]+$"}
    expect: !each [{code: !one-of [1, 2]}]
"""


def spec_and_suite(folder: Path, rows: str, cases: str) -> tuple[Path, Path]:
    """A spec folder of which only these rows are not excluded, and a suite of these cases."""
    spec = copy_spec(folder)
    for path in (spec / "requirements").glob("*.yaml"):
        document = yaml.safe_load(path.read_text())
        for row in document["requirements"]:
            row.pop("checks", None)
            row.pop("unchecked", None)
            row["excluded"] = "it is not what these tests are about"
        path.write_text(yaml.safe_dump(document))
    (folder / ROWS).write_text(rows)
    (folder / CASES).parent.mkdir(parents=True)
    (folder / CASES).write_text(cases)
    return spec, (folder / CASES).parent


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """Replace `old` by `new` in the row or in the case, and be told `says`, and nothing else.

    `line` is that of the row's or the case's file, whichever `told_in` names.
    """

    name: str
    old: str
    new: str
    told_in: str
    line: int
    says: str


MISTAKES = [
    Mistake(
        name="a MUST without checks or reason",
        old="    checks: [greeting/returned]\n",
        new="  - {id: MIG-ZZZ-002, level: MAY, text: It is., source: x, profile: core, bindings: [http], "
        "checks: [greeting/returned]}\n",
        told_in=ROWS,
        line=2,
        says="MIG-ZZZ-001 is a MUST that no check covers; "
        'add checks: [area/name], or say why there can be none: excluded: "reason"',
    ),
    Mistake(
        name="a check that no row names",
        old="cases:\n",
        new="cases:\n  - {id: shouted, bindings: [http]}\n",
        told_in=CASES,
        line=3,
        says="no requirement names the check greeting/shouted; "
        "add it to the row of spec/requirements that it covers",
    ),
    Mistake(
        name="a check that does not exist",
        old="[greeting/returned]",
        new="[greeting/returned, parting/returned]",
        told_in=ROWS,
        line=8,
        says="MIG-ZZZ-001 names the check 'parting/returned', which does not exist; correct the name, "
        "or add the case to conformance/mig_conformance/cases/parting.yaml",
    ),
    Mistake(
        name="a check of other bindings",
        old="    bindings: [http, nats]\n    send",
        new="    bindings: [grpc]\n    send",
        told_in=ROWS,
        line=8,
        says="MIG-ZZZ-001 names the check 'greeting/returned', which runs on none of its bindings; "
        "remove it, or correct the bindings of one of the two",
    ),
    Mistake(
        name="a binding that no check covers",
        old="    bindings: [http, nats]\n    send",
        new="    bindings: [http, websocket]\n    send",
        told_in=ROWS,
        line=7,
        says="none of the checks of MIG-ZZZ-001 runs on nats; "
        'add one that does, or say why there is none: unchecked: {nats: "reason"}',
    ),
    Mistake(
        name="a reason for a binding that a check covers",
        old="    checks: ",
        new="    unchecked: {nats: no server here has it}\n    checks: ",
        told_in=ROWS,
        line=8,
        says="MIG-ZZZ-001 explains why nats is unchecked, and greeting/returned checks it; remove the reason",
    ),
    Mistake(
        name="a reason for a binding that the row has not",
        old="    checks: ",
        new="    unchecked:\n      mcp: no server here has it\n    checks: ",
        told_in=ROWS,
        line=9,
        says="MIG-ZZZ-001 explains why mcp is unchecked, which is none of its bindings; remove the reason",
    ),
    Mistake(
        name="checks and a reason for having none",
        old="    checks: ",
        new="    excluded: nobody can see it\n    checks: ",
        told_in=ROWS,
        line=8,
        says="MIG-ZZZ-001 names checks and is excluded; keep one of the two",
    ),
    Mistake(
        name="a check's id twice",
        old="cases:\n",
        new="cases:\n  - {id: returned, bindings: [nats, http]}\n",
        told_in=CASES,
        line=4,
        says=f"the id 'returned' is also that of {CASES}:3; give one of them another",
    ),
    Mistake(
        name="a binding that does not exist",
        old="    bindings: [http, nats]\n    send",
        new="    bindings: [http, nats, carrier-pigeon]\n    send",
        told_in=CASES,
        line=5,
        says="returned names the bindings 'carrier-pigeon', which does not exist; "
        "write one of grpc, http, nats, sse, websocket",
    ),
    Mistake(
        name="a case without an id",
        old="  - id: returned\n",
        new="  - note: returned\n",
        told_in=CASES,
        line=3,
        says="cases.0: 'id' is a required property; write the row as the others are",
    ),
    Mistake(
        name="a check's id that no name can have",
        old="[greeting/returned]",
        new="[greeting/returned@nats]",
        told_in=ROWS,
        line=8,
        says="requirements.0.checks.0: 'greeting/returned@nats' does not match "
        "'^[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*$'; write the row as the others are",
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_what_is_not_covered_or_covers_nothing_is_refused_with_its_line(
    mistake: Mistake, tmp_path: Path
) -> None:
    assert (ROW + CASE).count(mistake.old) == 1
    rows, cases = (text.replace(mistake.old, mistake.new) for text in (ROW, CASE))
    spec, suite = spec_and_suite(tmp_path, rows, cases)
    assert problems(spec, suite) == [f"{mistake.told_in}:{mistake.line}: {mistake.says}"]


def test_an_area_that_is_not_the_name_of_its_file_is_refused(tmp_path: Path) -> None:
    spec, suite = spec_and_suite(
        tmp_path, ROW.replace("greeting/", "hello/"), CASE.replace("area: greeting", "area: hello")
    )
    assert problems(spec, suite) == [
        f"{CASES}:1: the area 'hello' does not go with the file name; name the file hello.yaml"
    ]


def test_reasons_for_single_bindings_belong_to_checks(tmp_path: Path) -> None:
    rows = ROW.replace("checks: [greeting/returned]", "unchecked: {nats: why}\n    excluded: why")
    spec, _ = spec_and_suite(tmp_path, rows, CASE)
    assert problems(spec) == [
        f"{ROWS}:8: MIG-ZZZ-001 has unchecked bindings and no checks; "
        "name the checks of its other bindings, or write the reason as excluded"
    ]


def test_a_suite_without_cases_is_refused(tmp_path: Path) -> None:
    spec, suite = spec_and_suite(tmp_path, ROW, CASE)
    (tmp_path / CASES).unlink()
    assert problems(spec, suite) == [
        "conformance/mig_conformance/cases:1: no .yaml file in this folder; restore it from version control"
    ]


def linked_row(spec: Path, suite: Path) -> Requirement:
    """The row of these tests as the linked model has it."""
    return next(row for row in link(load(spec, cases=suite)).requirements if row.id == "MIG-ZZZ-001")


def test_a_covered_requirement_has_its_checks_in_the_model(tmp_path: Path) -> None:
    row = linked_row(*spec_and_suite(tmp_path, ROW, CASE))
    assert (row.checks, row.excluded, row.unchecked) == (("greeting/returned",), None, {})


def test_a_binding_may_be_unchecked_with_a_reason(tmp_path: Path) -> None:
    rows = ROW.replace("    checks:", "    unchecked: {nats: no server has it}\n    checks:")
    row = linked_row(*spec_and_suite(tmp_path, rows, CASE.replace("[http, nats]", "[http]")))
    assert row.unchecked == {"nats": "no server has it"}


def test_server_sent_events_cover_http(tmp_path: Path) -> None:
    cases = CASE.replace("[http, nats]", "[sse, nats]")
    assert problems(*spec_and_suite(tmp_path, ROW, cases)) == []


def test_a_may_needs_neither_checks_nor_a_reason(tmp_path: Path) -> None:
    optional = "  - {id: MIG-ZZZ-002, level: MAY, text: It is., source: x, profile: core, bindings: [http]}\n"
    assert problems(*spec_and_suite(tmp_path, ROW + optional, CASE)) == []


def test_what_covers_a_requirement_is_no_part_of_the_protocol(tmp_path: Path) -> None:
    spec, suite = spec_and_suite(tmp_path, ROW, CASE)
    covered = load(spec, cases=suite)
    (tmp_path / ROWS).write_text(ROW.replace("checks: [greeting/returned]", "excluded: nobody can see it"))
    excluded = load(spec)
    assert covered.hash == excluded.hash
    assert surface(link(covered)) == surface(link(excluded))
    (tmp_path / ROWS).write_text(ROW.replace("is returned", "is never returned"))
    assert load(spec).hash != excluded.hash


def test_the_command_tells_what_is_uncovered_as_seen_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = CASE.replace("cases:\n", "cases:\n  - {id: shouted, bindings: [http]}\n")
    _, suite = spec_and_suite(tmp_path, ROW, cases)
    for folder, options, told in ((suite, ("--cases", "."), "./greeting.yaml"), (tmp_path, (), CASES)):
        monkeypatch.chdir(folder)
        done = CliRunner().invoke(main, ["check", *options], catch_exceptions=False)
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.startswith(f"{told}:3: no requirement names the check greeting/shouted; ")


def test_the_spec_alone_links_without_the_suite() -> None:
    assert load(SPEC).cases == ()
    assert problems(SPEC) == []
