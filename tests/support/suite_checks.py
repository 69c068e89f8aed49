"""Checks of the conformance suite, run on a server."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mig_conformance.checks.check import Check
from mig_conformance.checks.load import load_checks
from mig_conformance.drivers.port import BindingName
from mig_conformance.running.links import Links
from mig_conformance.running.result import Result
from mig_conformance.running.run import run_checks
from mig_conformance.subject.subject import Endpoints, Subject


def written(folder: Path, steps: str, *, bindings: str = "http") -> Check:
    """A check of which a test writes the steps, as YAML."""
    case = f"{{id: one, title: One., bindings: [{bindings}], steps: {steps}}}"
    folder.joinpath("written.yaml").write_text(f"area: written\ncases:\n  - {case}\n")
    [check] = load_checks({}, folder)
    return check


async def results(chosen: Iterable[tuple[Check, BindingName]], **endpoints: str) -> list[Result]:
    """How each ended on a server that does not authenticate its callers."""
    subject = Subject(endpoints=Endpoints(**endpoints), patience_s=20)
    async with Links(subject) as links:
        return await run_checks(chosen, subject, links, lambda _: None)
