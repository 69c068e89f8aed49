"""A file of mutants that is wrong is refused, with the line of the mutant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mig_conformance.checks.load import every_check
from mig_conformance.selfproof.load import MutantError, load_mutants
from mig_protocol.requirements import REQUIREMENTS

RIGHT = {
    "id": "a-mutant",
    "title": "Something is wrong.",
    "breaks": "MIG-INV-002",
    "killed_by": ["invoke/unknown-capability"],
    "changes": [{"at": "answer", "of": ["INVOKE"], "do": [{"remove": "/error"}]}],
}
CHANGE: dict[str, Any] = {"at": "answer", "do": [{"remove": "/error"}]}


def load(folder: Path, *rows: dict[str, Any], name: str = "invoke.yaml") -> int:
    (folder / name).write_text("# first line\n" + yaml.safe_dump({"area": "invoke", "mutants": list(rows)}))
    return len(load_mutants(["invoke/unknown-capability"], ["MIG-INV-002"], folder))


def test_a_mutant_is_read(tmp_path: Path) -> None:
    assert load(tmp_path, RIGHT, {**RIGHT, "id": "another"}) == 2


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"killed_by": ["invoke/no-such-check"]}, "invoke/no-such-check: no check"),
        ({"breaks": "MIG-INV-999"}, "MIG-INV-999: no requirement"),
        ({"bindings": ["smtp"]}, "smtp: no binding"),
        ({"mode": "basic"}, "basic: no mode"),
        ({"kills": []}, "kills: no member of a mutant"),
        ({"title": ""}, "a mutant has to have title"),
        ({"killed_by": []}, "a mutant has to have killed_by"),
        ({"env": {"MIGD_STORE": "memory"}}, "either changes or env"),
        ({"changes": [{**CHANGE, "at": "lunch"}]}, "lunch: no stage"),
        ({"changes": [{**CHANGE, "of": ["DANCE"]}]}, "DANCE: no operation"),
        ({"changes": [{**CHANGE, "do": [{"explode": True}]}]}, "explode: no edit"),
        ({"changes": [{**CHANGE, "unless": {}}]}, "unless: no member of a change"),
        ({"changes": [{"at": "answer"}]}, "a change has to have at and do"),
        ({"id": "first"}, "invoke/first: a mutant of that id stands before"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, wrong: dict[str, Any], says: str) -> None:
    rows = [{**RIGHT, "id": "first"}, {**RIGHT, **wrong}]
    with pytest.raises(MutantError) as refused:
        load(tmp_path, *rows)
    written = (tmp_path / "invoke.yaml").read_text().splitlines()
    second = [number for number, line in enumerate(written, 1) if line.startswith("- ")][1]
    assert str(refused.value).startswith(f"invoke.yaml:{second}: ")
    assert says in str(refused.value)


def test_a_file_has_the_name_of_its_area(tmp_path: Path) -> None:
    with pytest.raises(MutantError, match=r"streams\.yaml: its area is 'invoke'"):
        load(tmp_path, RIGHT, name="streams.yaml")


def test_a_file_that_is_no_yaml_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "invoke.yaml").write_text("area: [")
    with pytest.raises(MutantError, match=r"invoke\.yaml: "):
        load_mutants([], [], tmp_path)


def test_the_packaged_mutants_are_right_and_at_least_forty() -> None:
    checks = [check.id for check in every_check()]
    assert len(load_mutants(checks, [row.id for row in REQUIREMENTS])) >= 40
