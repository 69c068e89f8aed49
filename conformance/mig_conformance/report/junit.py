"""A report as JUnit XML, which build servers read: a suite an area, a case a check on a binding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from mig_conformance.report.model import Judged, Report

# XML has no way to write them.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KINDS: Mapping[str, str] = {
    "failed": "failure",
    "unexpected": "failure",
    "broken": "error",
    "known": "skipped",
    "unchecked": "skipped",
    "not_applicable": "skipped",
}
_SKIPPED = {"known": "known to fail: ", "unchecked": "not checked: ", "not_applicable": "not applicable: "}


def to_junit(report: Report) -> bytes:
    """UTF-8, with an XML declaration. What did not run, or is known to fail, is skipped with its reason."""
    root = Element("testsuites", {"name": "mig-conformance", **_counts(report.checks)})
    root.set("time", f"{report.seconds:.3f}")
    for area, checks in groupby(report.checks, lambda check: check.check.partition("/")[0]):
        _suite(root, area, tuple(checks), report.began)
    indent(root)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _suite(root: Element, area: str, checks: tuple[Judged, ...], began: str) -> None:
    suite = SubElement(root, "testsuite", {"name": area, "timestamp": began, **_counts(checks)})
    suite.set("time", f"{sum(check.seconds for check in checks):.3f}")
    for check in checks:
        case = SubElement(suite, "testcase", classname=area, name=check.name, time=f"{check.seconds:.3f}")
        if check.outcome in _KINDS:
            message = _SKIPPED.get(check.outcome, "") + check.why
            told = SubElement(case, _KINDS[check.outcome], message=_writable(message))
            told.text = _writable(_story(check)) or None


def _story(check: Judged) -> str:
    if not check.again:
        return ""
    lines = [check.title, f"requirements: {', '.join(check.requirements)}", f"expected: {check.expected}"]
    lines += [f"{each.way}: {each.what} {each.text}" for each in check.exchanges]
    return "\n".join((*lines, f"again: {check.again}"))


def _counts(checks: Iterable[Judged]) -> dict[str, str]:
    kinds = [_KINDS.get(check.outcome, "") for check in checks]
    return {
        "tests": str(len(kinds)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
        "skipped": str(kinds.count("skipped")),
    }


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)
