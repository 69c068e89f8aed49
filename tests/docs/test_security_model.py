"""docs/SECURITY-MODEL.md: every boundary has threats, tests that hold them off, and a rest."""

from __future__ import annotations

import re

import pytest

from support.document_blocks import ROOT
from support.named_tests import named_tests, section

DOCUMENT = (ROOT / "docs" / "SECURITY-MODEL.md").read_text()
BOUNDARIES = re.findall(r"^\| \[([^\]]+)\]\(#", section(DOCUMENT, "The boundaries"), re.MULTILINE)


def threats(boundary: str) -> list[list[str]]:
    """The rows of its table: threat, defence, tests."""
    lines = section(DOCUMENT, boundary).splitlines()
    rows = [line.strip("|").split(" | ") for line in lines if line.startswith("|")]
    assert [cell.strip() for cell in rows[0]] == ["threat", "defence", "held by"]
    return rows[2:]


def test_every_section_with_threats_is_a_boundary_and_drawn() -> None:
    headings = re.findall(r"^## (.+)$", DOCUMENT, re.MULTILINE)
    assert [each for each in headings if "| threat |" in section(DOCUMENT, each)] == BOUNDARIES
    drawing = section(DOCUMENT, "The boundaries").partition("```text example")[2].partition("```")[0]
    assert [each for each in BOUNDARIES if not re.search(rf"\d {each}\b", drawing)] == []


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_boundary_says_of_every_threat_what_holds_it_and_what_is_not_defended(boundary: str) -> None:
    rows = threats(boundary)
    assert len(rows) > 2
    for row in rows:
        threat, defence, held_by = (cell.strip() for cell in row)
        assert threat
        assert defence
        assert named_tests(held_by), f"nothing holds: {threat}"
    assert re.search(r"^Not defended:\n\n- ", section(DOCUMENT, boundary), re.MULTILINE)
