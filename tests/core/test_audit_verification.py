"""Verifying a trail: which line is the first that is not as it was written."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migd.core.audit import Chain, hash_of
from migd.core.audit_verification import BrokenTrailError, Verification
from support.audit_trail import record, verified

Lines = list[bytes]


def trail(count: int = 6) -> Lines:
    chain = Chain()
    return [chain.seal(record(f"m-{number}").text) for number in range(1, count + 1)]


def broken(lines: Lines, **options: str | bool) -> str:
    with pytest.raises(BrokenTrailError) as caught:
        verified(lines, **options)
    return str(caught.value)


def changed(line: bytes) -> bytes:
    return line.replace(b"success", b"MIG_TIMEOUT")


def test_a_whole_trail_is_told_in_one_line() -> None:
    lines = trail()
    assert verified(lines) == f"6 records, 1 to 6, last hash {hash_of(lines[-1])}"
    assert verified([]) == "no records"


def test_a_trail_that_begins_in_the_middle_says_after_which_hash() -> None:
    lines = trail()
    assert verified(lines[2:]) == (
        f"4 records, 3 to 6 after {hash_of(lines[1])}, last hash {hash_of(lines[-1])}"
    )


def _swap(lines: Lines) -> Lines:
    return [*lines[:2], lines[3], lines[2], *lines[4:]]


def _sequence(lines: Lines) -> Lines:
    return [*lines[:2], lines[2].replace(b'"sequence":3', b'"sequence":9'), *lines[3:]]


def _previous(lines: Lines) -> Lines:
    return [*lines[:2], lines[2].replace(hash_of(lines[1]).encode(), b"f" * 64), *lines[3:]]


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (lambda t: [*t[:2], changed(t[2]), *t[3:]], "lines:3: record 3 was changed"),
        (lambda t: [changed(t[0]), *t[1:]], "lines:1: record 1 was changed"),
        (lambda t: [*t[:4], changed(t[4]), t[5]], "lines:5: record 5 was changed"),
        (lambda t: [*t[:2], t[2].replace(b"{", b"{ ", 1), *t[3:]], "lines:3: record 3 was changed"),
        (_previous, "lines:3: record 3 was changed"),
        (_sequence, "lines:3: the record was changed: it follows 2 and says that it is 9"),
        (lambda t: [*t[:2], *t[3:]], "lines:3: record 3 is missing before record 4"),
        (lambda t: [*t[:1], *t[4:]], "lines:2: records 2 to 4 are missing before record 5"),
        (_swap, "lines:3: out of order: record 4 is where 3 belongs, which is at lines:4"),
        (
            lambda t: [*t[:1], *t[2:], t[1]],
            "lines:2: out of order: record 3 is where 2 belongs, which is at lines:6",
        ),
        (lambda t: [*t[:4], t[1], *t[4:]], "lines:5: out of order: record 2 after 4"),
        (lambda t: [*t[:3], t[2], *t[3:]], "lines:4: out of order: record 3 after 3"),
        (lambda t: [*t[:2], b"", *t[2:]], "lines:3: the line is no JSON record: it was changed"),
        (lambda t: [*t[:2], b'{"actor":"al', *t[3:]], "lines:3: the line is no JSON record: it was changed"),
        (lambda t: [*t[:2], b"\xff\xfe", *t[3:]], "lines:3: the line is no JSON record: it was changed"),
        (
            lambda t: [*t[:2], b'{"actor":"a"}', *t[2:]],
            "lines:3: the record is in no chain: it was added or changed",
        ),
        (
            lambda t: [*t, *trail(2)],
            "lines:7: a new chain begins after record 6: nothing says what came between them",
        ),
        (lambda t: [*t[:1], *t[2:4], b"{"], "lines:2: record 2 is missing before record 3"),
        (lambda t: [*t[:1], changed(t[1]), t[2], b"{"], "lines:2: record 2 was changed"),
    ],
)
def test_the_first_line_at_fault_is_named_with_what_is_wrong(
    tamper: Callable[[Lines], Lines], said: str
) -> None:
    assert broken(tamper(trail())) == said


def test_a_line_without_its_end_is_truncated() -> None:
    verification = Verification()
    with pytest.raises(BrokenTrailError, match=r"^f:1: the line is truncated$"):
        verification.feed("f:1", trail()[0])


def test_a_noted_hash_shows_that_the_end_was_cut_off_and_lets_the_trail_grow() -> None:
    lines = trail()
    assert verified(lines, expected=hash_of(lines[3])).startswith("6 records")
    assert verified(lines[2:], expected=hash_of(lines[1])).startswith("4 records")
    assert broken(lines[:3], expected=hash_of(lines[3])) == (
        f"lines:3: no line has the hash {hash_of(lines[3])}: the trail was cut off or written anew"
    )
    assert "written anew" in broken([changed(lines[-1])], expected=hash_of(lines[-1]))


def test_an_export_with_filters_is_checked_as_far_as_it_can_be() -> None:
    lines = trail()
    assert verified([lines[0], lines[2], lines[3], lines[5]], partial=True).startswith("4 records, 1 to 6")
    assert broken([lines[0], lines[3], lines[2]], partial=True) == "lines:3: out of order: record 3 after 4"
    assert broken([lines[0], changed(lines[2]), lines[3]], partial=True) == "lines:2: record 3 was changed"


@given(st.data())
def test_no_change_of_a_byte_before_the_last_line_goes_unseen(data: st.DataObject) -> None:
    lines = trail(4)
    row = data.draw(st.integers(0, 2))
    column = data.draw(st.integers(0, len(lines[row]) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda value: value != lines[row][column]))
    spoilt = bytearray(lines[row])
    spoilt[column] = other
    # A byte that ends a line makes two lines of one, which the reader of a file would give one by one.
    given_lines = [
        part for n, line in enumerate(lines) for part in (bytes(spoilt).split(b"\n") if n == row else [line])
    ]
    said = broken(given_lines)
    assert said.startswith((f"lines:{row + 1}:", f"lines:{row + 2}:"))
