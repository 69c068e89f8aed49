"""`mig-conformance report`: an earlier report again, in other forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from mig_conformance.commands.exit_status import CONFORMANT
from mig_conformance.commands.report_files import report_files, write_files
from mig_conformance.report.as_json import ReportError, from_json
from mig_conformance.report.text import tell_report


@click.command("report")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@report_files
def command(file: Path, **given: Any) -> int:
    """Show the report FILE, the JSON of an earlier run, and write it in other forms."""
    try:
        report = from_json(file.read_bytes())
    except ReportError as error:
        raise click.UsageError(f"{file}: {error}") from None
    tell_report(report, Console())
    write_files(report, given)
    return CONFORMANT
