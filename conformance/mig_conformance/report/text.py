"""A report for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from mig_conformance.report.model import Exchange, Judged, ProfileVerdict, Report, Row

_RED = ("failed", "unexpected", "broken")
_STYLES = {
    "passed": "green",
    "failed": "bold red",
    "known": "yellow",
    "unexpected": "bold red",
    "unchecked": "yellow",
    "not_applicable": "dim",
    "broken": "bold magenta",
}
_NAMES = {
    "passed": "passed",
    "failed": "failed",
    "known": "failed as known",
    "unexpected": "passed but known to fail",
    "unchecked": "not checked",
    "not_applicable": "not applicable",
    "broken": "faults of the suite",
}
_VERDICTS = {
    "conformant": "bold green",
    "partly checked": "bold yellow",
    "not checked": "bold red",
    "not conformant": "bold red",
    "not declared": "dim",
}
_EXCHANGES = 6
_SHOWN = 600


def tell_report(report: Report, console: Console) -> None:
    """What failed, each with all that is needed to mend it; then the verdicts."""
    texts = {row.id: row for row in report.requirements}
    for check in report.checks:
        if check.outcome in _RED:
            tell_check(check, texts, console)
    _tell_unchecked(report.checks, console)
    console.print(_totals(report), soft_wrap=True)
    for verdict in report.profiles:
        console.print(_verdict(verdict), soft_wrap=True)
    if report.profiles:
        judged = ", ".join(report.selection.bindings)
        console.print(f"judged over {judged}", style="dim", soft_wrap=True, highlight=False)
    if report.selection.only:
        console.print("a selection of the checks: it says nothing about a profile", style="dim")


def tell_check(check: Judged, rows: dict[str, Row], console: Console) -> None:
    """One check that went wrong."""
    console.print()
    console.print(
        Text.assemble((_NAMES[check.outcome].upper(), _STYLES[check.outcome]), " ", (check.name, "bold"))
    )
    _tell(console, "promise", check.title)
    for row in (rows[each] for each in check.requirements if each in rows):
        _tell(console, row.id, f"{row.level}: {row.text}")
    _tell(console, "found", check.why)
    if check.expected and check.expected != check.title:
        _tell(console, "expected", check.expected)
    for label, text in _last(check.exchanges):
        _tell(console, label, text)
    if check.again:
        _tell(console, "again", check.again)


def _last(exchanges: Sequence[Exchange]) -> Iterator[tuple[str, str]]:
    if len(exchanges) > _EXCHANGES:
        yield "", f"({len(exchanges) - _EXCHANGES} earlier messages are in the reports)"
    for exchange in exchanges[-_EXCHANGES:]:
        yield exchange.way, f"{exchange.what} {exchange.text}".strip()


def _tell(console: Console, label: str, text: str) -> None:
    """On one line, which is not wrapped for whoever copies it."""
    text = " ".join(text.split())
    cut = text if len(text) <= _SHOWN or label == "again" else f"{text[:_SHOWN]}..."
    line = Text.assemble((f"  {label:<12}", "dim"), cut)
    console.print(line, soft_wrap=True, highlight=False)


def _tell_unchecked(checks: Sequence[Judged], console: Console) -> None:
    """How many checks each lack keeps from running, the most first."""
    reasons: dict[str, int] = {}
    for check in checks:
        if check.outcome == "unchecked":
            reasons[check.why] = reasons.get(check.why, 0) + 1
    console.print()
    for why, count in sorted(reasons.items(), key=lambda each: -each[1]):
        console.print(
            Text.assemble(("not checked ", "yellow"), f"{count}: {textwrap.shorten(why, _SHOWN)}"),
            soft_wrap=True,
        )


def _totals(report: Report) -> Text:
    parts = [(f"{count} {_NAMES[name]}", _STYLES[name]) for name, count in report.totals.items() if count]
    joined = Text(", ").join(Text(text, style) for text, style in parts) if parts else Text("nothing ran")
    return Text.assemble("checks: ", joined, f" in {report.seconds:.1f} s")


def _verdict(verdict: ProfileVerdict) -> Text:
    counts = f"{verdict.judged} requirements judged"
    for number, name in (
        (verdict.failed, "failed"),
        (verdict.known, "failed as known"),
        (verdict.unchecked, "not checked"),
    ):
        counts += f", {number} {name}" if number else ""
    told = "" if verdict.verdict == "not declared" else f" ({counts})"
    return Text.assemble(f"{verdict.profile:<10}", (verdict.verdict, _VERDICTS[verdict.verdict]), told)
