"""`mig-conformance explain ID`: a requirement, a check, a profile or a feature, in full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from mig_conformance.checks.check import Check
from mig_conformance.checks.features import KNOWN, MEANS, SETTINGS, in_order, with_included
from mig_conformance.checks.load import every_check, source
from mig_conformance.commands.exit_status import CONFORMANT
from mig_protocol.operations import FEATURES, PROFILES, Profile
from mig_protocol.requirements import REQUIREMENTS, Requirement


@click.command("explain")
@click.argument("identifier", metavar="ID")
def command(identifier: str) -> int:
    """Explain ID: a requirement such as MIG-INV-010, a check such as invoke/deadline-exceeded@http, a profile
    such as core, or a feature such as replay.
    """
    click.echo("\n".join(_explained(identifier)))
    return CONFORMANT


def _explained(identifier: str) -> Iterator[str]:
    checks = {check.id: check for check in every_check()}
    rows = {row.id: row for row in REQUIREMENTS}
    profiles = {profile.id: profile for profile in PROFILES}
    name = identifier.partition("@")[0]
    if name in checks:
        return _of_check(checks[name], rows)
    if identifier in rows:
        return _of_requirement(rows[identifier], checks)
    if identifier in profiles:
        return _of_profile(profiles[identifier])
    if identifier in KNOWN:
        return _of_feature(identifier, checks.values())
    raise click.UsageError(
        f"{identifier}: neither a requirement nor a check, a profile or a feature; "
        "`mig-conformance list` shows the names of checks"
    )


def _of_profile(profile: Profile) -> Iterator[str]:
    """With the requirements that it adds to the profiles in it."""
    added = [row for row in REQUIREMENTS if row.profile == profile.id]
    included = in_order(with_included({profile.id}) - {profile.id})
    yield f"{profile.id}  {profile.description}"
    yield f"contains  {', '.join(included) or 'no other profile'}"
    yield f"features  {', '.join(profile.requires) or 'none'}"
    yield f"adds      {len(added)} requirements"
    for row in added:
        yield ""
        yield f"{row.id}  {row.level}  on {', '.join(row.bindings)}"
        yield row.text


def _of_feature(name: str, checks: Iterable[Check]) -> Iterator[str]:
    about = {**FEATURES, **SETTINGS, **MEANS}[name]
    needing = [check.id for check in checks if name in check.needs]
    yield f"{name}  {about}"
    yield f"needed by {len(needing)} checks"
    yield from needing


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
