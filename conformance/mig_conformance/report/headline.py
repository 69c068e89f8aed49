"""What a report says in a few words, for the top of a page and for a badge."""

from __future__ import annotations

from typing import Literal, NamedTuple

from mig_conformance.report.model import Report

Tone = Literal["good", "fair", "bad", "neutral"]


class Headline(NamedTuple):
    """`text` is the verdict, `of` what it is about."""

    text: str
    of: str
    tone: Tone


def headline(report: Report) -> Headline:
    """The verdict on what the server declares."""
    if not report.profiles:
        return _of_selection(report)
    declared = [each for each in report.profiles if each.verdict != "not declared"]
    named = ", ".join(each.profile for each in declared)
    found = {each.verdict for each in declared}
    if report.totals["broken"]:
        return Headline("no verdict: the suite is at fault", named, "neutral")
    if "not conformant" in found or report.totals["failed"] or report.totals["unexpected"]:
        return Headline("not conformant", named, "bad")
    if "not checked" in found:
        return Headline("not checked", named, "bad")
    if "partly checked" in found:
        return Headline("conformant as far as checked", named, "fair")
    return Headline("conformant", named, "good")


def _of_selection(report: Report) -> Headline:
    failed = report.totals["failed"] + report.totals["unexpected"] + report.totals["broken"]
    right = report.totals["passed"] + report.totals["known"]
    if failed:
        return Headline(f"{failed} failed", "a selection of the checks", "bad")
    return Headline(f"{right} as expected", "a selection of the checks", "good" if right else "neutral")
