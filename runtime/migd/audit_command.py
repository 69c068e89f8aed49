"""`migd audit`: what can be done with audit files, by whoever has them and without a gateway."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import BinaryIO

import click

_HASH = re.compile(r"[0-9a-fA-F]{64}")
_BROKEN = 1


def _hash(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _HASH.fullmatch(value):
        raise click.BadParameter("a hash is 64 hexadecimal digits")
    return value.lower() if value else None


@click.group(invoke_without_command=True)
@click.pass_context
def audit(context: click.Context) -> None:
    """Verify audit files, and exports of the audit trail as lines."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@audit.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.File("rb"))
@click.option("--expect", metavar="HASH", callback=_hash, help="The hash of a line that has to be there.")
@click.option("--partial", is_flag=True, help="FILE is an export with filters, which has gaps.")
def verify(files: tuple[BinaryIO, ...], expect: str | None, partial: bool) -> None:
    """Check that no line of an audit trail was changed, removed or moved.

    Several FILEs are read as one trail, in that order: after a rotation, the older one first. FILE may be -
    for standard input. What is whole is told in one line. Otherwise the exit status is 1, and the line names
    the first line at fault and what is wrong there.

    The chain has no secret: who can rewrite the whole file can chain it anew, and who cuts off its end leaves
    no trace in it. Note the head elsewhere, and have it looked for with --expect: it is in FILE.head and in
    the "head" of GET /pro/v0.1/audit/export.
    """
    from migd.core.audit_verification import BrokenTrailError, Verification

    verification = Verification(expected=expect, partial=partial)
    try:
        for place, line in _numbered(files):
            verification.feed(place, line)
        click.echo(verification.summary())
    except BrokenTrailError as error:
        click.echo(str(error))
        sys.exit(_BROKEN)


def _numbered(files: tuple[BinaryIO, ...]) -> Iterator[tuple[str, bytes]]:
    for file in files:
        for number, line in enumerate(file, 1):
            yield f"{file.name}:{number}", line
