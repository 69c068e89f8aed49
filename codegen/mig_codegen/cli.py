"""The command line: `generate`, `check` and `breaking`."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from mig_codegen import breaking as breaking_changes
from mig_codegen.link import link
from mig_codegen.load import load
from mig_codegen.load.tree import CASES, SURFACE
from mig_codegen.model import Model
from mig_codegen.problem import SpecError
from mig_codegen.surface import surface

_PACKAGE = Path("generated", "mig_protocol")

_spec_option = click.option(
    "--spec",
    "spec_dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="The spec folder. Default: spec/ of the repository around the current folder.",
)
_cases_option = click.option(
    "--cases",
    "cases_dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The conformance suite's cases: refuse a requirement that none covers, and a case that covers none. "
    "Default: those of the repository around the spec folder, if it has the suite.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Link the MIG spec and generate the protocol package from it."""


def _telling_problems(command: Callable[..., None]) -> Callable[..., None]:
    @wraps(command)
    def wrapped(spec_dir: Path | None, cases_dir: Path | None, **options: Any) -> None:
        folder = spec_dir or repository_root(Path.cwd()) / "spec"
        suite = cases_dir or _suite_beside(folder)
        try:
            command(spec_dir=folder, cases_dir=suite, **options)
        except SpecError as refusal:
            for problem in refusal.problems:
                click.echo(_from_here(folder, suite, str(problem)), err=True)
            raise click.exceptions.Exit(1) from None

    return wrapped


@main.command()
@_spec_option
@_cases_option
@click.option(
    "--out",
    "out_dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to write. Default: generated/mig_protocol beside the spec folder.",
)
@_telling_problems
def generate(spec_dir: Path, cases_dir: Path | None, out_dir: Path | None) -> None:
    """Link the spec, then write the package and spec/SURFACE.txt."""
    # Imported here: the emitters bring templates and formatters that the other commands need not load.
    from mig_codegen.emit import EmitError, emit

    model = link(load(spec_dir, cases=cases_dir))
    out = out_dir or spec_dir.resolve().parent / _PACKAGE
    try:
        emit(model, out)
    except EmitError as error:
        raise click.ClickException(str(error)) from None
    (spec_dir / SURFACE).write_bytes(surface(model).encode())
    click.echo(f"{_told(model)}; wrote {_relative(out)} and {_relative(spec_dir / SURFACE)}")


@main.command()
@_spec_option
@_cases_option
@_telling_problems
def check(spec_dir: Path, cases_dir: Path | None) -> None:
    """Link the spec and write nothing."""
    click.echo(f"{_told(link(load(spec_dir, cases=cases_dir)))}; the spec agrees with itself")


@main.command()
@_spec_option
@_cases_option
@click.option("--against", metavar="TAG", help="The release to compare with. Default: the last v* tag.")
@_telling_problems
def breaking(spec_dir: Path, cases_dir: Path | None, against: str | None) -> None:
    """Compare the spec with that of a release and explain what would break its users."""
    tag = against or breaking_changes.last_release(spec_dir)
    if tag is None:
        click.echo("no release yet (no tag like v1.2.3): nothing to break")
        return
    try:
        old = breaking_changes.released_surface(spec_dir, tag)
    except breaking_changes.ReleaseError as error:
        raise click.ClickException(str(error)) from None
    breaks = breaking_changes.breaks(old, surface(link(load(spec_dir, cases=cases_dir))))
    for line in breaks:
        click.echo(line)
    if breaks:
        click.echo(f"{len(breaks)} breaking changes since {tag}", err=True)
        raise click.exceptions.Exit(1)
    click.echo(f"nothing breaks the users of {tag}")


def repository_root(start: Path) -> Path:
    """The nearest folder from `start` upwards that has spec/proto. Raises UsageError if there is none."""
    for folder in (start, *start.parents):
        if (folder / "spec" / "proto").is_dir():
            return folder
    raise click.UsageError(
        f"no spec/proto in {start} or above it; change into the repository or give --spec DIR"
    )


def _suite_beside(spec_dir: Path) -> Path | None:
    cases = spec_dir.resolve().parent / CASES
    return cases if cases.is_dir() else None


def _told(model: Model) -> str:
    counts = {
        "messages": len(model.messages),
        "schemas": len(model.schemas),
        "operations": len(model.operations),
        "requirements": len(model.requirements),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def _relative(path: Path) -> str:
    return os.path.relpath(path)


def _from_here(spec_dir: Path, cases_dir: Path | None, line: str) -> str:
    # Sources start as in the repository: print the path that an editor started here can open.
    for start, folder in (("spec/", spec_dir), (f"{CASES}/", cases_dir)):
        if folder is not None and line.startswith(start):
            return f"{_relative(folder)}/{line.removeprefix(start)}"
    return line
