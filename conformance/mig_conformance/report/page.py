"""A report as one page of HTML that needs nothing else: no script to be read, nothing fetched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from mig_conformance.report.headline import headline
from mig_conformance.report.model import Judged, Report, Row, State

_STATES: tuple[State, ...] = ("failed", "known", "unchecked", "passed", "not applicable", "excluded")
_COLUMNS = ("http", "websocket", "grpc", "nats")
_RED = ("failed", "unexpected", "broken")
_SLOWEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The requirements of one section of the protocol; `counts` says how many are in which state."""

    title: str
    number: int
    rows: Sequence[Row]
    counts: Mapping[State, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why something was not judged, and what that is about."""

    why: str
    names: Sequence[str]


def templates_of(*packages: str) -> Environment:
    """The templates of these packages; what is put into them is escaped."""
    return Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def to_page(report: Report) -> str:
    """HTML, for a file."""
    return (
        templates_of("mig_conformance.report")
        .get_template("page.html")
        .render(
            report=report,
            headline=headline(report),
            texts={row.id: row for row in report.requirements},
            sections=_sections(report.requirements),
            columns=[each for each in _COLUMNS if any(each in row.cells for row in report.requirements)],
            failed=[check for check in report.checks if check.outcome in _RED],
            known=[check for check in report.checks if check.outcome == "known"],
            unchecked=_reasons(report.checks, "unchecked"),
            not_applicable=_reasons(report.checks, "not_applicable"),
            uncovered=_uncovered(report.requirements),
            excluded=[row for row in report.requirements if row.state == "excluded"],
            slowest=sorted(report.checks, key=lambda check: -check.seconds)[:_SLOWEST],
        )
    )


def _sections(rows: Sequence[Row]) -> list[Section]:
    """In the protocol's order, and within one of its sections in that of the requirements."""
    by_section: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_section[row.section].append(row)
    return [
        Section(title=_title(name), number=_number(name), rows=found, counts=_counts(found))
        for name, found in sorted(by_section.items(), key=lambda each: _number(each[0]))
    ]


def _counts(rows: Iterable[Row]) -> dict[State, int]:
    states = [row.state for row in rows]
    return {state: states.count(state) for state in _STATES if state in states}


def _number(section: str) -> int:
    """Of "section 10: MCP" it is 10."""
    found = section.removeprefix("section ").partition(":")[0]
    return int(found) if found.isdecimal() else 0


def _title(section: str) -> str:
    title = section.partition(": ")[2] or section
    return title[0].upper() + title[1:]


def _reasons(checks: Iterable[Judged], outcome: str) -> list[Reason]:
    """What most checks wait for comes first."""
    names: dict[str, list[str]] = defaultdict(list)
    for check in checks:
        if check.outcome == outcome:
            names[check.why].append(check.name)
    return [Reason(why=why, names=names[why]) for why in sorted(names, key=lambda why: -len(names[why]))]


def _uncovered(rows: Iterable[Row]) -> list[str]:
    """Requirements of which no check is on a binding that they name."""
    why = "no check covers it"
    return [row.id for row in rows if any(cell.why == why for cell in row.cells.values())]
