"""`mig-conformance explain ID`: a requirement or a check, in full."""

from __future__ import annotations

from collections.abc import Iterator

import click

from mig_conformance.checks.check import Check
from mig_conformance.checks.load import every_check, source
from mig_conformance.commands.exit_status import CONFORMANT
from mig_protocol.requirements import REQUIREMENTS, Requirement


@click.command("explain")
@click.argument("identifier", metavar="ID")
def command(identifier: str) -> int:
    """Explain ID: a requirement such as MIG-INV-010, or a check such as invoke/deadline-exceeded@http."""
    checks = {check.id: check for check in every_check()}
    rows = {row.id: row for row in REQUIREMENTS}
    name = identifier.partition("@")[0]
    if name not in checks and name not in rows:
        raise click.UsageError(
            f"{identifier}: neither a requirement nor a check; `mig-conformance list` shows their names"
        )
    lines = _of_check(checks[name], rows) if name in checks else _of_requirement(rows[name], checks)
    click.echo("\n".join(lines))
    return CONFORMANT


def _of_requirement(row: Requirement, checks: dict[str, Check]) -> Iterator[str]:
    yield f"{row.id}  {row.level}"
    yield row.text
    yield ""
    yield f"from      {row.section}"
    yield f"profile   {row.profile}"
    yield f"bindings  {', '.join(row.bindings)}"
    if row.excluded is not None:
        yield f"excluded  {row.excluded}"
    for binding, why in row.unchecked.items():
        yield f"unchecked on {binding}: {why}"
    for check in row.checks:
        yield ""
        yield from _brief(checks[check])


def _of_check(check: Check, rows: dict[str, Requirement]) -> Iterator[str]:
    yield from _brief(check)
    for requirement in check.requirements:
        yield f"{requirement}  {rows[requirement].level}: {rows[requirement].text}"
    yield ""
    yield source(check)


def _brief(check: Check) -> Iterator[str]:
    yield f"{check.id}  on {', '.join(check.bindings)}"
    yield check.title
    if check.needs:
        yield f"needs     {', '.join(sorted(check.needs))}"
