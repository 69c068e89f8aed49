"""The command `mig-conformance`."""

from __future__ import annotations

import sys
import traceback
from importlib import import_module

import click

from mig_conformance.checks.load import CaseError
from mig_conformance.commands.exit_status import HARNESS_FAULT, INTERRUPTED, UNREACHABLE, USAGE
from mig_conformance.flaws import UnreachableError
from mig_conformance.version import SUITE_VERSION

# Loaded when asked for: what runs checks takes a while to import, and --help need not wait for it.
_COMMANDS = {
    "run": "mig_conformance.commands.run",
    "list": "mig_conformance.commands.list",
    "explain": "mig_conformance.commands.explain",
    "report": "mig_conformance.commands.report",
    "self-test": "mig_conformance.selfproof.command",
}


class _Commands(click.Group):
    """Each module has its command as `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        found: click.Command = import_module(_COMMANDS[cmd_name]).command
        return found


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(SUITE_VERSION, prog_name="mig-conformance", message="%(prog)s %(version)s")
def command() -> None:
    """Hold a MIG server to the protocol, over every binding that it has, and report what it keeps.

    The exit status is 0 when it is conformant, 1 when it is not, 2 for a mistake in the command line or a
    file, 3 for a fault of this suite, and 4 when the server can not be reached.
    """


def main() -> None:
    """Run the command line; a mistake is one line on standard error."""
    try:
        status = command.main(prog_name="mig-conformance", standalone_mode=False)
    except click.ClickException as error:
        _end(error.format_message(), USAGE)
    except CaseError as error:
        _end(f"a fault of this suite: {error}", HARNESS_FAULT)
    except UnreachableError as error:
        _end(str(error), UNREACHABLE)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except Exception:
        # A status of 1 would say that the server is at fault.
        traceback.print_exc()
        _end("a fault of this suite; please report it", HARNESS_FAULT)
    sys.exit(status)


def _end(line: str, status: int) -> None:
    click.echo(f"mig-conformance: {line}", err=True)
    sys.exit(status)
