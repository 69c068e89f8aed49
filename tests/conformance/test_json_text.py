"""What is JSON for the suite: RFC 8259, and not what Python makes of it."""

from __future__ import annotations

import pytest

from mig_conformance.drivers.json_text import read_json


@pytest.mark.parametrize("text", ['{"a": [1, 2.5, null, true]}', "7", b'"Gr\xc3\xbc\xc3\x9fe"'])
def test_what_the_rfc_has_is_read(text: str | bytes) -> None:
    assert read_json(text) in ({"a": [1, 2.5, None, True]}, 7, "Grüße")


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        '{"n": -Infinity}',
        "[" * 100_000,
        b'"\xff"',
        '{"a": 1}'.encode("utf-16"),
        "{} {}",
        "",
    ],
)
def test_what_it_has_not_is_no_json(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_json(text)
