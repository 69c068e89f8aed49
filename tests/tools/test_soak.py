"""`python -m tools.soak`: it runs, counts, and says what is not as it should be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tools.soak.kind import Kind
from tools.soak.kinds import KINDS
from tools.soak.verdict import Life, Reading
from tools.soak.work import Tally

ROOT = Path(__file__).parents[2]
STREAM = next(kind for kind in KINDS if kind.name == "stream")
READING = Reading(rss=60_000_000, files=20, threads=4)


def soak(*arguments: str) -> tuple[int, str]:
    """Status and output of a run."""
    ran = subprocess.run(
        [sys.executable, "-m", "tools.soak", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.stderr == ""
    return ran.returncode, ran.stdout


def tallied(*outcomes: str, kind: Kind = STREAM) -> Tally:
    tally = Tally()
    for outcome in outcomes:
        tally.add(kind, outcome)
    return tally


LIFE = Life(
    tally=tallied("response", "response"),
    wanted=2,
    idle=READING,
    warm=READING,
    full=READING,
    left=READING,
    usage={"by tenant": 2, "total": 2},
    most_growth_mb=1.0,
)


def test_a_short_life_is_as_it_should_be() -> None:
    status, said = soak("--operations", "3000", "--seconds", "60")
    assert "3,000 operations, 0 unexpected" in said
    assert (status, said.splitlines()[-1]) == (0, "all as it should be")
    for kind in KINDS:
        assert kind.name in said


def test_a_life_that_is_cut_off_is_not() -> None:
    status, said = soak("--operations", "100", "--seconds", "0")
    assert "FAULT only 0 of 100 operations were done" in said
    assert (status, said.splitlines()[-1]) == (1, "not as it should be")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda life: life, ""),
        (lambda life: replace(life, tally=tallied("response", "late")), "1 unexpected: stream: late"),
        (lambda life: replace(life, wanted=3), "only 2 of 3 operations"),
        (lambda life: replace(life, full=replace(READING, rss=61_200_000)), "memory grew by 1.2 MB"),
        (lambda life: replace(life, left=replace(READING, files=23)), "3 files more are open"),
        (lambda life: replace(life, left=replace(READING, threads=6)), "2 threads more are there"),
        (lambda life: replace(life, usage={"by tenant": 2, "total": 1}), "2 invocations ran, and the usage"),
    ],
)
def test_each_thing_that_is_not_as_it_should_be_is_named(change: Callable[[Life], Life], fault: str) -> None:
    faults = list(change(LIFE).faults())
    assert any(found.startswith(fault) for found in faults) if fault else faults == []
