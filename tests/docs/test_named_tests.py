"""The tests that documents name are there."""

from __future__ import annotations

import pytest

from support.document_blocks import ROOT
from support.named_tests import NamedTest, named_tests

DOCUMENTS = {name: (ROOT / "docs" / name).read_text() for name in ("GUARANTEES.md", "SECURITY-MODEL.md")}


@pytest.mark.parametrize(
    "test", sorted({test for text in DOCUMENTS.values() for test in named_tests(text)}), ids=str
)
def test_a_test_that_is_named_exists(test: NamedTest) -> None:
    assert test.exists()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_everything_that_looks_like_a_test_is_read_as_one(document: str) -> None:
    assert DOCUMENTS[document].count("tests/") == len(named_tests(DOCUMENTS[document]))


def test_a_test_that_is_not_there_is_noticed() -> None:
    assert not NamedTest("tests/docs/test_named_tests.py", "test_of_nothing").exists()
    assert not NamedTest("tests/docs/test_nothing.py", "test_of_nothing").exists()
