"""Whether the lines of an audit trail are those that were written (docs/USER-GUIDE.md, "Verifying it").

A line is judged by its own bytes and by what the next one says of them: each carries the hash of the one
before. So a verdict on a line may need its successor, and one on a gap everything that follows.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from migd.core.audit import NO_LINE, hash_of


class BrokenTrailError(Exception):
    """The trail is not as it was written. Its text names the first line at fault, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A record of a chain, as far as the chain is concerned."""

    place: str
    sequence: int
    previous_hash: str
    hash: str


class _Sealed(msgspec.Struct):
    sequence: int = 0
    previous_hash: str = ""


_decode = msgspec.json.Decoder(_Sealed).decode


class Verification:
    """Feed it every line in order, then ask for the `summary`. Both raise BrokenTrailError.

    `expected` is the hash of a line that has to be there, such as a head that was noted: it shows a trail
    that was cut off or written anew. `partial` is for an export with filters, which has gaps by its nature:
    what can be checked then is the order, and every two records that were neighbours.
    """

    def __init__(self, *, expected: str | None = None, partial: bool = False) -> None:
        self._expected = expected
        self._partial = partial
        self._seen = expected is None
        self._records = 0
        self._before = 0
        self._before_hash = ""
        self._first: _Line | None = None
        self._last: _Line | None = None
        self._suspect: _Line | None = None
        self._gap: tuple[_Line, int] | None = None

    def feed(self, place: str, line: bytes) -> None:
        """`place` names the line for people, such as file:line; `line` ends with its newline."""
        if not line.endswith(b"\n"):
            self._conclude()
            raise BrokenTrailError(f"{place}: the line is truncated")
        text = line[:-1]
        try:
            sealed = _decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._conclude()
            raise BrokenTrailError(f"{place}: the line is no JSON record: it was changed") from None
        self._seen = self._seen or hash_of(text) == self._expected
        if sealed.sequence:
            self._sealed(_Line(place, sealed.sequence, sealed.previous_hash, hash_of(text)))
        elif self._last is None:
            self._before += 1
            self._before_hash = hash_of(text)
        else:
            self._conclude()
            raise BrokenTrailError(f"{place}: the record is in no chain: it was added or changed")

    def summary(self) -> str:
        """One line about a trail that is whole."""
        self._conclude()
        if not self._seen:
            raise BrokenTrailError(
                f"{self._last.place if self._last else 'the input'}: no line has the hash {self._expected}: "
                "the trail was cut off or written anew"
            )
        words = f"; {_counted(self._before, 'line')} before it in no chain" if self._before else ""
        if self._first is None or self._last is None:
            return f"no records{words}"
        start = "" if self._first.previous_hash == NO_LINE.hash else f" after {self._first.previous_hash}"
        return (
            f"{_counted(self._records, 'record')}, {self._first.sequence} to {self._last.sequence}{start}, "
            f"last hash {self._last.hash}{words}"
        )

    def _sealed(self, line: _Line) -> None:
        if self._gap is not None:
            self._look_for_missing(line, *self._gap)
            return
        self._blame_suspect(line)
        last = self._last
        if last is None:
            self._check_start(line)
        elif line.sequence != last.sequence + 1:
            self._check_order(last, line)
        elif line.previous_hash != last.hash:
            # Either this line was changed or the one before it: the next line knows.
            self._suspect = last
        if self._gap is None:
            self._records += 1
            self._first = self._first or line
            self._last = line

    def _conclude(self) -> None:
        """Say what is wrong so far: nothing that follows can change the verdict."""
        self._end_gap()
        self._blame_suspect(None)

    def _check_start(self, line: _Line) -> None:
        self._seen = self._seen or line.previous_hash == self._expected
        if self._before and line.previous_hash != self._before_hash:
            raise BrokenTrailError(
                f"{line.place}: the chain does not begin at the line before: one was changed"
            )

    def _check_order(self, last: _Line, line: _Line) -> None:
        if line.previous_hash == last.hash:
            raise BrokenTrailError(
                f"{line.place}: the record was changed: it follows {last.sequence} "
                f"and says that it is {line.sequence}"
            )
        if line.sequence == 1 and line.previous_hash == NO_LINE.hash:
            raise BrokenTrailError(
                f"{line.place}: a new chain begins after record {last.sequence}: "
                "nothing says what came between them"
            )
        if line.sequence <= last.sequence:
            raise BrokenTrailError(
                f"{line.place}: out of order: record {line.sequence} after {last.sequence}"
            )
        if not self._partial:
            self._gap = line, last.sequence + 1

    def _look_for_missing(self, line: _Line, found: _Line, missing: int) -> None:
        if line.sequence == missing:
            raise BrokenTrailError(
                f"{found.place}: out of order: record {found.sequence} is where {missing} belongs, "
                f"which is at {line.place}"
            )

    def _end_gap(self) -> None:
        """Nothing that follows fills the gap."""
        if self._gap is None:
            return
        found, missing = self._gap
        until = found.sequence - 1
        which = f"record {missing} is" if missing == until else f"records {missing} to {until} are"
        raise BrokenTrailError(f"{found.place}: {which} missing before record {found.sequence}")

    def _blame_suspect(self, successor: _Line | None) -> None:
        last, suspect = self._last, self._suspect
        if suspect is None or last is None:
            return
        # A successor that has other bytes of the last line is a witness against that one.
        witness = successor is not None and successor.sequence == last.sequence + 1
        blamed = last if witness and successor and successor.previous_hash != last.hash else suspect
        raise BrokenTrailError(f"{blamed.place}: record {blamed.sequence} was changed")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
