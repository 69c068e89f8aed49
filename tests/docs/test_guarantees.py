"""docs/GUARANTEES.md: every guarantee says what it is not, and which tests hold it."""

from __future__ import annotations

import pytest

from support.document_blocks import ROOT
from support.named_tests import named_tests, section

DOCUMENT = (ROOT / "docs" / "GUARANTEES.md").read_text()
GUARANTEES = ("Ordered", "Unique", "Durable", "Resumable", "Tenant-isolated", "Terminal-once")


@pytest.mark.parametrize("guarantee", GUARANTEES)
def test_a_guarantee_says_what_is_not_promised_and_which_tests_hold_it(guarantee: str) -> None:
    text = section(DOCUMENT, guarantee)
    assert "Not promised:" in text
    assert len(named_tests(text)) > 1
