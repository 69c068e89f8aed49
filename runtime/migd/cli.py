"""The `migd` command."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migd.audit_command import audit
from migd.config import ConfigError, Settings, load_settings, unknown_variables
from migd.data_dir import data_dir
from migd.exposure import exposure
from migd.listening import ListenError
from migd.logs import configure_logging
from migd.setting_rows import SETTINGS, Setting
from migd.version import __version__

if TYPE_CHECKING:
    from migd.manifest import Manifest

_log = logging.getLogger("migd.cli")
_MISTAKE = 2
_INTERRUPTED = 130


class MistakeError(Exception):
    """Something that the person who started migd can put right; its text is the one line that says how."""


def main() -> None:
    """Run the command line; a mistake is one line on standard error and exit status 2."""
    try:
        command.main(standalone_mode=False)
    except click.ClickException as error:
        _end(error.format_message())
    except (MistakeError, ConfigError, ListenError) as error:
        _end(str(error))
    except (click.Abort, KeyboardInterrupt):
        sys.exit(_INTERRUPTED)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", metavar="FILE", help="The migd.yaml that declares capabilities (MIGD_CONFIG).")
@click.option("--addr", metavar="HOST:PORT", help="Where to listen (MIGD_ADDR, default :8080).")
@click.version_option(__version__, prog_name="migd", message="%(prog)s %(version)s")
@click.pass_context
def command(context: click.Context, config: str | None, addr: str | None) -> None:
    """Run the MIG gateway.

    What it keeps is in one SQLite file in MIGD_DATA_DIR (unset, ~/.local/share/migd), or gone at its end
    with MIGD_STORE=memory. Everything else is set by variables, too: `migd config` lists them.
    """
    given = {"MIGD_CONFIG": config, "MIGD_ADDR": addr}
    context.obj = {variable: text for variable, text in given.items() if text is not None}
    if context.invoked_subcommand is None:
        _serve(load_settings(os.environ, context.obj))


@command.command("config")
@click.pass_obj
def show_config(flags: Mapping[str, str]) -> None:
    """Show every setting: its value now, its default, what it may be and what it does."""
    settings = load_settings(os.environ, flags)
    for row in SETTINGS:
        click.echo(f"{row.variable}={_shown(row, settings)}")
        default = f"default {row.default}" if row.default else "not set by default"
        unit = f" {row.kind.unit}" if row.kind.unit else ""
        click.echo(f"    {row.about} Takes {row.kind.allowed}{unit}; {default}.")


@command.command()
@click.pass_obj
def check(flags: Mapping[str, str]) -> None:
    """Read the settings and the migd.yaml, and list the capabilities that would be served."""
    from migd.conformance_fixture import with_fixture

    settings = load_settings(os.environ, flags)
    for capability in with_fixture(settings, _manifest(settings).capabilities):
        descriptor = capability.descriptor
        click.echo(
            f"{descriptor.id} {descriptor.version} ({', '.join(mode.value for mode in descriptor.modes)})"
        )


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite FILE if it exists.")
@click.pass_obj
def backup(flags: Mapping[str, str], file: Path, force: bool) -> None:
    """Copy the sqlite store to FILE, as it is at one moment; a gateway may be using it."""
    from migd.stores.sqlite.backup import backup as copy

    with _store_mistakes():
        copy(_store_folder(flags), file, force=force)


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite the store that is there.")
@click.pass_obj
def restore(flags: Mapping[str, str], file: Path, force: bool) -> None:
    """Make the backup FILE the sqlite store; refused while a gateway has it open."""
    from migd.stores.sqlite.backup import restore as copy

    with _store_mistakes():
        copy(file, _store_folder(flags), force=force)


def _store_folder(flags: Mapping[str, str]) -> Path:
    settings = load_settings(os.environ, flags)
    if settings.store == "memory":
        raise MistakeError("MIGD_STORE=memory keeps nothing that could be backed up or restored")
    return data_dir(settings, os.environ)


command.add_command(audit)


@contextmanager
def _store_mistakes() -> Iterator[None]:
    from migd.stores.sqlite import StoreError

    try:
        yield
    except StoreError as error:
        raise MistakeError(str(error)) from error


def _serve(settings: Settings) -> None:
    configure_logging(level=settings.log_level, form=settings.log_format)
    for warning in unknown_variables(os.environ):
        _log.warning(warning)
    # Imported here: --help, --version and a mistyped setting need not wait for a gateway.
    from migd.listening import listen, reachable_url
    from migd.server import run

    listener = listen(settings.addr)
    url, kept = reachable_url(listener, tls=settings.tls_cert is not None), _kept(settings)
    with listener:
        manifest = _manifest(settings)
        if warning := exposure(settings):
            _log.warning(warning)
        if settings.grpc_addr is not None:
            # gRPC opens its socket itself, later, and does not say what is in the way of it.
            listen(settings.grpc_addr, "MIGD_GRPC_ADDR").close()
        run(settings, manifest, listener, lambda others: _tell_ready(url, kept, others))


def _manifest(settings: Settings) -> Manifest:
    from migd.manifest import Manifest, ManifestError, load_manifest
    from migd.providers.builtin import reference_capability
    from migd.providers.hosts import ProviderHosts

    if settings.config is None:
        return Manifest(capabilities=(reference_capability(),))
    try:
        return load_manifest(settings.config, os.environ, ProviderHosts.of(settings.provider_hosts))
    except ManifestError as error:
        raise MistakeError(str(error)) from error


def _kept(settings: Settings) -> str:
    """Where to look for what this gateway keeps, as the ready line says it."""
    return "memory only" if settings.store == "memory" else str(data_dir(settings, os.environ))


def _tell_ready(url: str, kept: str, others: Sequence[str]) -> None:
    served = f"migd {__version__} ready on {url} (console /ui, reference /docs, data in {kept})"
    click.echo(", ".join((served, *others)))
    sys.stdout.flush()


def _shown(row: Setting, settings: Settings) -> str:
    value = getattr(settings, row.field)
    if row.secret and value:
        return "(secret)"
    if row.kind.shown is not None:
        return row.kind.shown(value)
    if row.kind.absent == ():
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value or "")


def _end(line: str) -> None:
    click.echo(f"migd: {line}", err=True)
    sys.exit(_MISTAKE)
