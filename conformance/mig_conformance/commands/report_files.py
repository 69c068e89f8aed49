"""The options that say which files a report goes into, and writing them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from mig_conformance.report.as_json import to_json
from mig_conformance.report.badge import to_badge
from mig_conformance.report.junit import to_junit
from mig_conformance.report.model import Report
from mig_conformance.report.page import to_page

_Command = TypeVar("_Command", bound=Callable[..., Any])

_FORMS: Mapping[str, Callable[[Report], bytes]] = {
    "json": to_json,
    "junit": to_junit,
    "html": lambda report: to_page(report).encode(),
    "badge": lambda report: to_badge(report).encode(),
}
_ABOUT = {
    "json": "the whole report; `mig-conformance report` makes the others of it",
    "junit": "JUnit XML, for build servers",
    "html": "one page for people, with all that it needs",
    "badge": "the verdict as SVG",
}


def report_files(command: _Command) -> _Command:
    """Adds them; the command gets each as `FORM_file`."""
    for form in reversed(tuple(_FORMS)):
        option = click.option(
            f"--{form}",
            f"{form}_file",
            metavar="FILE",
            type=click.Path(dir_okay=False, path_type=Path),
            callback=_in_a_folder,
            help=f"Write {_ABOUT[form]}.",
        )
        command = option(command)
    return command


def _in_a_folder(_context: click.Context, option: click.Parameter, file: Path | None) -> Path | None:
    """Told before a run and not after it."""
    if file is not None and not file.parent.is_dir():
        raise click.BadParameter(f"there is no folder {file.parent}", param=option)
    return file


def write_files(report: Report, given: Mapping[str, Any]) -> None:
    """Those that were asked for. Raises click.UsageError for one that can not be written."""
    for form, made in _FORMS.items():
        file: Path | None = given[f"{form}_file"]
        if file is not None:
            try:
                file.write_bytes(made(report))
            except OSError as error:
                raise click.UsageError(f"--{form}: {file} can not be written: {error.strerror}") from None
