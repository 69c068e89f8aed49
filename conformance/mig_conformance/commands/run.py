"""`mig-conformance run`: judge a server."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from rich.console import Console

from mig_conformance.checks.load import every_check
from mig_conformance.commands.exit_status import CONFORMANT, HARNESS_FAULT, NOT_CONFORMANT
from mig_conformance.commands.report_files import report_files, write_files
from mig_conformance.commands.selection import matching, only_option, only_patterns
from mig_conformance.commands.server import declared, flags, server_options
from mig_conformance.report.assemble import Circumstances, assemble
from mig_conformance.report.model import Report
from mig_conformance.report.progress import Progress
from mig_conformance.report.text import tell_report
from mig_conformance.running.known import read_known, settled
from mig_conformance.running.result import Result
from mig_conformance.running.run import run_checks
from mig_conformance.running.selection import Patterns, Planned, plan
from mig_conformance.running.session import Session, opened
from mig_conformance.subject.subject import Declaration


@click.command("run", context_settings={"show_default": True})
@server_options
@only_option
@click.option(
    "--known-failing",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Patterns, one a line, of checks that may fail. One that passes is an error.",
)
@report_files
@click.option("--strict", is_flag=True, help="Status 1 also where a profile could be checked in part only.")
def command(only: tuple[str, ...], known_failing: Path | None, strict: bool, **given: Any) -> int:
    """Judge the server that the options, or the manifest, describe.

    mig-conformance run --http http://localhost:8080 --grpc localhost:9090 --nats nats://localhost:4222
    """
    wanted = _wanted(only, known_failing)
    console = Console()
    with TemporaryDirectory(prefix="mig-conformance-") as scratch:
        declaration = declared(given, Path(scratch))
        run = _Run(wanted=wanted, command=" ".join(("mig-conformance run", *flags(given))), console=console)
        report = asyncio.run(run.judge(declaration, Path(scratch)))
    tell_report(report, console)
    write_files(report, given)
    return status_of(report, strict=strict)


def status_of(report: Report, *, strict: bool) -> int:
    """The exit status that a report stands for."""
    totals = report.totals
    if totals["broken"]:
        return HARNESS_FAULT
    right = totals["passed"] + totals["known"] > 0
    wrong = {"not checked", "partly checked"} if strict else {"not checked"}
    unsure = any(profile.verdict in wrong for profile in report.profiles)
    if totals["failed"] or totals["unexpected"] or unsure or not right:
        return NOT_CONFORMANT
    return CONFORMANT


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    only: Patterns | None
    known: Patterns | None


def _wanted(only: Sequence[str], known_failing: Path | None) -> _Wanted:
    known = None
    if known_failing is not None:
        try:
            known = matching(read_known(known_failing))
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"{known_failing}: can not be read: {error}") from None
    return _Wanted(only=only_patterns(only), known=known)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    wanted: _Wanted
    command: str
    console: Console

    async def judge(self, declaration: Declaration, scratch: Path) -> Report:
        """Raises UnreachableError, and click.Abort at SIGTERM; whatever was started is stopped then, too."""
        judging = asyncio.create_task(self._judge(declaration, scratch))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, judging.cancel)
        try:
            return await judging
        except asyncio.CancelledError:
            if judging.cancelled():
                raise click.Abort from None
            raise

    async def _judge(self, declaration: Declaration, scratch: Path) -> Report:
        began, clock = datetime.now(UTC), time.monotonic()
        async with opened(declaration, scratch) as session:
            planned = plan(every_check(), session.subject, self.wanted.only)
            results = await self._results(planned, session)
        return assemble(
            results,
            Circumstances(
                subject=session.subject,
                only=self.wanted.only,
                known=self.wanted.known,
                command=self.command,
                began=began,
                seconds=time.monotonic() - clock,
            ),
        )

    async def _results(self, planned: Sequence[Planned], session: Session) -> list[Result]:
        running = [each for each in planned if each.outcome is None]
        with Progress(running, self.console) as progress:
            ran = await run_checks(
                [(each.check, each.binding) for each in running],
                session.subject,
                session.links,
                lambda result: progress.tell(settled(result, self.wanted.known)),
                session.restart,
            )
        return [settled(result, self.wanted.known) for result in ran] + [
            Result(check=each.check, binding=each.binding, outcome=each.outcome, why=each.why)
            for each in planned
            if each.outcome is not None
        ]
