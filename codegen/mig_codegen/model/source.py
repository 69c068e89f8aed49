"""Where a fact of the spec is written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, order=True)
class Source:
    """Where a fact is written. `file` starts with "spec/" or, for the cases of the conformance suite, with
    "conformance/", with forward slashes; `line` starts at 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"
