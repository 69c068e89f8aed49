"""The `migd` command."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migd.audit_command import audit
from migd.config import ConfigError, Settings, unknown_variables
from migd.config_command import config
from migd.configuration import load_configuration
from migd.data_dir import data_dir
from migd.exposure import exposure
from migd.listening import ListenError
from migd.logs import configure_logging
from migd.setting_flags import setting_options
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
@click.version_option(__version__, prog_name="migd", message="%(prog)s %(version)s")
@click.pass_context
def command(context: click.Context) -> None:
    """Run the MIG gateway.

    What it keeps is in one SQLite file in MIGD_DATA_DIR (unset, ~/.local/share/migd), or gone at its end
    with MIGD_STORE=memory.

    A setting is an option, a variable of the environment, or a key of `settings` in the migd.yaml: the first
    of these that says something wins. SIGHUP has the migd.yaml read again.

    \b
      migd --help-all      every setting as an option
      migd config show     what the settings are, and from where
      migd config check    whether a gateway could start with them
    """
    flags = context.ensure_object(dict)
    if context.invoked_subcommand is None:
        _serve(flags)


command.params += setting_options()
command.add_command(config)


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
    settings = load_configuration(os.environ, flags).settings
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


def _serve(flags: Mapping[str, str]) -> None:
    # Until it is handled: a hangup has nothing read again while all is read for the first time.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    configuration = load_configuration(os.environ, flags)
    settings = configuration.settings
    configure_logging(level=settings.log_level, form=settings.log_format)
    for warning in unknown_variables(os.environ):
        _log.warning(warning)
    # Imported here: --help, --version and a mistyped setting need not wait for a gateway.
    from migd.listening import listen, reachable_url
    from migd.server import run

    listener = listen(settings.addr)
    url, kept = reachable_url(listener, tls=settings.tls_cert is not None), _kept(settings)
    with listener:
        manifest = configuration.manifest()
        if warning := exposure(settings):
            _log.warning(warning)
        if settings.grpc_addr is not None:
            # gRPC opens its socket itself, later, and does not say what is in the way of it.
            listen(settings.grpc_addr, "MIGD_GRPC_ADDR").close()
        run(settings, manifest, listener, lambda others: _tell_ready(url, kept, others), lambda: _read(flags))


def _read(flags: Mapping[str, str]) -> tuple[Settings, Manifest]:
    """All that the sources say now."""
    configuration = load_configuration(os.environ, flags)
    return configuration.settings, configuration.manifest()


def _kept(settings: Settings) -> str:
    """Where to look for what this gateway keeps, as the ready line says it."""
    return "memory only" if settings.store == "memory" else str(data_dir(settings, os.environ))


def _tell_ready(url: str, kept: str, others: Sequence[str]) -> None:
    served = f"migd {__version__} ready on {url} (console /ui, reference /docs, data in {kept})"
    click.echo(", ".join((served, *others)))
    sys.stdout.flush()


def _end(line: str) -> None:
    click.echo(f"migd: {line}", err=True)
    sys.exit(_MISTAKE)
