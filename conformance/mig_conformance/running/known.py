"""Checks that are known to fail: they run, and it is a fault when one passes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mig_conformance.running.result import Outcome, Result
from mig_conformance.running.selection import Patterns


def read_known(file: Path) -> Patterns:
    """A pattern a line; empty lines and comments, from a "#" at the beginning of a word on, mean nothing.

    Raises OSError and UnicodeDecodeError.
    """
    lines = (f" {line}".partition(" #")[0].strip() for line in file.read_text().splitlines())
    return Patterns(source=str(file), globs=tuple(line for line in lines if line))


def settled(result: Result, known: Patterns | None) -> Result:
    """The result, told apart from others where it is known to fail."""
    if known is None or not known.match(result.check, result.binding):
        return result
    if result.outcome is Outcome.failed:
        return replace(result, outcome=Outcome.known)
    if result.outcome is Outcome.passed:
        why = "it is listed as known to fail, and passes: take it off the list"
        return replace(result, outcome=Outcome.unexpected, why=why)
    return result
