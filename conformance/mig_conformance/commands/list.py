"""`mig-conformance list`: what would run, and why the rest would not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from mig_conformance.checks.features import in_order
from mig_conformance.checks.load import every_check
from mig_conformance.commands.exit_status import CONFORMANT
from mig_conformance.commands.selection import only_option, only_patterns
from mig_conformance.commands.server import declared, names_a_server, server_options
from mig_conformance.running.links import Links
from mig_conformance.running.probe import completed
from mig_conformance.running.selection import Patterns, Planned, plan, profiles_of
from mig_conformance.subject.reach import reach
from mig_conformance.subject.subject import Declaration, Subject


@click.command("list")
@server_options
@only_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(only: tuple[str, ...], as_json: bool, **given: Any) -> int:
    """List the checks. For a server that the options describe, say which of them would run, and why the
    others would not; it has to be running unless its manifest says both its profiles and its features.
    """
    patterns = only_patterns(only)
    subject = _subject(given) if names_a_server(given) else None
    planned = _every(patterns) if subject is None else plan(every_check(), subject, patterns)
    if as_json:
        click.echo(json.dumps([_entry(each, judged=subject is not None) for each in planned], indent=2))
    else:
        for line in _lines(planned, judged=subject is not None):
            click.echo(line)
    return CONFORMANT


def _subject(given: dict[str, Any]) -> Subject:
    with TemporaryDirectory(prefix="mig-conformance-") as scratch:
        declaration = declared(given, Path(scratch))
        return asyncio.run(_asked(declaration))


async def _asked(declaration: Declaration) -> Subject:
    if declaration.profiles is None or declaration.features is None:
        await reach(declaration.subject.endpoints)
    async with Links(declaration.subject) as links:
        return await completed(declaration, links)


def _every(patterns: Patterns | None) -> list[Planned]:
    return [
        Planned(check=check, binding=binding)
        for check in every_check()
        for binding in check.bindings
        if patterns is None or patterns.match(check, binding)
    ]


def _entry(each: Planned, *, judged: bool) -> dict[str, Any]:
    """`runs` is None where no server was named."""
    return {
        "name": each.name,
        "title": each.check.title,
        "requirements": each.check.requirements,
        "profiles": in_order(profiles_of(each.check)),
        "needs": sorted(each.check.needs),
        "runs": each.outcome is None if judged else None,
        "why": each.why,
    }


def _told(each: Planned) -> str:
    return each.check.title if each.outcome is None else f"would not run: {each.why}"


def _lines(planned: Sequence[Planned], *, judged: bool) -> Iterator[str]:
    for each in planned:
        yield f"{each.name}  {_told(each)}"
    running = sum(each.outcome is None for each in planned)
    yield f"{running} of {len(planned)} would run" if judged else f"{len(planned)} checks on their bindings"
