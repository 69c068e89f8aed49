"""The command `mig-conformance`."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

import click

from mig_conformance.checks.load import CaseError
from mig_conformance.commands.exit_status import HARNESS_FAULT, INTERRUPTED, UNREACHABLE, USAGE
from mig_conformance.flaws import UnreachableError
from mig_conformance.version import SUITE_VERSION


class _Word(NamedTuple):
    """`module` has the command as `command`. It is loaded when it is asked for: what runs checks takes a
    while to import, and --help need not wait for it.
    """

    module: str
    about: str


_WORDS = {
    "run": _Word("mig_conformance.commands.run", "Judge a server."),
    "list": _Word(
        "mig_conformance.commands.list", "List the checks: which would run, and why the others not."
    ),
    "explain": _Word(
        "mig_conformance.commands.explain", "Explain a requirement, a check, a profile or a feature."
    ),
    "report": _Word("mig_conformance.commands.report", "Show an earlier report again, in other forms."),
    "self-test": _Word(
        "mig_conformance.selfproof.command", "Prove the suite: every seeded mistake is found by its check."
    ),
}


class _Words(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_WORDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _WORDS:
            return None
        found: click.Command = import_module(_WORDS[cmd_name].module).command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, word.about) for name, word in _WORDS.items()])


@click.group(cls=_Words, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(SUITE_VERSION, prog_name="mig-conformance", message="%(prog)s %(version)s")
def command() -> None:
    """Hold a MIG server to the protocol, over every binding that it has, and report what it keeps.

    The exit status is 0 when it is conformant, 1 when it is not, 2 for a mistake in the command line or a
    file, 3 for a fault of this suite, and 4 when the server can not be reached.
    """


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line, `argv` or the process's own; a mistake is one line on standard error."""
    # The library has words of its own for connections that a server or a mutant ends.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        status = command.main(argv, prog_name="mig-conformance", standalone_mode=False)
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
