"""Every setting as an option of the `migd` command: the usual ones in its help, all in `--help-all`.

A secret has none: every user of a machine can read its command lines.
"""

from __future__ import annotations

import click

from migd.setting_rows import SETTINGS, Setting

_USUAL = frozenset(
    {
        "MIGD_CONFIG",
        "MIGD_ADDR",
        "MIGD_GRPC_ADDR",
        "MIGD_NATS_URL",
        "MIGD_AUTH_MODE",
        "MIGD_TLS_CERT",
        "MIGD_TLS_KEY",
        "MIGD_STORE",
        "MIGD_DATA_DIR",
        "MIGD_LOG_LEVEL",
        "MIGD_LOG_FORMAT",
    }
)
_BY_PARAMETER = {row.field: row for row in SETTINGS}


def setting_options() -> list[click.Parameter]:
    """One for each setting, and `--help-all`. The text of one that is given is put into the context's object,
    a dict, by the setting's variable.
    """
    return [*(_secret(row) if row.secret else _option(row) for row in SETTINGS), _help_all()]


def _option(row: Setting) -> click.Option:
    return click.Option(
        [row.flag, row.field],
        metavar="VALUE",
        help=f"{row.about} ({row.variable})",
        hidden=row.variable not in _USUAL,
        expose_value=False,
        callback=_keep,
    )


def _secret(row: Setting) -> click.Option:
    return click.Option(
        [f"--{row.field.replace('_', '-')}", row.field], hidden=True, expose_value=False, callback=_refuse
    )


def _help_all() -> click.Option:
    return click.Option(
        ["--help-all"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_all,
        help="Show the options of all settings, and exit.",
    )


def _keep(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    row = _BY_PARAMETER[parameter.name or ""]
    if _tells_a_secret(row, value):
        raise _no_secrets(row, "with credentials in it")
    context.ensure_object(dict)[row.variable] = value


def _refuse(_context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        raise _no_secrets(_BY_PARAMETER[parameter.name or ""], "which is a secret")


def _tells_a_secret(row: Setting, value: str) -> bool:
    if row.kind.shown is None:
        return False
    try:
        parsed = str(row.kind.parse(value))
    except ValueError:
        return False
    return row.kind.shown(parsed) != parsed


def _no_secrets(row: Setting, why: str) -> click.UsageError:
    return click.UsageError(
        f"{row.variable}, {why}, is not taken from the command line, which every user of this machine can "
        f"read: set the variable, or settings.{row.field} in the migd.yaml"
    )


def _show_all(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if not value:
        return
    formatter = context.make_formatter()
    with formatter.section("All settings"):
        formatter.write_dl([(f"{row.flag} VALUE", _in_full(row)) for row in SETTINGS if row.flag])
    secrets = ", ".join(row.variable for row in SETTINGS if row.secret)
    formatter.write_paragraph()
    formatter.write_text(f"Secrets have no option, since every user can read a command line: {secrets}.")
    click.echo(f"{context.get_help()}\n\n{formatter.getvalue()}", nl=False)
    context.exit()


def _in_full(row: Setting) -> str:
    unit = f" {row.kind.unit}" if row.kind.unit else ""
    default = f"default {row.default}" if row.default else "not set by default"
    return f"{row.about} Takes {row.kind.allowed}{unit}; {default}."
