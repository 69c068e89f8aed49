"""`migd config`: what a gateway would be started with, and whether it can be."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

import click

from migd.config import Settings, unknown_variables
from migd.configuration import Configuration, load_configuration
from migd.setting_flags import setting_options
from migd.setting_rows import SETTINGS, Setting
from migd.setting_sources import Given

_SECRET = "(secret)"  # noqa: S105 - what is shown in the place of one


@click.group("config", invoke_without_command=True)
@click.pass_context
def config(context: click.Context) -> None:
    """Show and check the settings and the migd.yaml, without starting anything.

    A flag wins over the environment, that over the migd.yaml, that over the default.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@config.command("check", params=setting_options())
@click.pass_obj
def check(flags: Mapping[str, str]) -> None:
    """Read all that a start reads, and list the capabilities that would be served.

    Settings, migd.yaml, certificates, keys and what the file names. The exit status is 2 for a mistake, told
    in one line. No port is opened, no file is written and nobody is asked over the network.
    """
    from migd.rehearsal import rehearse

    for warning in unknown_variables(os.environ):
        click.echo(f"warning: {warning}", err=True)
    configuration = load_configuration(os.environ, flags)
    capabilities = rehearse(configuration)
    for descriptor in capabilities:
        modes = ", ".join(mode.value for mode in descriptor.modes)
        click.echo(f"{descriptor.id} {descriptor.version} ({modes})")
    click.echo(f"OK: {_from(configuration)}")


@config.command("show", params=setting_options())
@click.option("--json", "as_json", is_flag=True, help="For programs: a JSON list with an object each.")
@click.pass_obj
def show(flags: Mapping[str, str], as_json: bool) -> None:
    """Show every setting: its value, and which place that is from. Secrets are not shown."""
    configuration = load_configuration(os.environ, flags)
    if as_json:
        click.echo(json.dumps(list(_objects(configuration)), indent=2))
        return
    rows = [
        (row.variable, _shown(row, configuration.settings), _place(configuration.given[row.variable]))
        for row in SETTINGS
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for variable, value, place in rows:
        click.echo(f"{variable:{widths[0]}}  {value:{widths[1]}}  {place}")


def _from(configuration: Configuration) -> str:
    path = configuration.settings.config
    return "the settings; there is no migd.yaml" if path is None else f"the settings and {path}"


def _place(given: Given) -> str:
    return f"{given.source}, line {given.line}" if given.line else given.source


def _objects(configuration: Configuration) -> Iterable[dict[str, Any]]:
    for row in SETTINGS:
        given = configuration.given[row.variable]
        yield {
            "setting": row.variable,
            "value": _json(row, getattr(configuration.settings, row.field)),
            "source": given.source,
            **({"line": given.line} if given.line else {}),
            "reload": row.reloads,
        }


def _json(row: Setting, value: Any) -> Any:
    """Numbers and flags as such, lists as lists, and null for what is not set."""
    if not value and not isinstance(value, bool | int | float):
        return [] if row.kind.listed and not row.kind.shown else None
    if row.secret:
        return _SECRET
    if row.kind.shown is not None:
        return row.kind.shown(value)
    if isinstance(value, bool | int | float):
        return value
    return sorted(value) if isinstance(value, frozenset) else list(value) if row.kind.listed else str(value)


def _shown(row: Setting, settings: Settings) -> str:
    value = _json(row, getattr(settings, row.field))
    if isinstance(value, list):
        return ",".join(value)
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value).lower() if isinstance(value, bool) else str(value)
