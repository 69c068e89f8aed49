"""How a check on one binding ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from mig_conformance.checks.check import Check
from mig_conformance.drivers.port import BindingName
from mig_conformance.drivers.transcript import Line


class Outcome(Enum):
    """Only `passed` is green. A check that is expected to fail (--known-failing) ends as `known` when it
    does, and as `unexpected`, which is red, when it does not. `broken` is a fault of the suite.
    """

    passed = "passed"
    failed = "failed"
    known = "known failing"
    unexpected = "unexpected pass"
    not_applicable = "not applicable"
    unchecked = "not checked"
    broken = "harness fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`why` is one line, empty for `passed`; `expected` is what the step that failed expects, None where it
    is not data; `lines` is what went over the wire; it took so many `seconds`. `silent`: it failed because
    nothing came in time.
    """

    check: Check
    binding: BindingName
    outcome: Outcome
    why: str = ""
    expected: Any = None
    lines: tuple[Line, ...] = ()
    seconds: float = 0.0
    silent: bool = False

    @property
    def name(self) -> str:
        return self.check.on(self.binding)
