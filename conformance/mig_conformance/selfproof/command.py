"""`mig-conformance self-test`: does every check find the fault that it is there for?"""

from __future__ import annotations

import asyncio
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from mig_conformance.checks.load import every_check
from mig_conformance.commands.exit_status import CONFORMANT, HARNESS_FAULT, NOT_CONFORMANT
from mig_conformance.running.selection import PatternError
from mig_conformance.selfproof.judge import Judge
from mig_conformance.selfproof.load import load_mutants
from mig_conformance.selfproof.matrix import Matrix, matrix_of, to_json
from mig_conformance.selfproof.page import to_page
from mig_conformance.selfproof.proof import Proof
from mig_conformance.selfproof.selection import Chosen, chosen_by
from mig_conformance.selfproof.servers import Servers, described_server, reference_servers
from mig_conformance.subject.document import ManifestError
from mig_protocol.requirements import REQUIREMENTS

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("self-test")
@click.option(
    "--sut",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The manifest of a right server. Without it migd and nats-server are started, in both auth modes.",
)
@click.option(
    "--only",
    metavar="PATTERN",
    multiple=True,
    help="Only mutants of this id, or what proves checks of this name or requirement; may be repeated.",
)
@click.option("--verbose", "-v", is_flag=True, help="A line for each check that ends.")
@click.option("--json", "json_file", metavar="FILE", type=_FILE, help="Write the kill matrix as JSON.")
@click.option("--html", "html_file", metavar="FILE", type=_FILE, help="Write it as one page for people.")
def command(
    sut: Path | None, only: tuple[str, ...], verbose: bool, json_file: Path | None, html_file: Path | None
) -> int:
    """Prove the suite: a right server is all green, and every mutant is found by the checks that it names.

    A mutant is the right server behind a proxy that breaks one requirement.
    """
    console, began, clock = Console(), datetime.now(UTC), time.monotonic()
    chosen = _chosen(only)
    servers = reference_servers() if sut is None else described_server(sut)
    try:
        proof = asyncio.run(_prove(servers, chosen, console, verbose=verbose))
    except ManifestError as error:
        raise click.UsageError(str(error)) from None
    matrix = matrix_of(proof, began=began.isoformat(timespec="seconds"), seconds=time.monotonic() - clock)
    for line in (*matrix.faults, matrix.summary):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    _write(matrix, json_file, html_file)
    return status_of(proof)


def _write(matrix: Matrix, json_file: Path | None, html_file: Path | None) -> None:
    try:
        if json_file is not None:
            json_file.write_bytes(to_json(matrix))
        if html_file is not None:
            html_file.write_text(to_page(matrix))
    except OSError as error:
        raise click.UsageError(f"{error.filename} can not be written: {error.strerror}") from None


def status_of(proof: Proof) -> int:
    """The exit status that a proof stands for."""
    if proof.broken:
        return HARNESS_FAULT
    return CONFORMANT if proof.holds else NOT_CONFORMANT


def _chosen(only: tuple[str, ...]) -> Chosen:
    checks = every_check()
    mutants = load_mutants([check.id for check in checks], [row.id for row in REQUIREMENTS])
    try:
        return chosen_by(only, checks, mutants)
    except PatternError as error:
        raise click.UsageError(str(error)) from None


async def _prove(servers: Servers, chosen: Chosen, console: Console, *, verbose: bool) -> Proof:
    """Whatever was started is stopped also at SIGTERM."""
    proving = asyncio.create_task(_judged(servers, chosen, console, verbose=verbose))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, proving.cancel)
    try:
        return await proving
    except asyncio.CancelledError:
        if proving.cancelled():
            raise click.Abort from None
        raise


async def _judged(servers: Servers, chosen: Chosen, console: Console, *, verbose: bool) -> Proof:
    def tell(line: str) -> None:
        if verbose:
            console.print(line, soft_wrap=True, highlight=False, markup=False)

    async with servers.right() as sessions:
        return await Judge(sessions, servers.further, tell).prove(chosen)
